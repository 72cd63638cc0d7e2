"""What the code of packages uses of their tests, native sources and stubs.

Code is read as text instead of parsed: what a parser accepts depends on the Python that runs it,
and the result must not. What the code of one wheel uses is found once, and kept under its hash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import WheelContent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from crossdeps.bundle.model import Content
    from crossdeps.derived import DerivedCache
    from crossdeps.wheels.model import Wheel

TEST_DIRECTORIES: Final = frozenset({"test", "tests", "SelfTest"})
NATIVE_ENDINGS: Final = (
    *("c", "cc", "cpp", "cxx", "cu", "h", "hh", "hpp", "hxx", "cuh"),
    *("pyx", "pxd", "pxi", "f", "f90", "a"),
)
_KIND = "code-uses-1"
"""Raise the number with every change to what is found."""
# Patterns are text: ``re`` compiles them on first use, which most runs never have. Names are found
# by their ends: a pattern that starts with any word is ten times slower.
_NATIVE_ENDING = rf"(?i)\.(?:{'|'.join(NATIVE_ENDINGS)})\b".encode()
_LAST_NAME = rb"[\w+.-]+\Z"
_MAX_NAME_LENGTH = 100
_STUB_LOADER = b"attach_stub"
_TEST_COMPONENT = rb"test(?<![^\W]test)s?\b"
_IMPORT = (
    rb"(?m)(?:^|;)[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]+)"
    rb"|import[ \t]+([^\n#;]+))"
)
_DOTTED_STRING = rb"""["']([^\W\d]\w*(?:\.\w+)+)["']"""


class ModuleUses(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a module outside of test directories uses.

    :param path: where it is installed
    :param native_sources: file names that it mentions, in lower case
    :param loads_stubs: whether it reads its stub at run time
    :param modules: the modules in test directories that it may import
    """

    path: str
    native_sources: tuple[str, ...]
    loads_stubs: bool
    modules: tuple[str, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[ModuleUses, ...])


class Uses:
    """What the code that was added uses; a context manager.

    :param cache: keeps what the code of a wheel uses
    """

    def __init__(self, cache: DerivedCache | None) -> None:
        self.modules: set[str] = set()
        self.native_sources: set[str] = set()
        self.stub_loaders: set[str] = set()
        self._cache = cache
        self._reader = ContentReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._reader.__exit__(*exception)

    def add(self, modules: Mapping[str, Content]) -> None:
        """Add modules by path, relative to the directory that is on ``sys.path``."""
        wheels: dict[str, Wheel] = {}
        for path, content in modules.items():
            if isinstance(content, WheelContent) and not test_directories(path):
                wheels.setdefault(content.wheel.sha256, content.wheel)
            else:
                self.read(path, content, in_tests=False)
        for wheel in wheels.values():
            for module in self._find(wheel):
                own = modules.get(module.path)
                if isinstance(own, WheelContent) and own.wheel is wheel:
                    self._add_module(module)

    def read(self, path: str, content: Content, *, in_tests: bool) -> None:
        """Add one module.

        :param in_tests: whether it is a module in a test directory that other code imports
        """
        text = self._reader.read(content)
        self._add_module(_scan(path, text))
        if in_tests or (test_directories(path) and (b"test" in text or b"SelfTest" in text)):
            self.modules.update(imported_modules(path, text))

    def _add_module(self, module: ModuleUses) -> None:
        self.modules.update(module.modules)
        self.native_sources.update(module.native_sources)
        if module.loads_stubs:
            self.stub_loaders.add(module.path)

    def _find(self, wheel: Wheel) -> Sequence[ModuleUses]:
        """What the modules of *wheel* use, without those in test directories that use nothing."""
        data = self._cache.read(_KIND, wheel.sha256) if self._cache else None
        if data is not None:
            try:
                return _DECODER.decode(data)
            except msgspec.MsgspecError:
                """It is found again."""
        found = tuple(self._scan_wheel(wheel))
        if self._cache:
            self._cache.write(_KIND, wheel.sha256, _ENCODER.encode(found))
        return found

    def _scan_wheel(self, wheel: Wheel) -> Iterator[ModuleUses]:
        moved = {item.index: item for item in wheel.installation.moved}
        for index, member in enumerate(wheel.members):
            path, excluded = member.path, None
            if index in moved:
                path, excluded = moved[index].path, moved[index].excluded
            if not path.endswith(".py") or excluded not in {None, "scripts"}:
                continue
            if test_directories(path):
                continue
            found = _scan(path, self._reader.read(WheelContent(wheel=wheel, member=member)))
            if found.native_sources or found.loads_stubs or found.modules:
                yield found


def test_directories(path: str) -> list[str]:
    """Return the test directories that *path* is in, the nearest first."""
    found: list[str] = []
    if "test/" not in path and "tests/" not in path and "SelfTest/" not in path:
        return found
    while path := path.rpartition("/")[0]:
        if path.rpartition("/")[2] in TEST_DIRECTORIES:
            found.append(path)
    return found


def _scan(path: str, text: bytes) -> ModuleUses:
    names = set()
    for ending in re.finditer(_NATIVE_ENDING, text):
        end = ending.end()
        name = re.search(_LAST_NAME, text[max(0, end - _MAX_NAME_LENGTH) : end])
        if name:
            names.add(name[0].decode("ascii", "replace").lower())
    modules: set[str] = set()
    if b"SelfTest" in text or (b"test" in text and re.search(_TEST_COMPONENT, text)):
        modules.update(
            module
            for module in imported_modules(path, text)
            if not TEST_DIRECTORIES.isdisjoint(module.split("."))
        )
    return ModuleUses(
        path=path,
        native_sources=tuple(sorted(names)),
        loads_stubs=_STUB_LOADER in text,
        modules=tuple(sorted(modules)),
    )


def imported_modules(path: str, text: bytes) -> Iterator[str]:
    """Yield every dotted name that the code at *path* may import, and some that it doesn't.

    :param path: relative to the directory that is on ``sys.path``
    """
    package = path.rpartition("/")[0].split("/")
    for source, names, plain in re.findall(_IMPORT, text):
        if plain:
            for part in plain.split(b","):
                yield b"".join(part.split()[:1]).decode("utf-8", "replace")
            continue
        base = _absolute(source.decode("utf-8", "replace"), package)
        yield base
        for part in re.sub(rb"#[^\n]*|[()\\]", b"", names).split(b","):
            if words := part.split():
                yield f"{base}.{words[0].decode('utf-8', 'replace')}".lstrip(".")
    for name in re.findall(_DOTTED_STRING, text):
        yield name.decode("utf-8", "replace")


def _absolute(source: str, package: Sequence[str]) -> str:
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    base = package[: max(0, len(package) - level + 1)]
    return ".".join([*base, *([name] if name else [])])
