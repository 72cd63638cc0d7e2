"""Which native binaries of a bundle will be loaded on the target, and which fit it.

Packages carry binaries that nobody loads: launchers for Windows, the same helper for each
platform, an extension module once for each Python. A foreign binary is wrong only where the target
would load it.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from crossdeps.verify.extension_names import ExtensionName, parse_extension_name

if TYPE_CHECKING:
    from crossdeps.binaries import BinaryFacts
    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target import LibcKind, Target

# fits: loads on the target's machine; foreign: would be loaded, and can't be; unimportable: right
# machine, wrong name; damaged: can't be read; unused: nothing on the target loads it
Standing = Literal["fits", "foreign", "unimportable", "damaged", "unused"]

# Code for other processors than the one that runs Python: GPU kernels, eBPF programs.
_DEVICE_CODE = frozenset({"cuda", "amdgpu", "bpf"})
_LOADED_KINDS = frozenset({"shared", "executable"})

# What people call a platform in the name of a file or a folder.
_SPELLINGS = {
    "x86_64": r"x86[_-]64|amd64|x64|64|64bit",
    "aarch64": r"aarch64|arm64|armv8a?",
    "i386": r"i[3-6]86|x86(?![_-]64)|ia32|32|32bit",
    "arm": r"arm(?:v[5-7]\w*|hf|el|32)?",
}
_MUSL = r"musl(?:linux)?|alpine"
_LIBRARY = re.compile(r"\.so(\.\d+)*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class NativeFile:
    """A native binary of the bundle.

    :param path: relative to where packages lie
    :param extension: what its name says, where an import statement could mean it
    """

    entry: Entry
    facts: BinaryFacts
    path: str
    standing: Standing
    extension: ExtensionName | None = None

    @property
    def group(self) -> tuple[str, str] | None:
        """(folder, module): variants of one extension module share it."""
        if self.extension is None:
            return None
        return posixpath.dirname(self.path), self.extension.module


def judge(bundle: Bundle, target: Target) -> tuple[NativeFile, ...]:
    """Every native binary under the bundle's prefix, in path order, with its standing."""
    natives = [
        _alone(entry, entry.binary, entry.path[len(bundle.prefix) :], target)
        for entry in bundle.entries
        if entry.binary is not None and entry.path.startswith(bundle.prefix)
    ]
    paths = {entry.path for entry in bundle.entries}
    fitting_owners = {native.entry.owner for native in natives if native.standing == "fits"}
    fitting_owners |= {
        project.name
        for project in bundle.projects
        if project.wheel_tags and all(tag.endswith("-none-any") for tag in project.wheel_tags)
    }
    groups: dict[tuple[str, str], bool] = defaultdict(bool)
    for native in natives:
        if native.group:
            groups[native.group] |= native.standing == "fits"
    return tuple(
        replace(native, standing="unused")
        if native.standing in {"foreign", "unimportable"}
        and (
            (native.group is not None and (groups[native.group] or _has_source(native, paths)))
            or (native.entry.owner in fitting_owners and _names_its_platform(native))
        )
        else native
        for native in natives
    )


def linked_libc(facts: BinaryFacts) -> LibcKind | None:
    """The C library that an ELF file was linked with; None where it needs none."""
    interpreter = facts.interpreter or ""
    if "/ld-musl-" in interpreter or any(
        name.startswith("libc.musl-") or name == "libc.so" for name in facts.needed
    ):
        return "musl"
    if "/ld-linux" in interpreter or "libc.so.6" in facts.needed:
        return "glibc"
    return None


def _alone(entry: Entry, facts: BinaryFacts, path: str, target: Target) -> NativeFile:
    extension = parse_extension_name(posixpath.basename(path))
    standing: Standing = "unused"
    if facts.format != "elf":
        # A .dll, .dylib or .exe is loaded by nobody on Linux; an extension module would be.
        standing = "foreign" if extension else "unused"
    elif facts.problem:
        standing = "damaged" if _LIBRARY.search(path) else "unused"
    elif facts.kind in _LOADED_KINDS and facts.machine not in _DEVICE_CODE:
        standing = _loaded(facts, path, extension, target)
    return NativeFile(entry=entry, facts=facts, path=path, extension=extension, standing=standing)


def _loaded(
    facts: BinaryFacts, path: str, extension: ExtensionName | None, target: Target
) -> Standing:
    if (facts.machine, facts.bits, facts.little_endian) != (target.arch, 64, True):
        return "foreign"
    if extension and not extension.importable_by(target):
        return "unimportable"
    if linked_libc(facts) == "musl" and target.libc.kind == "glibc" and _mentions(path, _MUSL):
        return "unused"
    return "fits"


def _has_source(native: NativeFile, paths: set[str]) -> bool:
    """Whether the module is there in Python too: a compiled module that only speeds it up."""
    if native.extension is None:
        return False
    folder = posixpath.dirname(native.entry.path)
    return posixpath.join(folder, f"{native.extension.module}.py") in paths


def _names_its_platform(native: NativeFile) -> bool:
    """Whether the path says for which other machine the file is, as sets of helpers do."""
    path = native.path
    if path.endswith(".pyd"):
        return True
    if native.extension and native.extension.tag:
        path = posixpath.join(posixpath.dirname(path), native.extension.module)
    spelling = _SPELLINGS.get(native.facts.machine, re.escape(native.facts.machine))
    return _mentions(path, spelling)


def _mentions(path: str, spelling: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{spelling})(?![a-z0-9])", path.lower()) is not None
