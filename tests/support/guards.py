"""Walls around a test: no network beyond loopback, no other programs, nothing of the user's."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

_INDEX_SETTINGS = (
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NETRC",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
_INDEX_PREFIXES = ("PIP_", "UV_")
_USER_SETTINGS = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "CONDA_PREFIX",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "PYTHONHASHSEED",
    "SOURCE_DATE_EPOCH",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "VIRTUAL_ENV",
)
_USER_PREFIXES = ("AWS_", "CROSSDEPS_", "XDG_")
_KEPT = ("CROSSDEPS_TEST_CACHE", "CROSSDEPS_REQUIRE_EMULATION")


class OutsideWorldError(AssertionError):
    """A test reached for something that it isn't marked for."""


def clear_environment(patch: pytest.MonkeyPatch, home: Path, *, keep_index: bool) -> None:
    """Give a test an environment of its own: a home, caches, and nobody's settings.

    :param keep_index: leave alone what tells how to reach the package index: pip's variables and
        configuration files (so the home too), proxies, certificates
    """
    for name in list(os.environ):
        mine = name in _USER_SETTINGS or name.startswith(_USER_PREFIXES)
        pips = name.upper() in _INDEX_SETTINGS or name.startswith(_INDEX_PREFIXES)
        pips = pips or (keep_index and name.startswith("XDG_CONFIG"))
        if name not in _KEPT and ((mine and not pips) or (pips and not keep_index)):
            patch.delenv(name)
    patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    if keep_index:
        return
    if "PYENV_ROOT" not in os.environ and (pyenv := os.path.expanduser("~/.pyenv")):  # noqa: PTH111
        patch.setenv("PYENV_ROOT", pyenv)  # its shims look beside the home that we take away
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("HOME", str(home))
    patch.setenv("USERPROFILE", str(home))
    for name, folder in (("CONFIG", ".config"), ("DATA", ".local/share"), ("STATE", ".state")):
        patch.setenv(f"XDG_{name}_HOME", str(home / folder))


def forbid_network(patch: pytest.MonkeyPatch) -> None:
    """Let sockets reach loopback only; names are not looked up, ``.invalid`` ones don't exist."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        name = host.decode() if isinstance(host, bytes) else host
        if isinstance(name, str) and name.rstrip(".").endswith(".invalid"):  # RFC 6761, 6.4
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        _check_host(name)
        return look_up(host, *args, **options)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    for method in ("connect", "connect_ex"):
        patch.setattr(socket.socket, method, _checked(getattr(socket.socket, method)))
    patch.setattr(socket.socket, "sendto", _checked(socket.socket.sendto))


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(connection: socket.socket, *args: Any) -> Any:  # noqa: ANN401
        if connection.family in {socket.AF_INET, socket.AF_INET6} and isinstance(args[-1], tuple):
            _check_host(args[-1][0])
        return method(connection, *args)

    return call


def _check_host(host: str | None) -> None:
    if host in {None, "", "localhost", "ip6-localhost"}:
        return
    try:
        if ipaddress.ip_address(str(host).partition("%")[0]).is_loopback:
            return
    except ValueError:
        pass
    raise OutsideWorldError(
        f"this test asked for {host}, and only loopback is allowed:"
        " serve it with tests.support.index_server, or mark the test `network`"
    )


def forbid_programs(patch: pytest.MonkeyPatch) -> None:
    """Let nothing start another program."""

    def refuse(*args: object, **_options: object) -> NoReturn:
        asked = [each for each in args if not isinstance(each, subprocess.Popen)]
        raise OutsideWorldError(
            f"this test started a program ({', '.join(map(repr, asked))}):"
            " mark it `subprocess` if it must"
        )

    patch.setattr(subprocess.Popen, "__init__", refuse)
    patch.setattr(subprocess.Popen, "__del__", lambda _: None)  # it would miss what __init__ sets
    for name in ("system", "posix_spawn", "posix_spawnp", "fork", "forkpty"):
        if hasattr(os, name):
            patch.setattr(os, name, refuse)
