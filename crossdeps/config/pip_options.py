"""pip's configuration as values: its text read as locations, numbers and switches."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of fields
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.config.option_types import List, Projects
from crossdeps.config.options import OPTIONS, Options
from crossdeps.config.pip_config import proxy_url
from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_links_location, find_path, index_location
from crossdeps.requirements.model import Origin  # noqa: TC001 - msgspec reads it
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.config.pip_config import PipConfiguration, Setting


class ConfiguredOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options in pip's configuration.

    :param origins: location, or name of an option -> where it was specified
    :param warnings: what was ignored, one sentence each
    """

    options: Options = Options()
    origins: Mapping[str, Origin] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ConfiguredOptions({self.options!r})"  # origins may be URLs with passwords


def read_configured_options(configuration: PipConfiguration, directory: Path) -> ConfiguredOptions:
    """Read the options of pip's configuration that crossdeps has too; pip alone reads the others.

    :param directory: what relative paths are relative to, the current directory as with pip
    :raises InputError: if a value is not valid; it names the file and line, or the variable
    """
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    warnings = list(configuration.warnings)
    for option in OPTIONS.values():
        setting = configuration.settings.get(option.pip_name)
        if setting is None:
            continue
        try:
            value = _read_setting(option.name, setting, directory, warnings)
        except InputError as error:
            error.within(f"{setting.origin}: {option.pip_name}")
            raise
        values[option.name] = value
        if isinstance(value, tuple) and not isinstance(option, Projects):
            origins |= dict.fromkeys(value, setting.origin)
        else:
            origins[option.pip_name] = setting.origin
        if option.name == "index_url":
            origins[str(value)] = setting.origin
    return ConfiguredOptions(
        options=Options("", **values), origins=origins, warnings=tuple(warnings)
    )


def _read_setting(name: str, setting: Setting, directory: Path, warnings: list[str]) -> object:
    option = OPTIONS[name]
    text = setting.value.strip()
    if isinstance(option, Projects):
        return _read_projects(text)
    if isinstance(option, List):
        found = [(word, resolve_location(name, word, directory)) for word in text.split()]
        warnings.extend(
            f"{setting.origin}: {option.pip_name} names {escape(word)}, which does not exist;"
            " it is ignored"
            for word, location in found
            if location is None
        )
        return tuple(dict.fromkeys(location for _, location in found if location is not None))
    if name == "keyring" and text in {"auto", "import"}:
        if text == "import":
            warnings.append(
                f"{setting.origin}: keyring-provider=import is not supported, and no keyring is"
                " used; use subprocess"
            )
        return "disabled"
    if name in LOCATIONS:
        return resolve_location(name, text, directory)
    try:
        return option.parse(text)
    except ValueError as error:
        raise InputError(
            f"invalid value for {option.pip_name}: {error}, not {escape(text)!r}",
            hint="correct the setting, or remove it",
        ) from None


def _read_projects(text: str) -> tuple[str, ...]:
    """Project names and ``:all:``, in order; ``:none:`` discards what is before it."""
    words: dict[str, None] = {}
    for word in text.replace(",", " ").split():
        if word == ":none:":
            words.clear()
        else:
            words[word if word == ":all:" else canonicalize_name(word)] = None
    return tuple(words)


def resolve_location(name: str, text: str, directory: Path) -> str | None:
    """Return the value of the option *name* as a URL or absolute path; other values as they are.

    :param directory: what a relative path is relative to
    :returns: None for a path of find-links that does not exist
    :raises InputError: if it is malformed, or a file that does not exist
    """
    resolve = LOCATIONS.get(name)
    return resolve(text, directory) if resolve else text


def _pem_file(text: str, directory: Path) -> str:
    path = find_path(text, directory)
    if path is None:
        raise InputError(
            f"there is no file {escape(text)}",
            hint="give the path of a PEM file, or leave the option out",
        )
    return path


LOCATIONS: dict[str, Callable[[str, Path], str | None]] = {
    "index_url": index_location,
    "extra_index_urls": index_location,
    "find_links": find_links_location,
    "cert": _pem_file,
    "client_cert": _pem_file,
    "proxy": lambda text, _: proxy_url(text),
}
"""The options whose values are locations, and how each is read."""
