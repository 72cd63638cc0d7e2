"""Which native binaries of a bundle the target would load, and whether it can.

Packages carry binaries that are never loaded: launchers for Windows, the same helper for each
platform, an extension module for each Python. A foreign binary is a problem only where the target
would load it.

Sources: PEP 3149 (ABI version tagged .so files); PEP 425 for the ``.pyd`` files of Windows.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target.model import Target
    from crossdeps.target.platforms import LibcKind

# Patterns are text: ``re`` compiles them on first use, which a bundle without binaries never has.
_FILENAME = r"(?P<module>[A-Za-z_]\w*)(?:\.(?P<tag>[A-Za-z0-9_-]+))?\.(?:so|pyd)"
_TAG = (
    r"abi3t?"
    r"|(?P<implementation>cpython|pypy|graalpy)-?(?P<python>\d+[a-z]*)(?:-(?P<platform>.+))?"
    r"|cp(?P<windows>\d+[a-z]*)-(?P<windows_platform>win\w+)"
)
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class ExtensionName(msgspec.Struct, frozen=True, kw_only=True):
    """The parsed file name of an extension module.

    :param module: name of the module
    :param tag: ``abi3``, ``cpython-311-x86_64-linux-gnu``; empty for a bare ``.so``
    :param python: ``311``, ``313t``; empty if the tag names none
    :param platform: ``x86_64-linux-gnu``, ``darwin``; empty if the tag names none
    """

    module: str
    tag: str = ""
    implementation: str = ""
    python: str = ""
    platform: str = ""

    def is_importable_by(self, target: Target) -> bool:
        """Whether the target's import system looks for a file of this name.

        CPython on Linux looks for its own tag, for ``abi3`` (not in the free-threaded build) and
        for the bare suffix.
        """
        if not self.tag:
            return True
        if self.tag == "abi3":
            return not target.free_threaded
        if self.tag == "abi3t":
            return target.python_version >= (3, 15)
        platforms = {f"{target.arch}-linux-gnu"}
        if target.libc.kind == "musl":
            # CPython also used "gnu" for musl before its build distinguished the two.
            platforms.add(f"{target.arch}-linux-musl")
        return (
            self.implementation == "cpython"
            and self.python == target.abi.removeprefix("cp")
            and self.platform in platforms
        )

    def describe(self) -> str:
        """Describe what the module was built for, such as ``CPython 3.11 on x86_64-linux-gnu``."""
        if self.tag in {"abi3", "abi3t"}:
            return f"the stable ABI ({self.tag})"
        digits = re.fullmatch(r"(\d)(\d+)([a-z]*)", self.python)
        version = f" {digits[1]}.{digits[2]}{digits[3]}" if digits else ""
        name = f"{_IMPLEMENTATIONS.get(self.implementation, 'another Python')}{version}"
        return f"{name} on {self.platform}" if self.platform else name


def parse_extension_name(filename: str) -> ExtensionName | None:
    """Parse *filename*, given without folders; None if it isn't the name of an extension module."""
    match = re.fullmatch(_FILENAME, filename)
    if match is None:
        return None
    if match["tag"] is None:
        return ExtensionName(module=match["module"])
    tag = re.fullmatch(_TAG, match["tag"])
    if tag is None:
        return None
    return ExtensionName(
        module=match["module"],
        tag=match["tag"],
        implementation=tag["implementation"] or ("cpython" if tag["windows"] else ""),
        python=tag["python"] or tag["windows"] or "",
        platform=tag["platform"] or tag["windows_platform"] or "",
    )


# compatible: loads on the target; foreign: would be loaded, and is for another machine or system;
# unimportable: for the right machine, but Python doesn't look for its name; damaged: cannot be
# read; unused: nothing on the target loads it
LoadStatus = Literal["compatible", "foreign", "unimportable", "damaged", "unused"]

# Code for processors other than the one that runs Python: GPU kernels, eBPF programs.
_DEVICE_MACHINES = frozenset({"cuda", "amdgpu", "bpf"})

# Spellings of a platform in the names of files and folders.
_MACHINE_SPELLINGS = {
    "x86_64": r"x86[_-]64|amd64|x64|64|64bit",
    "aarch64": r"aarch64|arm64|armv8a?",
    "i386": r"i[3-6]86|x86(?![_-]64)|ia32|32|32bit",
    "arm": r"arm(?:v[5-7]\w*|hf|el|32)?",
}
_MUSL_SPELLINGS = r"musl(?:linux)?|alpine"


class NativeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A native binary of the bundle.

    :param path: path relative to the bundle's prefix
    :param extension: the parsed file name, if it is that of an extension module
    """

    entry: Entry
    facts: BinaryFacts
    path: str
    load_status: LoadStatus
    extension: ExtensionName | None = None

    @property
    def module_path(self) -> str | None:
        """Path of the extension module without suffix and tag; None if it isn't one."""
        if self.extension is None:
            return None
        return posixpath.join(posixpath.dirname(self.path), self.extension.module)


def classify_binaries(bundle: Bundle, target: Target) -> tuple[NativeFile, ...]:
    """Return every native binary under the bundle's prefix, in path order, with its load status."""
    natives = [
        _classify(entry, entry.binary, entry.path[len(bundle.prefix) :], target)
        for entry in bundle.entries
        if entry.binary is not None and entry.path.startswith(bundle.prefix)
    ]
    if not natives:
        return ()
    paths = {entry.path for entry in bundle.entries}
    # Projects that work on the target without their foreign binaries, and modules that have a
    # variant for it.
    usable_owners = {native.entry.owner for native in natives if native.load_status == "compatible"}
    usable_owners |= {
        project.name
        for project in bundle.projects
        if project.wheel_tags and all(tag.endswith("-none-any") for tag in project.wheel_tags)
    }
    usable_modules = {
        native.module_path for native in natives if native.load_status == "compatible"
    }

    def is_unused(native: NativeFile) -> bool:
        if native.load_status not in {"foreign", "unimportable"}:
            return False
        module = native.module_path
        # A compiled module may only speed up one that is also there as source.
        if module and (module in usable_modules or f"{bundle.prefix}{module}.py" in paths):
            return True
        return native.entry.owner in usable_owners and _names_its_platform(native)

    return tuple(
        msgspec.structs.replace(native, load_status="unused") if is_unused(native) else native
        for native in natives
    )


def linked_libc(facts: BinaryFacts) -> LibcKind | None:
    """The C library that an ELF file was linked with; None if it needs none."""
    interpreter = facts.interpreter or ""
    if "/ld-musl-" in interpreter or any(
        name.startswith("libc.musl-") or name == "libc.so" for name in facts.needed
    ):
        return "musl"
    if "/ld-linux" in interpreter or "libc.so.6" in facts.needed:
        return "glibc"
    return None


def _classify(entry: Entry, facts: BinaryFacts, path: str, target: Target) -> NativeFile:
    """Classify a binary without regard to the other files of the bundle."""
    extension = parse_extension_name(posixpath.basename(path))
    status: LoadStatus = "unused"
    if facts.format != "elf":
        # Nothing on Linux loads a .dll, .dylib or .exe, but Python would load an extension module.
        status = "foreign" if extension else "unused"
    elif facts.problem:
        status = "damaged" if re.search(r"\.so(\.\d+)*$", path) else "unused"
    elif facts.kind in {"shared", "executable"} and facts.machine not in _DEVICE_MACHINES:
        status = _classify_loaded(facts, path, extension, target)
    return NativeFile(entry=entry, facts=facts, path=path, extension=extension, load_status=status)


def _classify_loaded(
    facts: BinaryFacts, path: str, extension: ExtensionName | None, target: Target
) -> LoadStatus:
    if (facts.machine, facts.bits, facts.little_endian) != (target.arch, 64, True):
        return "foreign"
    if extension and not extension.is_importable_by(target):
        return "unimportable"
    is_musl_on_glibc = target.libc.kind == "glibc" and linked_libc(facts) == "musl"
    return "unused" if is_musl_on_glibc and _mentions(path, _MUSL_SPELLINGS) else "compatible"


def _names_its_platform(native: NativeFile) -> bool:
    """Whether the path names the other platform that the file is for, as sets of helpers do."""
    if native.path.endswith(".pyd"):
        return True
    has_tag = native.extension is not None and native.extension.tag
    path = native.module_path if has_tag else native.path
    machine = native.facts.machine
    return _mentions(path or "", _MACHINE_SPELLINGS.get(machine, re.escape(machine)))


def _mentions(path: str, spelling: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{spelling})(?![a-z0-9])", path.lower()) is not None
