"""Wrong answers to every question about the host, so that asking shows."""

from __future__ import annotations

import platform
import sys
import sysconfig
from typing import TYPE_CHECKING, NoReturn

import packaging.markers
import packaging.tags

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

POISONS = ("elsewhere", "raising")
"""``elsewhere``: a consistent, foreign machine; ``raising``: nonsense, and errors where it can."""

_ENVIRONMENTS: dict[str, dict[str, str]] = {
    "elsewhere": {
        "implementation_name": "pypy",
        "implementation_version": "7.3.99",
        "os_name": "nt",
        "platform_machine": "ARM64",
        "platform_python_implementation": "PyPy",
        "platform_release": "95",
        "platform_system": "Windows",
        "platform_version": "4.00.950",
        "python_full_version": "3.7.99",
        "python_version": "3.7",
        "sys_platform": "win32",
    },
    "raising": {
        "implementation_name": "poison",
        "implementation_version": "0.0.1",
        "os_name": "poison",
        "platform_machine": "poison",
        "platform_python_implementation": "Poison",
        "platform_release": "poison",
        "platform_system": "Poison",
        "platform_version": "poison",
        "python_full_version": "99.0.0",
        "python_version": "99.0",
        "sys_platform": "poison",
    },
}
_PLATFORM_FUNCTIONS = (
    "architecture",
    "libc_ver",
    "mac_ver",
    "machine",
    "node",
    "platform",
    "processor",
    "python_implementation",
    "python_version",
    "python_version_tuple",
    "release",
    "system",
    "uname",
    "version",
)
_TAG_FUNCTIONS = ("interpreter_name", "interpreter_version", "platform_tags", "sys_tags")


class HostAskedError(AssertionError):
    """The code under test asked the host."""


def poison_host(patch: pytest.MonkeyPatch, poison: str) -> None:
    """Poison the host's answers; *poison* is one of ``POISONS``.

    ``packaging.markers.default_environment`` never raises: ``Marker.evaluate`` calls it even when
    it is given an environment, and a complete one hides every answer.
    """
    environment = _ENVIRONMENTS[poison]
    patch.setattr(packaging.markers, "default_environment", lambda: dict(environment))
    if poison == "raising":
        _poison_by_errors(patch)
    else:
        _poison_by_lies(patch, environment)
    patch.setattr(sys, "platform", environment["sys_platform"] if poison == "raising" else "cygwin")


def _poison_by_errors(patch: pytest.MonkeyPatch) -> None:
    for name in _PLATFORM_FUNCTIONS:
        patch.setattr(platform, name, _refusal(f"platform.{name}"))
    for name in _TAG_FUNCTIONS:
        patch.setattr(packaging.tags, name, _refusal(f"packaging.tags.{name}"))
    patch.setattr(sysconfig, "get_platform", _refusal("sysconfig.get_platform"))


def _poison_by_lies(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    answers = {
        "architecture": ("32bit", "WindowsPE"),
        "libc_ver": ("glibc", "1.0"),
        "mac_ver": ("10.1", ("", "", ""), "ppc"),
        "machine": environment["platform_machine"],
        "node": "elsewhere",
        "platform": "Windows-95-4.00.950",
        "processor": "i386",
        "python_implementation": environment["platform_python_implementation"],
        "python_version": environment["python_full_version"],
        "python_version_tuple": tuple(environment["python_full_version"].split(".")),
        "release": environment["platform_release"],
        "system": environment["platform_system"],
        "uname": platform.uname_result("Windows", "elsewhere", "95", "4.00.950", "ARM64"),
        "version": environment["platform_version"],
    }
    for name in _PLATFORM_FUNCTIONS:
        patch.setattr(platform, name, _lie(answers[name]))
    tag = packaging.tags.Tag("pp37", "pypy37_pp73", "win_arm64")
    lies = {
        "interpreter_name": "pp",
        "interpreter_version": "37",
        "platform_tags": ("win_arm64",),
        "sys_tags": (tag,),
    }
    for name, value in lies.items():
        patch.setattr(packaging.tags, name, _lie(value))
    patch.setattr(sysconfig, "get_platform", _lie("win-arm64"))


def _lie(value: object) -> Callable[..., object]:
    return lambda *_args, **_options: value


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise HostAskedError(f"{name}() was asked: the target decides, never the host")

    return refuse
