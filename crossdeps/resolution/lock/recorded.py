"""What a lock of crossdeps records of its making, under ``tool.crossdeps``.

It decides about nothing that is installed (PEP 751, "tool"): it is for a lock that is made again,
and for what markers cannot express.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.errors import TargetError
from crossdeps.target.model import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.pylock import Pylock

_TOOL = "crossdeps"


def record(requirements: Iterable[str], targets: Sequence[Target]) -> dict[str, Any]:
    """The tool tables of a lock that is made of *requirements* for *targets*."""
    return {
        _TOOL: {
            "requirements": sorted(requirements),
            "targets": [_target_table(target) for target in targets],
        }
    }


def read_recorded_requirements(lock: Pylock) -> tuple[str, ...]:
    """The requirements that a lock was made from, as far as it records them."""
    return tuple(map(str, _read_list(lock, "requirements")))


def read_recorded_targets(lock: Pylock) -> tuple[Target, ...]:
    """The targets that a lock was made for, as far as it records them and they are known."""
    tables = _read_list(lock, "targets")
    targets = [_parse_target(each) for each in tables if isinstance(each, dict)]
    return tuple(target for target in targets if target is not None)


def _read_list(lock: Pylock, key: str) -> list[Any]:
    table = (lock.tool or {}).get(_TOOL)
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, list) else []


def _target_table(target: Target) -> dict[str, Any]:
    table = {
        "python": target.python,
        "arch": target.arch,
        "abi": target.abi,
        "libc": str(target.libc),
        "platforms": list(target.platforms),
        "runtime": target.runtime_name,
    }
    return {key: value for key, value in table.items() if value}


def _parse_target(table: Mapping[str, Any]) -> Target | None:
    """What :func:`_target_table` wrote; None if it is not valid, or unknown here."""
    python, arch, abi = (str(table.get(key, "")) for key in ("python", "arch", "abi"))
    kind, _, version = str(table.get("libc", "")).partition(" ")
    platforms = table.get("platforms")
    try:
        if table.get("runtime"):
            return Target.runtime(str(table["runtime"]), arch=arch, python=python)
        if isinstance(platforms, list) and platforms:
            return Target(python=python, arch=arch, abi=abi, platforms=tuple(map(str, platforms)))
        glibc, musl = (version if kind == each else None for each in ("glibc", "musl"))
        return Target(python=python, arch=arch, abi=abi, glibc=glibc, musl=musl)
    except TargetError:
        return None
