"""Symbol versions that the target's libraries are too old to have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.target import RUNTIMES
from crossdeps.verify.images import symbol_floors
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.verify.images import VersionNumber
    from crossdeps.verify.native import NativeFile
    from crossdeps.verify.scene import Scene

GLIBC_TOO_OLD = Rule(
    id="glibc-too-old",
    severity="error",
    title="a binary that needs a newer glibc than the target has",
    symptom="Import fails: `/lib64/libc.so.6: version 'GLIBC_2.28' not found`.",
    cause=(
        "The binary was linked on a newer system than the target: a wheel for a newer manylinux,"
        " or a local build."
    ),
    remedy=(
        "Build for the target, so that a wheel for its glibc is chosen; or move to a runtime with"
        " a newer one (python3.12 and later have glibc 2.34)."
    ),
)
SYMBOL_TOO_NEW = Rule(
    id="symbol-version-too-new",
    severity="error",
    title="a binary that needs newer GCC runtime libraries or zlib than the target has",
    symptom="Import fails: `libstdc++.so.6: version 'GLIBCXX_3.4.29' not found`, or CXXABI, GCC.",
    cause=(
        "The binary was compiled by a newer GCC than the one whose libraries the target has, and"
        " the libraries aren't in the package."
    ),
    remedy=(
        "Take a wheel that follows the manylinux policy of the target, or put the newer library"
        " into the package as auditwheel does."
    ),
)

_VERSION = re.compile(r"(?P<family>[A-Z]+)_(?P<number>\d+(?:\.\d+)*)")
# Marks that glibc has beside its numbered versions, and the first version that has each.
_GLIBC_MARKS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_GNU2_TLS": (2, 42)}


def check_symbol_versions(scene: Scene) -> Iterator[Finding]:
    """Every symbol version that a binary needs is one that the target has."""
    floors = symbol_floors(scene.target)
    for native in scene.natives if floors else ():
        if native.standing != "fits":
            continue
        for family, (number, name, library) in sorted(_newest(scene, native).items()):
            if number <= floors.get(family, number):
                continue
            if family == "GLIBC":
                yield GLIBC_TOO_OLD.finding(
                    f"{native.path} needs {name} from {library};"
                    f" the target has {scene.target.libc}",
                    path=native.entry.path,
                    owner=native.entry.owner,
                    hint=_glibc_hint(scene, number),
                )
            else:
                floor = ".".join(str(part) for part in floors[family])
                yield SYMBOL_TOO_NEW.finding(
                    f"{native.path} needs {name} from {library};"
                    f" the target's has versions up to {family}_{floor}",
                    path=native.entry.path,
                    owner=native.entry.owner,
                    hint=f"build for the target: {scene.build_command}",
                )


def _newest(scene: Scene, native: NativeFile) -> dict[str, tuple[VersionNumber, str, str]]:
    """The newest version of each family that isn't met by a library of the bundle itself."""
    newest: dict[str, tuple[VersionNumber, str, str]] = {}
    for library, names in native.facts.versions:
        if library in scene.libraries:
            continue
        for name in names:
            parsed = _parse(name)
            if parsed is None:
                continue
            family, number = parsed
            newest[family] = max(newest.get(family, ((), "", "")), (number, name, library))
    return newest


def _parse(name: str) -> tuple[str, VersionNumber] | None:
    if name in _GLIBC_MARKS:
        return "GLIBC", _GLIBC_MARKS[name]
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    return match["family"], tuple(int(part) for part in match["number"].split("."))


def _glibc_hint(scene: Scene, number: VersionNumber) -> str:
    build = f"build for the target: {scene.build_command}"
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if runtime.libc.version >= number and scene.target.arch in runtime.architectures
    ]
    if scene.target.runtime_name and runtimes:
        return f"{build}; or move to {runtimes[0]} or later, whose glibc is new enough"
    return build
