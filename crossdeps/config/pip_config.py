"""The environment variables of this process: the one place that reads them for the library.

The variables are those that curl, requests and pip read; lower case beats upper case.

Rules: pip's user guide, "Configuration" (locations, precedence, environment variables). A key is
the long name of an option; the last word counts: global file, user file, that of the virtual
environment, ``PIP_CONFIG_FILE``; within these ``[global]``, ``[download]``, ``[install]``; and then
the environment variable. Empty values count as not said.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from crossdeps.config.pip_options import proxy_url
from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_path
from crossdeps.requirements.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def process_environment() -> Mapping[str, str]:
    """The environment variables, as they are now; what is returned doesn't change."""
    return MappingProxyType(dict(os.environ))


_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemNetwork:
    """Proxies and certificates of this environment.

    :param proxies: URL scheme -> proxy URL
    :param no_proxy: hosts and domains reached without
    :param cert: path of a CA bundle
    :param origins: what was found -> the variable that says so
    :param warnings: variables that name files which aren't there
    """

    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: tuple[str, ...] = ()
    cert: str | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_system_network(environment: Mapping[str, str], directory: Path) -> SystemNetwork:
    """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` and the CA bundles.

    ``HTTP_PROXY`` in capitals is left out under a web server, where a client's ``Proxy`` header
    becomes that variable (CVE-2016-5385).

    :param directory: what a relative path is relative to
    """
    proxies = {}
    origins = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", "all_proxy"):
            variable = name if name in environment else name.upper()
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
                continue
            if value := environment.get(variable, "").strip():
                proxies[scheme] = proxy_url(value)
                origins[f"{scheme} proxy"] = Origin(file="environment", note=variable)
                break
    exempt = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    warnings = []
    cert: str | None = None
    for variable in _BUNDLES:
        named = environment.get(variable)
        if not named:
            continue
        cert = find_path(named, directory)
        if cert is not None:
            origins["cert"] = Origin(file="environment", note=variable)
            break
        warnings.append(f"{variable} names {named}, which isn't there, and is left out")
    return SystemNetwork(
        proxies=proxies,
        no_proxy=tuple(exempt.replace(",", " ").split()),
        cert=cert,
        origins=origins,
        warnings=tuple(warnings),
    )


SECTIONS = ("global", "download", "install")
SHARED_FILES = (Path("/Library/Application Support/pip/pip.conf"), Path("/etc/pip.conf"))
_VARIABLES = ":variables:"  # can't be the name of a section that we read
_ALIASES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_NO_FILES = (os.devnull, "/dev/null", "nul", "NUL")
_HEADER = re.compile(r"\[(.+)\]")
_KEY = re.compile(r"([^\s#;=:\[][^=:]*?)\s*[=:]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What was said of one option, as text, and where."""

    value: str = field(repr=False)  # it may hold credentials
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class PipConfiguration:
    """What pip's configuration says.

    :param settings: long option name, without dashes in front -> the last word on it
    :param files: the files that were read
    :param warnings: what could not be read, one sentence each
    """

    settings: Mapping[str, Setting] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_pip_configuration(
    environment: Mapping[str, str], *, prefix: Path | None = None
) -> PipConfiguration:
    """Read pip's configuration files, and the ``PIP_*`` variables of *environment*.

    :param environment: the environment variables
    :param prefix: of the virtual environment, ``VIRTUAL_ENV`` or that of this Python by default
    :raises InputError: if a file isn't a configuration file; it names file and line
    """
    if prefix is None:
        prefix = Path(environment.get("VIRTUAL_ENV") or sys.prefix)
    found: dict[tuple[str, str], Setting] = {}
    files = []
    warnings = []
    for path in locate_config_files(environment, prefix=prefix):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            warnings.append(f"pip's configuration file {path} may not be read, and is left out")
            continue
        except OSError as error:
            raise _unreadable(path, error.strerror or "it can't be read") from error
        files.append(str(path))
        found.update(_read_file(text, path))
    named = environment.get("PIP_CONFIG_FILE")
    if named and named not in _NO_FILES and named not in files:
        warnings.append(f"PIP_CONFIG_FILE names {named}, which isn't there, and is left out")
    found.update(_read_variables(environment))
    return PipConfiguration(
        settings=_last_words(found), files=tuple(files), warnings=tuple(warnings)
    )


def locate_config_files(
    environment: Mapping[str, str], *, prefix: Path, windows: bool = os.name == "nt"
) -> tuple[Path, ...]:
    """Return where pip looks for its files, from the weakest to the strongest.

    ``PIP_CONFIG_FILE`` takes the place of the user's files where it exists, and the null device in
    it means none at all. On Unix, those of macOS are looked for too: elsewhere they aren't there.
    """
    named = environment.get("PIP_CONFIG_FILE")
    if named in _NO_FILES:
        return ()
    replaces_user = bool(named) and os.path.exists(named or "")  # noqa: PTH110 - never raises
    places = _windows_files if windows else _unix_files
    everyone, user = places(environment)
    mine = () if replaces_user else user
    site = prefix / ("pip.ini" if windows else "pip.conf")
    return (*everyone, *mine, site, *((Path(named),) if named else ()))


def _unix_files(environment: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    shared = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    everyone = (
        *(Path(folder) / "pip" / "pip.conf" for folder in shared.split(":") if folder),
        *SHARED_FILES,
    )
    home = environment.get("HOME")
    config = environment.get("XDG_CONFIG_HOME") or (home and f"{home}/.config")
    user = []
    if home:
        user.append(Path(home) / ".pip" / "pip.conf")
    if config:
        user.append(Path(config) / "pip" / "pip.conf")
    if home:
        user.append(Path(home) / "Library" / "Application Support" / "pip" / "pip.conf")
    return everyone, tuple(user)


def _windows_files(environment: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    def under(variable: str) -> tuple[Path, ...]:
        folder = environment.get(variable)
        return (Path(folder) / "pip" / "pip.ini",) if folder else ()

    return under("PROGRAMDATA"), (*under("USERPROFILE"), *under("APPDATA"))


def _read_file(content: bytes, path: Path) -> dict[tuple[str, str], Setting]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"byte {error.start} isn't UTF-8", line) from error
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        place, problem = _explain(error)
        raise _unreadable(path, problem, place) from error
    lines = {(section, key): number for section, key, number in _number_keys(text)}
    return {
        (section, _normalise(key)): Setting(
            value=value,
            origin=Origin(file=str(path), line=lines.get((section, key)), note=f"[{section}]"),
        )
        for section in SECTIONS
        if parser.has_section(section)
        for key, value in parser.items(section)
    }


def _number_keys(text: str) -> Iterator[tuple[str, str, int]]:
    """Section, key as the parser has it, and the 1-based line of each key."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1]
        elif key := _KEY.match(line):
            yield section, key[1].lower(), number


def _explain(error: configparser.Error) -> tuple[int | None, str]:
    """The line of an error, and what is wrong there; never the text, which may hold a password."""
    if isinstance(error, configparser.MissingSectionHeaderError):
        return error.lineno, "a setting stands before the first section, such as [global]"
    if isinstance(error, configparser.ParsingError):
        return error.errors[0][0], "this line is neither a section nor a setting"
    if isinstance(error, configparser.DuplicateOptionError):
        return error.lineno, f"{error.option} is said twice in [{error.section}]"
    if isinstance(error, configparser.DuplicateSectionError):
        return error.lineno, f"the section [{error.section}] stands here twice"
    return None, "it isn't in the form of a configuration file"


def _unreadable(path: Path, problem: str, line: int | None = None) -> InputError:
    return InputError(
        f"pip's configuration can't be read: {problem}",
        context=(str(Origin(file=str(path), line=line)),),
        hint="correct the file, or leave pip's configuration unread with --isolated",
    )


def _read_variables(environment: Mapping[str, str]) -> dict[tuple[str, str], Setting]:
    return {
        (_VARIABLES, _normalise(name.removeprefix("PIP_"))): Setting(
            value=value, origin=Origin(file="environment", note=name)
        )
        for name, value in environment.items()
        if name.startswith("PIP_")
    }


def _normalise(name: str) -> str:
    name = name.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(name, name)


def _last_words(found: Mapping[tuple[str, str], Setting]) -> dict[str, Setting]:
    return {
        key: setting
        for wanted in (*SECTIONS, _VARIABLES)
        for (section, key), setting in found.items()
        if section == wanted and setting.value.strip()
    }
