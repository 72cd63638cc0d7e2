"""pip's settings as values: text of its configuration read as URLs, numbers and switches."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_links_location, find_path, index_location
from crossdeps.requirements.model import FileOptions
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from crossdeps.config.pip_config import PipConfiguration, Setting
    from crossdeps.requirements.model import Origin

KeyringProvider = Literal["disabled", "subprocess"]

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionOptions:
    """How to reach an index; ``None`` means "not said".

    :param cert: path of a CA bundle
    :param client_cert: path of a PEM file with certificate and key
    :param proxy: URL, for every request
    :param timeout: seconds without a connection or a byte
    :param retries: further attempts after the first
    :param keyring: whether the ``keyring`` program is asked for passwords
    """

    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)  # it may hold credentials
    timeout: float | None = None
    retries: int | None = None
    keyring: KeyringProvider | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredOptions:
    """What pip's configuration says, as values.

    :param options: where to look, and what to choose
    :param connection: how to reach it
    :param constraint_files: of ``PIP_CONSTRAINT`` and the like
    :param origins: location, or name of an option -> where it was said
    :param warnings: what was left out, one sentence each
    """

    options: FileOptions = field(default_factory=FileOptions, repr=False)
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    constraint_files: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


def read_configured_options(configuration: PipConfiguration, directory: Path) -> ConfiguredOptions:
    """Read the settings that matter here; others are pip's own affair.

    :param directory: what relative paths are relative to, the current directory as with pip
    :raises InputError: if a value can't be understood; it names the place
    """
    return _Reader(configuration, directory).read()


class _Reader:
    def __init__(self, configuration: PipConfiguration, directory: Path) -> None:
        self._settings = configuration.settings
        self._directory = directory
        self._origins: dict[str, Origin] = {}
        self._warnings = list(configuration.warnings)

    def read(self) -> ConfiguredOptions:
        """Read everything."""
        index_url = self._one("index-url", self._index)
        if index_url is not None:
            self._origins[index_url] = self._origins["index-url"]
        only_binary, no_binary = self._projects("only-binary"), self._projects("no-binary")
        options = FileOptions(
            index_url=index_url,
            extra_index_urls=self._many("extra-index-url", self._index),
            find_links=self._many("find-links", self._links),
            no_index=self._one("no-index", _switch) or False,
            trusted_hosts=self._many("trusted-host", str),
            pre=self._one("pre", _switch) or False,
            require_hashes=self._one("require-hashes", _switch) or False,
            only_binary=only_binary,
            no_binary=no_binary,
            all_releases=self._projects("all-releases"),
            only_final=self._projects("only-final"),
        )
        connection = ConnectionOptions(
            cert=self._one("cert", self._path),
            client_cert=self._one("client-cert", self._path),
            proxy=self._one("proxy", proxy_url),
            timeout=self._one("timeout", read_timeout),
            retries=self._one("retries", read_retries),
            keyring=self._one("keyring-provider", self._keyring),
        )
        return ConfiguredOptions(
            options=options,
            connection=connection,
            constraint_files=self._many("constraint", str),
            origins=self._origins,
            warnings=tuple(self._warnings),
        )

    def _one(self, name: str, read: Callable[[str], _T]) -> _T | None:
        setting = self._settings.get(name)
        if setting is None:
            return None
        self._origins[name] = setting.origin
        return _within(name, setting, read, setting.value.strip())

    def _many(self, name: str, read: Callable[[str], str | None]) -> tuple[str, ...]:
        """The values of an option that may be repeated: blanks stand between them."""
        setting = self._settings.get(name)
        if setting is None:
            return ()
        values: dict[str, None] = {}
        for word in setting.value.split():
            value = _within(name, setting, read, word)
            if value is None:
                self._warnings.append(
                    f"{setting.origin}: {name} names {escape(word)}, which isn't there,"
                    " and is left out"
                )
                continue
            values[value] = None
            self._origins[value] = setting.origin
        return tuple(values)

    def _projects(self, name: str) -> tuple[str, ...]:
        setting = self._settings.get(name)
        if setting is None:
            return ()
        self._origins[name] = setting.origin
        words: dict[str, None] = {}
        for word in setting.value.replace(",", " ").split():
            if word == ":none:":
                words.clear()
            else:
                words[word if word == ":all:" else canonicalize_name(word)] = None
        return tuple(words)

    def _index(self, text: str) -> str:
        return index_location(text, self._directory)

    def _links(self, text: str) -> str | None:
        return find_links_location(text, self._directory)

    def _path(self, text: str) -> str:
        path = find_path(text, self._directory)
        if path is None:
            raise InputError(
                f"there is no file {escape(text)}",
                hint="correct the path, or leave the setting out",
            )
        return path

    def _keyring(self, text: str) -> KeyringProvider:
        if text == "subprocess":
            return "subprocess"
        if text == "import":
            origin = self._origins["keyring-provider"]
            self._warnings.append(
                f"{origin}: keyring-provider=import isn't supported, and no keyring is asked;"
                " use subprocess"
            )
        elif text not in {"auto", "disabled"}:
            raise InputError(
                f"{escape(text)} isn't a keyring provider", hint="disabled or subprocess"
            )
        return "disabled"


def _within(name: str, setting: Setting, read: Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except InputError as error:
        error.within(f"{setting.origin}: {name}")
        raise


def _switch(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InputError(f"{escape(text)} isn't yes or no", hint="write true or false")


def read_timeout(text: str) -> float:
    """Read a number of seconds.

    :raises InputError: if it isn't a finite number above zero
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0 or not math.isfinite(seconds):
        raise InputError(f"{escape(text)} isn't a number of seconds", hint="such as 15")
    return seconds


def read_retries(text: str) -> int:
    """Read a number of attempts.

    :raises InputError: if it isn't a whole number from zero up
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise InputError(f"{escape(text)} isn't a number of retries", hint="such as 3")
    return int(text)


def proxy_url(text: str) -> str:
    """Return a proxy as a URL; as with pip, ``host:port`` means ``http://host:port``."""
    return text if "://" in text else f"http://{text}"
