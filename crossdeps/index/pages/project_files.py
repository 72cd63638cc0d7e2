"""The rules that JSON and HTML pages share. Pure: text and URLs in, values out."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from crossdeps.errors import IndexResponseError
from crossdeps.text import INDEX_OPERATOR_HINT, escape, is_http, show_url, split_credentials

if TYPE_CHECKING:
    from crossdeps.index.model import ProjectFile

_UNSAFE = re.compile(r"[/\\%\x00-\x1f\x7f]|\A\.{0,2}\Z")


class _FileSequence(Sequence["ProjectFile"]):
    """Defines nothing: names the base that both mypy and the interpreter see."""

    __slots__ = ()


class ProjectFiles(_FileSequence):
    """The files of a page, each made when it is first looked at.

    A page may list tens of thousands of files of which a handful fit: *filenames* lets a reader
    choose by name without making the others.
    """

    __slots__ = ("_build", "_made", "filenames")

    def __init__(self, filenames: Sequence[str], build: Callable[[int], ProjectFile]) -> None:
        self.filenames = filenames
        self._build = build
        self._made: dict[int, ProjectFile] = {}

    @classmethod
    def of(cls, files: Iterable[ProjectFile]) -> ProjectFiles:
        """Files that are made already."""
        made = tuple(files)
        return cls([file.filename for file in made], made.__getitem__)

    @classmethod
    def joined(cls, parts: Sequence[ProjectFiles]) -> ProjectFiles:
        """The files of several pages, in their order."""
        if len(parts) == 1:
            return parts[0]
        places = [(part, i) for part in parts for i in range(len(part))]

        def build(index: int) -> ProjectFile:
            part, i = places[index]
            return part[i]

        return cls([name for part in parts for name in part.filenames], build)

    def __len__(self) -> int:
        return len(self.filenames)

    @overload
    def __getitem__(self, index: int) -> ProjectFile: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ProjectFile]: ...

    def __getitem__(self, index: int | slice) -> ProjectFile | Sequence[ProjectFile]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        file = self._made.get(index)
        if file is None:
            # Two threads may both make it; the values are equal, and one of them stays.
            file = self._made.setdefault(index, self._build(index))
        return file


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSource:
    """Where a page came from.

    :param url: the final URL, after redirects, without credentials
    :param index: root of the index that was asked, without credentials
    :param project: normalised name of the project asked for; empty for a find-links page
    """

    url: str
    index: str
    project: str

    def refuse(self, message: str, *, hint: str | None = None, rule: str) -> IndexResponseError:
        """Return the error for a page that can't be understood or trusted."""
        return IndexResponseError(
            message, context=self.context(), hint=hint or INDEX_OPERATOR_HINT, rule=rule
        )

    def context(self) -> tuple[str, ...]:
        """The project and the page, for errors."""
        page = show_url(self.url)
        return (self.project, page) if self.project else (page,)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedPage:
    """What one page says.

    :param files: in page order, each file name once
    :param warnings: what was skipped and why
    """

    files: ProjectFiles
    warnings: tuple[str, ...] = ()


def check_api_version(text: str, source: PageSource) -> None:
    """Refuse a page of another major version (PEP 629: clients MUST fail).

    :raises IndexResponseError: if *text* isn't ``1.x``
    """
    if not re.fullmatch(r"1\.[0-9]{1,9}", text):
        raise source.refuse(
            f"the index speaks version {escape(text)} of the simple repository API, "
            "and only version 1 is understood",
            hint="a newer crossdeps may understand it",
            rule="page-api-version",
        )


def filename_problem(filename: str) -> str | None:
    """Why *filename* can't be the plain name of a file, or None.

    It must be one path component; ``%`` is refused because names are decoded once, and what is
    still encoded then was encoded twice.
    """
    if _UNSAFE.search(filename):
        return "its name isn't a plain file name"
    if len(filename) > 255:
        return "its name is longer than 255 characters"
    return None


def resolve_url(reference: str, base: str) -> tuple[str, str]:
    """*reference* made absolute against *base* (RFC 3986), and its fragment.

    :returns: the URL without credentials and fragment, and the fragment
    :raises ValueError: saying why a file may not be taken from there
    """
    # An encoded newline never gets here; a raw one is dropped by some parsers and kept by others.
    if any(ord(c) < 0x20 or c == "\x7f" for c in reference):
        raise ValueError("its URL has control characters")
    absolute = urllib.parse.urljoin(base, reference.strip(" "))
    absolute, fragment = urllib.parse.urldefrag(absolute)
    absolute = split_credentials(absolute)[0]
    check_scheme(absolute, base)
    return absolute, fragment


def check_scheme(url: str, base: str) -> None:
    """Refuse what a page at *base* may not point to: local files, other schemes, a downgrade.

    :raises ValueError: saying which
    """
    parts = urllib.parse.urlsplit(url)
    page = base.partition(":")[0].lower()
    if is_http(url):
        if not parts.hostname:
            raise ValueError("its URL has no host")
        _ = parts.port
        if page == "https" and parts.scheme.lower() == "http":
            raise ValueError("its URL is http, on a page that came by https")
        return
    if not (parts.scheme.lower() == "file" and page == "file"):
        raise ValueError(
            f"its URL is {escape(parts.scheme) or 'nothing'}:, which a page can't name"
        )


def url_filename(url: str) -> str:
    """The last part of the path of *url*, decoded once (PEP 503); never used as a path."""
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])


def skipped(filename: str, reason: str, source: PageSource) -> str:
    """Say that a file was left out, and why."""
    name = escape(filename) or "a file without a name"
    return f"left out {name} of {show_url(source.url)}: {reason}"


def check_duplicate(
    filename: str, item: dict[str, str], other: dict[str, str], source: PageSource
) -> None:
    """Refuse two files of one name which a hash tells apart.

    :raises IndexResponseError: if an algorithm that both state differs
    """
    for algorithm in item.keys() & other.keys():
        if item[algorithm].lower() != other[algorithm].lower():
            raise source.refuse(
                f"the index lists {escape(filename)} twice, with different {algorithm} hashes",
                hint="one file name must mean one content; tell whoever runs the index",
                rule="page-duplicate",
            )
