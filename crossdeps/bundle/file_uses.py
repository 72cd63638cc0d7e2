"""What the code of a project says of the files beside it, by which it may read them at run time.

Such are the stubs of a type checker, the headers and sources of a compiler, and modules for the
tests of others. Code is read as text, as by :mod:`crossdeps.bundle.code_uses`, and what the code of
one wheel says is found once, and kept under its hash.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.code_uses import NATIVE_ENDINGS, TEST_DIRECTORIES, test_directories
from crossdeps.bundle.model import WheelContent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crossdeps.bundle.content import ContentReader
    from crossdeps.bundle.model import Content, Entry
    from crossdeps.derived import DerivedCache

_KIND = "file-uses-3"
"""Raise the number with every change to what is found."""
_ENDINGS: Final = (
    *(".pyi", ".rst", ".md", ".txt", ".pdf", ".ipynb"),
    *(f".{ending}" for ending in NATIVE_ENDINGS),
)
# Names are found by their ends: a pattern that starts with any word is ten times slower.
_END_OF_NAME = rb"""\.[\w+-]{1,16}(?=["'>])"""
# What is before an ending that stands for any name: ".pyi", "*.pyi", f"{name}.pyi", "%s.pyi".
_ANY_NAME = rb"""["'*?\]}]\Z|%s\Z"""
_LAST_NAME = rb"[\w.+-]+\Z"
_HELPER = rb"\.(?:tests?|SelfTest)\.\w[\w.]*"
_DOTTED_START = rb"[A-Za-z_][\w.]*\Z"
_TEST_MODULE = r"test_.*|.*_tests?|tests?|conftest|run_?tests?|setup"
_STRING = rb"""["']([\w./+-]{1,100})["']"""
_MAX_NAME_LENGTH = 100


class FileUses(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the code of a project outside of its test directories says of its files.

    :param endings: that it handles, of stubs, native sources and documents, such as ``.pxd``
    :param names: of its files, at the end of a string, or of an #include of code that it makes
    :param helpers: modules in test directories that it mentions and that aren't tests: dotted
        names, which a name in the module may follow
    """

    endings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(FileUses)


def find_file_uses(
    entries: Mapping[str, Entry], reader: ContentReader, cache: DerivedCache | None
) -> FileUses:
    """Find what the code of one project says of its files.

    :param entries: of the project, by installed path
    :param cache: keeps what the code of a wheel says
    :raises IntegrityError: if its wheel has changed since it was verified
    """
    wheels = {
        each.content.wheel.sha256: each.content.wheel
        for each in entries.values()
        if isinstance(each.content, WheelContent)
    }
    if len(wheels) != 1:
        return _scan({path: each.content for path, each in entries.items()}, reader)
    ((sha256, wheel),) = wheels.items()
    data = cache.read(_KIND, sha256) if cache else None
    if data is not None:
        try:
            return _DECODER.decode(data)
        except msgspec.MsgspecError:
            """It is found again."""
    # All of the wheel, whatever is left of it in this artifact.
    moved = {item.index: item for item in wheel.installation.moved}
    contents: dict[str, Content] = {}
    for index, member in enumerate(wheel.members):
        if index not in moved or moved[index].excluded in {None, "scripts"}:
            path = moved[index].path if index in moved else member.path
            contents[path] = WheelContent(wheel=wheel, member=member)
    found = _scan(contents, reader)
    if cache:
        cache.write(_KIND, sha256, _ENCODER.encode(found))
    return found


def _scan(contents: Mapping[str, Content], reader: ContentReader) -> FileUses:
    tests = {path for path in contents if test_directories(path)}
    modules = sorted({path for path in contents if path.endswith(".py")} - tests)
    named = [path for path in contents if path in tests or path.lower().endswith(_ENDINGS)]
    names = {
        posixpath.basename(path).encode()
        for path in named
        if path.isascii() and not path.endswith((".py", ".pyi"))
    }
    endings = {each.encode() for each in _ENDINGS if any(path.endswith(each) for path in named)}
    found_endings: set[bytes] = set()
    found_names: set[bytes] = set()
    helpers: set[str] = set()
    for path in modules if named else ():
        text = reader.read(contents[path])
        for found in re.finditer(_END_OF_NAME, text):
            before = text[max(0, found.start() - _MAX_NAME_LENGTH) : found.start()]
            if re.search(_ANY_NAME, before):
                found_endings.add(found[0])
            elif start := re.search(_LAST_NAME, before):
                found_names.add(start[0] + found[0])
        if tests:
            helpers.update(_find_helpers(text))
    return FileUses(
        endings=tuple(sorted(each.decode() for each in found_endings & endings)),
        names=tuple(sorted(each.decode() for each in found_names & names)),
        helpers=tuple(sorted(helpers)),
    )


def _find_helpers(text: bytes) -> Iterator[str]:
    if b"test" not in text and b"SelfTest" not in text:
        return
    for found in re.finditer(_HELPER, text):
        start = found.start()
        before = re.search(_DOTTED_START, text[max(0, start - _MAX_NAME_LENGTH) : start])
        if before is None:
            continue
        parts = (before[0] + found[0]).decode("utf-8", "replace").strip(".").split(".")
        directory = next(index for index, part in enumerate(parts) if part in TEST_DIRECTORIES)
        # What is behind the module is a name in it.
        helper = list(
            itertools.takewhile(
                lambda part: not re.fullmatch(_TEST_MODULE, part), parts[directory + 1 :]
            )
        )
        if helper:
            yield ".".join([*parts[: directory + 1], *helper])


def find_test_data(path: str, text: bytes, files: Sequence[str]) -> set[str]:
    """Return those of *files* that a module in a test directory mentions.

    :param path: of the module, which is needed
    :param files: paths of what isn't code, in test directories, sorted
    """
    directory = posixpath.dirname(path)
    base = directory + "/"
    below = files[bisect_left(files, base) : bisect_left(files, directory + chr(ord("/") + 1))]
    strings = {
        part
        for found in re.findall(_STRING, text)
        for part in found.decode().split("/")
        if part not in {"", ".", ".."}
    }
    return {file for file in below if not strings.isdisjoint(file[len(base) :].split("/"))}
