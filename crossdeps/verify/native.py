"""File names of extension modules: which module, for which Python.

Source: PEP 3149 (ABI version tagged .so files) and PEP 425 for Windows' ``.pyd``.

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

if TYPE_CHECKING:
    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target.model import Target
    from crossdeps.target.platforms import LibcKind

_NAME = re.compile(r"(?P<module>[A-Za-z_]\w*)(?:\.(?P<tag>[A-Za-z0-9_-]+))?\.(?:so|pyd)")
_TAG = re.compile(
    r"""abi3t?
      | (?P<implementation>cpython|pypy|graalpy)-?(?P<python>\d+[a-z]*)(?:-(?P<platform>.+))?
      | cp(?P<windows>\d+[a-z]*)-(?P<windows_platform>win\w+)
    """,
    re.VERBOSE,
)
_GNU = "linux-gnu"
_MUSL = "linux-musl"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionName:
    """What the file name of an extension module says.

    :param module: the module's own name
    :param tag: ``abi3``, ``cpython-311-x86_64-linux-gnu``, or empty for a bare ``.so``
    :param python: ``311``, ``313t``; empty where the tag names none
    :param platform: ``x86_64-linux-gnu``, ``darwin``; empty where the tag names none
    """

    module: str
    tag: str = ""
    implementation: str = ""
    python: str = ""
    platform: str = ""

    def importable_by(self, target: Target) -> bool:
        """Whether the target's import system looks for a file of this name.

        Every CPython on Linux looks for its own tag, for ``abi3`` (which a free-threaded one
        doesn't have) and for the bare suffix.
        """
        if not self.tag:
            return True
        if self.tag == "abi3":
            return not target.free_threaded
        if self.tag == "abi3t":
            return target.python_version >= (3, 15)
        return (
            self.implementation == "cpython"
            and self.python == target.abi.removeprefix("cp")
            and self.platform in _platforms(target)
        )

    @property
    def describe(self) -> str:
        """What the name says it is for, such as ``CPython 3.11 on x86_64-linux-gnu``."""
        if self.tag in {"abi3", "abi3t"}:
            return f"the stable ABI ({self.tag})"
        spelled = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
        digits = re.fullmatch(r"(\d)(\d+)([a-z]*)", self.python)
        version = f" {digits[1]}.{digits[2]}{digits[3]}" if digits else ""
        name = f"{spelled.get(self.implementation, 'another Python')}{version}"
        return f"{name} on {self.platform}" if self.platform else name


def _platforms(target: Target) -> tuple[str, ...]:
    gnu = f"{target.arch}-{_GNU}"
    if target.libc.kind == "glibc":
        return (gnu,)
    # CPython called musl "gnu" too before its build told the two apart.
    return (f"{target.arch}-{_MUSL}", gnu)


def parse_extension_name(filename: str) -> ExtensionName | None:
    """What *filename* says, or None where no import statement could mean it.

    :param filename: without folders
    """
    match = _NAME.fullmatch(filename)
    if match is None:
        return None
    if match["tag"] is None:
        return ExtensionName(module=match["module"])
    tag = _TAG.fullmatch(match["tag"])
    if tag is None:
        return None
    return ExtensionName(
        module=match["module"],
        tag=match["tag"],
        implementation=tag["implementation"] or ("cpython" if tag["windows"] else ""),
        python=tag["python"] or tag["windows"] or "",
        platform=tag["platform"] or tag["windows_platform"] or "",
    )


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
_MUSL_NAMES = r"musl(?:linux)?|alpine"
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
    if (
        linked_libc(facts) == "musl"
        and target.libc.kind == "glibc"
        and _mentions(path, _MUSL_NAMES)
    ):
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
