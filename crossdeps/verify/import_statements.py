"""Reads the import statements that begin a line of source, without parsing it.

Such a statement runs whenever its file does, but for text that only looks like one: what depends on
it is confirmed by a parser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry

_NAMES = rb"[ \t]*(\([^)]*\)|(?:[^\n#;\\]|\\\n)+)"
_SPACE = rb"(?:[ \t]|\\\n)+"
_FROM = rb"from" + _SPACE + rb"(\.*[\w.]*)" + _SPACE + rb"import\b" + _NAMES
_IMPORT = rb"import\b" + _NAMES


class ImportStatement(msgspec.Struct, frozen=True):
    """An import statement at the start of a line, with absolute names."""

    module: str
    names: tuple[str, ...]
    line: int


def containing_packages(name: str, entry: Entry) -> list[str]:
    """The names of the packages that contain the module *name*, and itself if it is one."""
    parts = name.split(".")
    return parts if entry.path.endswith("/__init__.py") else parts[:-1]


def read_statements(text: bytes, package: list[str]) -> Iterator[ImportStatement]:
    """Yield the import statements that begin a line, as far as their text shows."""
    for start, pattern in ((b"from ", _FROM), (b"import ", _IMPORT)):
        at = 0 if text.startswith(start) else text.find(b"\n" + start) + 1
        while at or text.startswith(start):
            match = re.compile(pattern).match(text, at)
            if match is not None:
                yield from _read_statement(match, package, text, at)
            at = text.find(b"\n" + start, at) + 1
            if not at:
                break


def _read_statement(
    match: re.Match[bytes], package: list[str], text: bytes, at: int
) -> Iterator[ImportStatement]:
    line = text.count(b"\n", 0, at) + 1
    groups = match.groups()
    listed = re.sub(rb"#[^\n]*|[()\\]", b"", groups[-1]).decode("utf-8", "replace").split(",")
    names = tuple(words[0] for words in map(str.split, listed) if words)
    if len(groups) == 1:
        for name in names:
            yield ImportStatement(name, (), line)
        return
    source = groups[0].decode("utf-8", "replace")
    name = source.lstrip(".")
    level = len(source) - len(name)
    if level > len(package):
        return
    base = package[: len(package) - level + 1] if level else []
    module = ".".join([*base, *([name] if name else [])])
    if all(part.isidentifier() for part in module.split(".")):
        yield ImportStatement(module, tuple(each for each in names if each.isidentifier()), line)
