"""Logins for URLs: from the URL that the user wrote, from netrc, and from the keyring program.

netrc is read as curl, requests and pip read it; the ``keyring`` program is used on request only. A
login is used for an origin (scheme, host and port: RFC 6454), never for another.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of fields
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from crossdeps.errors import InputError
from crossdeps.text import HIDDEN, redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.config.index_options import KeyringProvider

_NETRC_NAMES = (".netrc", "_netrc")
_PORTS = {"http": 80, "https": 443}
_KEYRING_TIMEOUT = 60  # seconds; a locked keyring may wait for its user


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A user and a password, the latter hidden from ``repr``."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r}, password={HIDDEN!r})"


class Netrc(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of a netrc file.

    :param entries: host, in lower case -> its login
    :param default: of hosts that are not named
    """

    entries: Mapping[str, Login] = msgspec.field(default_factory=dict)
    default: Login | None = None


class _Location(msgspec.Struct, frozen=True, kw_only=True):
    """A URL in parts.

    :param url: without user and password
    :param server: scheme, lower-case host and effective port, which credentials never cross
    """

    url: str
    server: tuple[str, str, int]
    path: str
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"_Location({self.url})"


class Credentials:
    """Finds the login for a URL. Safe to call from several threads; each source is read once.

    :param urls: those that the user named: indexes, find-links, direct URLs
    :param environment: the environment variables, for netrc and for starting ``keyring``
    :param keyring: ``subprocess`` runs the ``keyring`` program where only a user name is known
    :param isolated: use the URLs only
    """

    def __init__(
        self,
        urls: Iterable[str],
        environment: Mapping[str, str],
        *,
        keyring: KeyringProvider = "disabled",
        isolated: bool = False,
    ) -> None:
        self._locations = tuple(filter(None, map(_split_url, urls)))
        self._environment = environment
        self._uses_keyring = keyring == "subprocess" and not isolated
        self._isolated = isolated
        self._lock = threading.Lock()
        self._netrc: Netrc | None = None
        self._found: dict[_Location, Login | None] = {}

    def find(self, url: str) -> tuple[str, str] | None:
        """Return user and password for *url*; None for a server that the user did not name.

        :raises InputError: if netrc cannot be read, or ``keyring`` cannot be started
        """
        login = self.find_login(url)
        return None if login is None else (login.user, login.password)

    def find_login(self, url: str) -> Login | None:
        """As :meth:`find`, with the password hidden from ``repr``.

        :raises InputError: if netrc cannot be read, or ``keyring`` cannot be started
        """
        location = _split_url(url)
        if location is None:
            return None
        near = [each for each in self._locations if each.server == location.server]
        if not near:
            return None
        if location.user and location.password is not None:
            return Login(user=location.user, password=location.password)
        nearest = max(near, key=lambda each: _nearness(each, location))
        with self._lock:
            if nearest not in self._found:
                self._found[nearest] = self._look_up(nearest)
            return self._found[nearest]

    def _look_up(self, location: _Location) -> Login | None:
        if location.user is not None and location.password is not None:
            return Login(user=location.user, password=location.password)
        if not self._isolated:
            login = self._look_up_netrc(location) or self._look_up_keyring(location)
            if login is not None:
                return login
        return Login(user=location.user, password="") if location.user else None

    def _look_up_netrc(self, location: _Location) -> Login | None:
        if self._netrc is None:
            self._netrc = read_netrc(self._environment)
        login = self._netrc.entries.get(location.server[1], self._netrc.default)
        return login if login and location.user in {None, login.user} else None

    def _look_up_keyring(self, location: _Location) -> Login | None:
        """Look up the index, then its host, as pip does."""
        if not self._uses_keyring or not location.user or location.user.startswith("-"):
            return None  # a leading dash would make an option of the name
        scheme, host, port = location.server
        if port != _PORTS[scheme]:
            host = f"{host}:{port}"
        for service in (location.url, host):
            password = run_keyring(service, location.user, self._environment)
            if password is not None:
                return Login(user=location.user, password=password)
        return None


def _split_url(url: str) -> _Location | None:
    """The parts of an http or https URL; None for others."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        return None
    userinfo, at, host = parts.netloc.rpartition("@")
    user, colon, password = userinfo.partition(":")
    return _Location(
        url=urlunsplit(SplitResult(parts.scheme, host, parts.path, parts.query, "")),
        server=(scheme, parts.hostname.lower(), port or _PORTS[scheme]),
        path=parts.path,
        user=unquote(user) if at else None,
        password=unquote(password) if colon else None,
    )


def _nearness(known: _Location, location: _Location) -> tuple[int, bool]:
    """How many directories two URLs share; of equals, the one with a user is nearer."""
    pairs = zip(known.path.split("/"), location.path.split("/"), strict=False)
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return len(list(shared)), known.user is not None


def read_netrc(environment: Mapping[str, str]) -> Netrc:
    """Read the file that ``NETRC`` names, else ``.netrc`` or ``_netrc`` of the home directory.

    A file that does not exist has no entries, unless ``NETRC`` names it.

    :raises InputError: if it cannot be read or parsed; it names file and line
    """
    named = environment.get("NETRC")
    if named:
        return _parse_netrc(named)
    home = environment.get("HOME") or environment.get("USERPROFILE")
    for path in [os.path.join(home, name) for name in _NETRC_NAMES] if home else ():  # noqa: PTH118
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises in a closed home
            return _parse_netrc(path)
    return Netrc()


def _parse_netrc(path: str) -> Netrc:
    import netrc  # noqa: PLC0415 - only where there is one

    problem, line = "", None
    try:
        parsed = netrc.netrc(path)
    except netrc.NetrcParseError as error:
        # its message may quote a word of the file, which may be a password
        problem, line = "it is not a valid netrc file", error.lineno
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    else:
        entries = {
            host.lower(): Login(user=login or "", password=password or "")
            for host, (login, _account, password) in parsed.hosts.items()
        }
        return Netrc(entries=entries, default=entries.pop("default", None))
    raise InputError(
        f"netrc cannot be read: {problem}",
        context=(path if line is None else f"{path}:{line}",),
        hint="correct the file, name another in NETRC, or ignore it with --isolated",
    )


def run_keyring(service: str, user: str, environment: Mapping[str, str]) -> str | None:
    """Run ``keyring get SERVICE USER``; None if it has no password.

    :raises InputError: if there is no such program, or it does not end
    """
    import shutil  # noqa: PLC0415 - rarely needed
    import subprocess  # noqa: PLC0415 - rarely needed

    program = shutil.which("keyring", path=environment.get("PATH", os.defpath))
    try:
        if program is None:
            raise FileNotFoundError(2, "there is no keyring on PATH")
        done = subprocess.run(  # noqa: S603 - requested by the user; no shell is involved
            [program, "get", service, user],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, "PYTHONIOENCODING": "utf-8"},
            timeout=_KEYRING_TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise InputError(
            "the keyring program cannot be started",
            context=(redact(service), error.strerror or type(error).__name__),
            hint="install it (pipx install keyring), or leave out the keyring provider",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"the keyring program did not answer within {_KEYRING_TIMEOUT} seconds",
            context=(redact(service),),
            hint="unlock the keyring first, or leave out the keyring provider",
        ) from error
    if done.returncode:
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\r\n") or None
