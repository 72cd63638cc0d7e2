"""Which native binaries of a bundle the target would load, and whether it can.

Packages carry binaries that are never loaded: launchers for Windows, the same helper for each
platform, an extension module for each Python. A foreign binary is a problem only where the target
would load it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.binaries.model import BinaryFacts, describe_other_content
from crossdeps.bundle.model import VERSIONED_ROOT, import_roots
from crossdeps.verify.extension_names import ExtensionName, parse_extension_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target.model import Target
    from crossdeps.target.platforms import LibcKind

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


# Where Lambda unpacks the function, and its layers.
FUNCTION_ROOT = "/var/task"
LAYER_ROOT = "/opt"
_LIBRARY = r"\.so(\.\d+)*$"
_HEAD_SIZE = 4096


class NativeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A native binary of the function or of a layer, or what is in place of one.

    :param path: path relative to the bundle's prefix; to the layer's root, for one of a layer
    :param location: absolute path on the target
    :param folder: path of the folder relative to a directory on ``sys.path``
    :param extension: the parsed file name, if it is that of an extension module
    :param layer: name of the layer; empty for the function's
    """

    entry: Entry
    facts: BinaryFacts
    path: str
    location: str
    folder: str
    load_status: LoadStatus
    extension: ExtensionName | None = None
    layer: str = ""

    @property
    def label(self) -> str:
        """The path, for messages."""
        return f"{self.path} in the layer {self.layer}" if self.layer else self.path

    @property
    def library_name(self) -> str:
        """The name by which others need it: that of the file."""
        return posixpath.basename(self.path)

    @property
    def module_path(self) -> str | None:
        """Location of the extension module without suffix and tag; None if it isn't one."""
        if self.extension is None:
            return None
        return posixpath.join(posixpath.dirname(self.location), self.extension.module)

    @property
    def is_module(self) -> bool:
        """Whether Python would load it to import a module.

        A plain ``.so`` is one if it uses Python's C API; others are libraries and plugins, which
        code loads in ways of its own.
        """
        is_one = self.extension is not None and (self.extension.tag or self.facts.python_symbols)
        return bool(is_one and self.load_status == "compatible" and "." not in self.folder)


class _Files:
    """The files of a bundle, where they are on the target."""

    def __init__(self, bundle: Bundle, target: Target, *, layer: str = "") -> None:
        self.bundle = bundle
        self.layer = layer
        self.is_layer = bool(layer) or bundle.prefix.startswith("python/")
        self.root = LAYER_ROOT if self.is_layer else FUNCTION_ROOT
        prefix = "python/" if self.is_layer else bundle.prefix
        self._import_roots = import_roots(prefix, target.python_version)

    def natives(self, target: Target, read_head: Callable[[Entry], bytes]) -> Iterator[NativeFile]:
        """Yield what the target may load, in path order."""
        prefix = "" if self.layer else self.bundle.prefix
        for entry in self.bundle.entries:
            path = entry.path
            if entry.binary is None and ".so" not in path:
                continue
            root = self._find_root(path)
            # The layers' lib/ is in LD_LIBRARY_PATH.
            if root is None and not (self.is_layer and path.startswith("lib/")):
                continue
            facts = entry.binary or _read_other(entry, read_head)
            if facts is not None:
                yield _classify(
                    NativeFile(
                        entry=entry,
                        facts=facts,
                        path=path.removeprefix(prefix),
                        location=f"{self.root}/{path}",
                        folder=posixpath.dirname(path.removeprefix(root or "")),
                        extension=parse_extension_name(posixpath.basename(path)),
                        load_status="unused",
                        layer=self.layer,
                    ),
                    target,
                )

    def _find_root(self, path: str) -> str | None:
        """Find the directory on ``sys.path`` that *path* is in."""
        root = next((root for root in self._import_roots if path.startswith(root)), None)
        # The directory of another Python is in python/, but nothing imports from there.
        return None if root == "python/" and re.match(VERSIONED_ROOT, path) else root


def classify_binaries(
    bundle: Bundle, layers: Iterable[Bundle], target: Target, read_head: Callable[[Entry], bytes]
) -> tuple[NativeFile, ...]:
    """Return every file that the target may load as a native binary, with its load status.

    :param read_head: returns the first bytes of an entry
    :returns: those under the bundle's prefix, then those of the layers, each in path order
    """
    trees = [_Files(bundle, target)]
    trees += [
        _Files(layer, target, layer=layer.path or str(number))
        for number, layer in enumerate(layers, 1)
    ]
    natives = [native for tree in trees for native in tree.natives(target, read_head)]
    if not natives:
        return ()
    is_unused = _make_filter(trees, natives, target)
    return tuple(
        msgspec.structs.replace(native, load_status="unused") if is_unused(native) else native
        for native in natives
    )


def _make_filter(
    trees: list[_Files], natives: list[NativeFile], target: Target
) -> Callable[[NativeFile], bool]:
    """Make a predicate: whether nothing loads a binary that the target cannot load."""
    locations = {f"{tree.root}/{entry.path}" for tree in trees for entry in tree.bundle.entries}
    # Projects that work on the target without their foreign binaries.
    usable_owners = {native.entry.owner for native in natives if native.load_status == "compatible"}
    usable_owners |= {
        project.name
        for tree in trees
        for project in tree.bundle.projects
        if project.wheel_tags and all(tag.endswith("-none-any") for tag in project.wheel_tags)
    }
    # The suffix of each module that the importer takes: the first of those that it looks for.
    ranks: dict[str | None, int] = {}
    for native in natives:
        if native.extension and native.extension.is_importable_by(target):
            rank = native.extension.rank
            ranks[native.module_path] = min(rank, ranks.get(native.module_path, rank))

    def is_hidden(native: NativeFile, extension: ExtensionName) -> bool:
        """Whether the importer takes another file for the module, or none."""
        module = native.module_path
        if f"{module}/__init__.py" in locations:
            return True
        if extension.is_importable_by(target):
            return extension.rank > ranks[module]
        # Such as one that would speed up another Python.
        is_optional = module in ranks or f"{module}.py" in locations
        return is_optional or native.load_status == "damaged"

    def is_unused(native: NativeFile) -> bool:
        if native.load_status not in {"foreign", "unimportable", "damaged"}:
            return False
        if native.extension and is_hidden(native, native.extension):
            return True
        is_foreign = native.load_status != "damaged"
        return is_foreign and native.entry.owner in usable_owners and _names_its_platform(native)

    return is_unused


def _read_other(entry: Entry, read_head: Callable[[Entry], bytes]) -> BinaryFacts | None:
    """Describe a file that has the name of a shared library, but is no binary."""
    if re.search(_LIBRARY, entry.path) is None:
        return None
    problem = describe_other_content(read_head(entry)[:_HEAD_SIZE], entry.size)
    return BinaryFacts(format="elf", machine="", bits=0, problem=problem) if problem else None


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


def _classify(native: NativeFile, target: Target) -> NativeFile:
    """Classify a binary without regard to the other files of the bundle."""
    facts = native.facts
    status: LoadStatus = "unused"
    if facts.format != "elf":
        # Nothing on Linux loads a .dll, .dylib or .exe, but Python would load an extension module.
        status = "foreign" if native.extension else "unused"
    elif facts.problem:
        status = "damaged" if re.search(_LIBRARY, native.path) else "unused"
    elif facts.kind in {"shared", "executable"} and facts.machine not in _DEVICE_MACHINES:
        status = _classify_loaded(facts, native.path, native.extension, target)
    return msgspec.structs.replace(native, load_status=status)


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
