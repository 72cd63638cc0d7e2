"""pip's configuration files and ``PIP_*`` variables as text, and the variables of the network.

Rules: pip's user guide, "Configuration" (locations, precedence, environment variables). A key is
the long name of an option; the last value counts: global file, user file, that of the virtual
environment, ``PIP_CONFIG_FILE``; within these ``[global]``, ``[download]``, ``[install]``; and then
the environment variable. Empty values count as not specified.

The variables of proxies and certificates are those that curl, requests and pip read; lower case
takes precedence over upper case.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_path
from crossdeps.requirements.model import Origin
from crossdeps.text import escape

if TYPE_CHECKING:
    import configparser
    from collections.abc import Iterator

SECTIONS = ("global", "download", "install")
SHARED_FILES = (Path("/Library/Application Support/pip/pip.conf"), Path("/etc/pip.conf"))
_VARIABLES = ":variables:"  # cannot be the name of a section that is read
_ALIASES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_NO_FILES = (os.devnull, "/dev/null", "nul", "NUL")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def process_environment() -> Mapping[str, str]:
    """The environment variables, as they are now; the mapping does not change."""
    return MappingProxyType(dict(os.environ))


def proxy_url(text: str) -> str:
    """Return a proxy as a URL; as with pip, ``host:port`` means ``http://host:port``."""
    return text if "://" in text else f"http://{text}"


class SystemNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """Proxies and certificates of this environment.

    :param proxies: URL scheme -> proxy URL
    :param no_proxy: hosts and domains reached without
    :param cert: path of a CA bundle
    :param warnings: variables that name files which do not exist
    """

    proxies: Mapping[str, str] = msgspec.field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    cert: str | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"SystemNetwork(cert={self.cert!r})"  # a proxy may hold credentials


def read_system_network(environment: Mapping[str, str], directory: Path) -> SystemNetwork:
    """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` and the CA bundles.

    ``HTTP_PROXY`` in capitals is left out under a web server, where a client's ``Proxy`` header
    becomes that variable (CVE-2016-5385).

    :param directory: what a relative path is relative to
    """
    proxies = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", "all_proxy"):
            variable = name if name in environment else name.upper()
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
                continue
            if value := environment.get(variable, "").strip():
                proxies[scheme] = proxy_url(value)
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
            break
        warnings.append(f"{variable} names {escape(named)}, which does not exist; it is ignored")
    return SystemNetwork(
        proxies=proxies,
        no_proxy=tuple(exempt.replace(",", " ").split()),
        cert=cert,
        warnings=tuple(warnings),
    )


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one option, as text, and where it was specified."""

    value: str
    origin: Origin

    def __repr__(self) -> str:
        return f"Setting({self.origin})"  # the value may hold credentials


class PipConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """pip's configuration: files and variables.

    :param settings: long option name, without dashes in front -> the value that counts
    :param files: the files that were read
    :param warnings: what could not be read, one sentence each
    """

    settings: Mapping[str, Setting] = msgspec.field(default_factory=dict)
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_pip_configuration(
    environment: Mapping[str, str], *, prefix: Path | None = None
) -> PipConfiguration:
    """Read pip's configuration files, and the ``PIP_*`` variables of *environment*.

    :param environment: the environment variables
    :param prefix: of the virtual environment, ``VIRTUAL_ENV`` or that of this Python by default
    :raises InputError: if a file is not a valid configuration file; it names file and line
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
            warnings.append(f"pip's configuration file {path} is not readable; it is ignored")
            continue
        except OSError as error:
            raise _unreadable(path, error.strerror or "it cannot be read") from error
        files.append(str(path))
        found.update(_read_file(text, path))
    named = environment.get("PIP_CONFIG_FILE")
    if named and named not in _NO_FILES and named not in files:
        warnings.append(
            f"PIP_CONFIG_FILE names {escape(named)}, which does not exist; it is ignored"
        )
    found.update(_read_variables(environment))
    return PipConfiguration(
        settings=_effective_settings(found), files=tuple(files), warnings=tuple(warnings)
    )


def locate_config_files(
    environment: Mapping[str, str], *, prefix: Path, windows: bool = os.name == "nt"
) -> tuple[Path, ...]:
    """Return the locations of pip's files, those of least precedence first.

    ``PIP_CONFIG_FILE`` replaces the user's files where it exists, and the null device in
    it means none at all. On Unix, those of macOS are looked for too: elsewhere they do not exist.
    """
    named = environment.get("PIP_CONFIG_FILE")
    if named in _NO_FILES:
        return ()
    replaces_user = bool(named) and os.path.exists(named or "")  # noqa: PTH110 - never raises
    everyone, user = (_windows_files if windows else _unix_files)(environment)
    user = () if replaces_user else user
    site = prefix / ("pip.ini" if windows else "pip.conf")
    return (*everyone, *user, site, *((Path(named),) if named else ()))


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
        raise _unreadable(path, f"byte {error.start} is not UTF-8", line) from error
    import configparser  # noqa: PLC0415 - only where there is a file

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        number, problem = _explain(error)
        raise _unreadable(path, problem, number) from error
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
        if header := re.match(r"\[(.+)\]", line):
            section = header[1]
        elif key := re.match(r"([^\s#;=:\[][^=:]*?)\s*[=:]", line):
            yield section, key[1].lower(), number


def _explain(error: configparser.Error) -> tuple[int | None, str]:
    """The line of an error, and what is wrong there; never the text, which may hold a password."""
    import configparser  # noqa: PLC0415 - only where there is a file

    if isinstance(error, configparser.MissingSectionHeaderError):
        return error.lineno, "a setting precedes the first section, such as [global]"
    if isinstance(error, configparser.ParsingError):
        return error.errors[0][0], "this line is neither a section nor a setting"
    if isinstance(error, configparser.DuplicateOptionError):
        return error.lineno, f"{error.option} occurs twice in [{error.section}]"
    if isinstance(error, configparser.DuplicateSectionError):
        return error.lineno, f"the section [{error.section}] occurs twice"
    return None, "it is not a valid configuration file"


def _unreadable(path: Path, problem: str, line: int | None = None) -> InputError:
    return InputError(
        f"pip's configuration cannot be read: {problem}",
        context=(str(Origin(file=str(path), line=line)),),
        hint="correct the file, or ignore pip's configuration with --isolated",
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


def _effective_settings(found: Mapping[tuple[str, str], Setting]) -> dict[str, Setting]:
    return {
        key: setting
        for name in (*SECTIONS, _VARIABLES)
        for (section, key), setting in found.items()
        if section == name and setting.value.strip()
    }
