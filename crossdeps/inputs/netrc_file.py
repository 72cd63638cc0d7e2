"""netrc: logins by host, as curl, requests and pip read them."""

from __future__ import annotations

import netrc
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
