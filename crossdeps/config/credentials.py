"""netrc: logins by host, as curl, requests and pip read them.

A login comes from the URL that the user wrote, else from netrc, else, when asked, from the
``keyring`` program. It is given for an origin (scheme, host and port: RFC 6454), never for another.
"""

from __future__ import annotations

import itertools
import netrc
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from crossdeps.errors import InputError
from crossdeps.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossdeps.config.pip_options import KeyringProvider

_NAMES = (".netrc", "_netrc")
_HINT = "correct the file, name another in NETRC, or leave it unread with --isolated"


@dataclass(frozen=True, kw_only=True, slots=True)
class NetrcEntry:
    """One host's login."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Netrc:
    """The entries of a netrc file.

    :param default: of hosts that aren't named
    """

    entries: Mapping[str, NetrcEntry] = field(default_factory=dict)
    default: NetrcEntry | None = None

    def find(self, host: str) -> NetrcEntry | None:
        """The login for a host, in lower case."""
        return self.entries.get(host, self.default)


def read_netrc(environment: Mapping[str, str]) -> Netrc:
    """Read the file that ``NETRC`` names, else ``.netrc`` or ``_netrc`` of the home folder.

    A file that isn't there has no entries, unless ``NETRC`` names it.

    :raises InputError: if it can't be read or parsed; it names file and line
    """
    named = environment.get("NETRC")
    if named:
        return _read(Path(named))
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if home:
        for name in _NAMES:
            path = Path(home) / name
            if os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises in a closed home
                return _read(path)
    return Netrc()


def _read(path: Path) -> Netrc:
    try:
        parsed = netrc.netrc(path)
    except netrc.NetrcParseError as error:
        # its message may quote a word of the file, which may be a password
        raise _unreadable(path, "it isn't in the form of netrc", error.lineno) from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it isn't UTF-8") from error
    except OSError as error:
        raise _unreadable(path, error.strerror or "it can't be read") from error
    entries = {
        host.lower(): NetrcEntry(user=login or "", password=password or "")
        for host, (login, _account, password) in parsed.hosts.items()
    }
    return Netrc(entries=entries, default=entries.pop("default", None))


def _unreadable(path: Path, problem: str, line: int | None = None) -> InputError:
    place = str(path) if line is None else f"{path}:{line}"
    return InputError(f"netrc can't be read: {problem}", context=(place,), hint=_HINT)


_PORTS = {"http": 80, "https": 443}
_KEYRING_PATIENCE = 60  # seconds; a locked keyring may wait for its user


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A user and a password, the latter hidden from ``repr``."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Server:
    """Scheme, lower-case host and effective port: a border that credentials never cross."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A URL that the user named: without user information, and what that said."""

    url: str
    server: _Server
    path: str
    user: str | None
    password: str | None


class Credentials:
    """Finds the login for a URL. Safe to call from several threads; each source is asked once.

    :param urls: what the user named: indexes, find-links, direct URLs
    :param environment: the environment variables, for netrc and for starting ``keyring``
    :param keyring: ``subprocess`` asks the ``keyring`` program where only a user name is known
    :param isolated: look at the URLs only
    """

    def __init__(
        self,
        urls: Iterable[str],
        environment: Mapping[str, str],
        *,
        keyring: KeyringProvider = "disabled",
        isolated: bool = False,
    ) -> None:
        self._places = tuple(place for place in map(_read_place, urls) if place is not None)
        self._environment = environment
        self._asks_keyring = keyring == "subprocess" and not isolated
        self._isolated = isolated
        self._lock = threading.Lock()
        self._netrc: Netrc | None = None
        self._found: dict[_Place, Login | None] = {}

    def find(self, url: str) -> tuple[str, str] | None:
        """Return user and password for *url*; None for a server that the user didn't name.

        :raises InputError: if netrc can't be read, or ``keyring`` can't be started
        """
        login = self.find_login(url)
        return None if login is None else (login.user, login.password)

    def find_login(self, url: str) -> Login | None:
        """As :meth:`find`, with the password hidden from ``repr``.

        :raises InputError: if netrc can't be read, or ``keyring`` can't be started
        """
        wanted = _read_place(url)
        if wanted is None:
            return None
        near = [place for place in self._places if place.server == wanted.server]
        if not near:
            return None
        if wanted.user and wanted.password is not None:
            return Login(user=wanted.user, password=wanted.password)
        place = max(near, key=lambda each: _nearness(each, wanted))
        with self._lock:
            if place not in self._found:
                self._found[place] = self._look_up(place)
            return self._found[place]

    def _look_up(self, place: _Place) -> Login | None:
        if place.user is not None and place.password is not None:
            return Login(user=place.user, password=place.password)
        if not self._isolated:
            login = self._from_netrc(place) or self._from_keyring(place)
            if login is not None:
                return login
        return Login(user=place.user, password="") if place.user else None

    def _from_netrc(self, place: _Place) -> Login | None:
        if self._netrc is None:
            self._netrc = read_netrc(self._environment)
        entry = self._netrc.find(place.server.host)
        if entry is None or place.user not in {None, entry.user}:
            return None
        return Login(user=entry.user, password=entry.password)

    def _from_keyring(self, place: _Place) -> Login | None:
        """Ask for the index, then for its host, as pip does."""
        if not self._asks_keyring or not place.user or place.user.startswith("-"):
            return None  # a dash in front would make an option of the name
        host = place.server.host
        if place.server.port != _PORTS.get(place.server.scheme):
            host = f"{host}:{place.server.port}"
        for service in (place.url, host):
            password = ask_keyring(service, place.user, self._environment)
            if password is not None:
                return Login(user=place.user, password=password)
        return None


def ask_keyring(service: str, user: str, environment: Mapping[str, str]) -> str | None:
    """Ask ``keyring get SERVICE USER``; None if it knows no password.

    :raises InputError: if there is no such program, or it doesn't end
    """
    try:
        done = subprocess.run(  # noqa: S603 -- asked for by the user; no shell is involved
            [_find_program("keyring", environment), "get", service, user],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, "PYTHONIOENCODING": "utf-8"},
            timeout=_KEYRING_PATIENCE,
            check=False,
        )
    except OSError as error:
        raise InputError(
            "the keyring program can't be started",
            context=(redact(service), error.strerror or type(error).__name__),
            hint="install it (pipx install keyring), or leave out the keyring provider",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"the keyring program didn't answer in {_KEYRING_PATIENCE} seconds",
            context=(redact(service),),
            hint="unlock the keyring first, or leave out the keyring provider",
        ) from error
    if done.returncode:
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\r\n") or None


def _find_program(name: str, environment: Mapping[str, str]) -> str:
    import shutil  # noqa: PLC0415 -- only needed here, and rarely

    found = shutil.which(name, path=environment.get("PATH", os.defpath))
    if found is None:
        raise FileNotFoundError(2, f"there is no {name} on PATH")
    return found


def _read_place(url: str) -> _Place | None:
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
    bare = SplitResult(parts.scheme, host, parts.path, parts.query, "")
    return _Place(
        url=urlunsplit(bare),
        server=_Server(scheme=scheme, host=parts.hostname.lower(), port=port or _PORTS[scheme]),
        path=parts.path,
        user=unquote(user) if at else None,
        password=unquote(password) if colon else None,
    )


def _nearness(place: _Place, wanted: _Place) -> tuple[int, bool]:
    """How many folders two URLs share; of equals, one that says who is better."""
    pairs = zip(place.path.split("/"), wanted.path.split("/"), strict=False)
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return len(list(shared)), place.user is not None
