"""What JSON and HTML pages have in common: their result, and the rules for names and URLs. Pure."""

from __future__ import annotations

import datetime
import re
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, overload

import msgspec

from crossdeps.errors import IndexResponseError
from crossdeps.index.model import ProjectFile
from crossdeps.text import INDEX_OPERATOR_HINT, escape, is_http, show_url, split_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping


class ProjectFiles(Sequence[ProjectFile]):
    """The files of a page, each created when it is first accessed.

    A page may list tens of thousands of files of which a handful are compatible: with *filenames*
    a reader selects by name without creating the others.
    """

    __slots__ = ("_create", "_created", "filenames")

    def __init__(self, filenames: Sequence[str], create: Callable[[int], ProjectFile]) -> None:
        self.filenames = filenames
        self._create = create
        self._created: dict[int, ProjectFile] = {}

    @classmethod
    def from_files(cls, files: Iterable[ProjectFile]) -> ProjectFiles:
        """A sequence of existing files."""
        created = tuple(files)
        return cls([file.filename for file in created], created.__getitem__)

    @classmethod
    def join(cls, pages: Sequence[ProjectFiles]) -> ProjectFiles:
        """The files of several pages, in their order."""
        if len(pages) == 1:
            return pages[0]
        positions = [(page, i) for page in pages for i in range(len(page))]

        def create(index: int) -> ProjectFile:
            page, i = positions[index]
            return page[i]

        return cls([name for page in pages for name in page.filenames], create)

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
        file = self._created.get(index)
        if file is None:
            # Two threads may both create it; the values are equal, and one of them stays.
            file = self._created.setdefault(index, self._create(index))
        return file


class PageSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page came from.

    :param url: the final URL, after redirects, without credentials
    :param index: URL of the index, without credentials
    :param project: normalised name of the project; empty for a find-links page
    """

    url: str
    index: str
    project: str

    def error(self, message: str, *, hint: str | None = None, rule: str) -> IndexResponseError:
        """Return the error for a page that cannot be parsed or trusted."""
        page = show_url(self.url)
        context = (self.project, page) if self.project else (page,)
        return IndexResponseError(
            message, context=context, hint=hint or INDEX_OPERATOR_HINT, rule=rule
        )


class ParsedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one page.

    :param files: in page order, each file name once
    :param warnings: files that were skipped, and why
    """

    files: ProjectFiles
    warnings: tuple[str, ...] = ()


def check_api_version(text: str, source: PageSource) -> None:
    """Refuse a page of another major version (PEP 629: clients MUST fail).

    :raises IndexResponseError: if *text* isn't ``1.x``
    """
    if not re.fullmatch(r"1\.[0-9]{1,9}", text):
        raise source.error(
            f"the index uses version {escape(text)} of the simple repository API; "
            "only version 1 is supported",
            hint="a newer version of crossdeps may support it",
            rule="page-api-version",
        )


def check_duplicate(
    filename: str, hashes: Mapping[str, str], other: Mapping[str, str], source: PageSource
) -> None:
    """Refuse two files of the same name with different hashes.

    :raises IndexResponseError: if an algorithm that both state differs
    """
    for algorithm in hashes.keys() & other.keys():
        if hashes[algorithm].lower() != other[algorithm].lower():
            raise source.error(
                f"the index lists {escape(filename)} twice, with different {algorithm} hashes",
                hint="a file name must identify one file; report this to the operator of the index",
                rule="page-duplicate",
            )


def find_filename_problem(filename: str) -> str | None:
    """Why *filename* is not the plain name of a file, or None.

    It must be one path component; ``%`` is refused because names are decoded once, and what is
    still encoded then was encoded twice.
    """
    if re.search(r"[/\\%\x00-\x1f\x7f]|\A\.{0,2}\Z", filename):
        return "its name is not a plain file name"
    if len(filename) > 255:
        return "its name is longer than 255 characters"
    return None


def resolve_url(reference: str, base: str) -> tuple[str, str]:
    """*reference* made absolute against *base* (RFC 3986), and its fragment.

    :returns: the URL without credentials and fragment, and the fragment
    :raises ValueError: with the reason why a page at *base* may not link to it
    """
    # An encoded newline never gets here; a raw one is dropped by some parsers and kept by others.
    if any(ord(c) < 0x20 or c == "\x7f" for c in reference):
        raise ValueError("its URL contains control characters")
    absolute = urllib.parse.urljoin(base, reference.strip(" "))
    absolute, fragment = urllib.parse.urldefrag(absolute)
    absolute = split_credentials(absolute)[0]
    _check_scheme(absolute, base)
    return absolute, fragment


def _check_scheme(url: str, base: str) -> None:
    """Refuse links from a page at *base* to local files, to other schemes and from https to http.

    :raises ValueError: with the reason
    """
    parts = urllib.parse.urlsplit(url)
    page = base.partition(":")[0].lower()
    if is_http(url):
        if not parts.hostname:
            raise ValueError("its URL has no host")
        _ = parts.port
        if page == "https" and parts.scheme.lower() == "http":
            raise ValueError("its URL is http, but the page is https")
        return
    if not (parts.scheme.lower() == "file" and page == "file"):
        raise ValueError(f"its URL scheme is not allowed: {escape(parts.scheme) or 'none'}:")


def url_filename(url: str) -> str:
    """The last part of the path of *url*, decoded once (PEP 503); never used as a path."""
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])


def skip_warning(filename: str, reason: str, source: PageSource) -> str:
    """The warning about a file that was skipped."""
    name = escape(filename) or "a file without a name"
    return f"skipped {name} on {show_url(source.url)}: {reason}"


def read_upload_time(text: str | None) -> datetime.datetime | None:
    """Parse an upload time (PEP 700: ``yyyy-mm-ddThh:mm:ss.ffffffZ``); None if it is not valid."""
    if not text:
        return None
    try:
        if len(text) == 27 and text[-1] == "Z":  # the form of the standard
            return datetime.datetime.fromisoformat(text[:-1] + "+00:00")
        time = datetime.datetime.fromisoformat(_with_six_digits(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _with_six_digits(text: str) -> str:
    # Before Python 3.11 fromisoformat reads neither "Z" nor fractions of other than 3 or 6 digits.
    if text[-1] in "Zz":
        text = text[:-1] + "+00:00"
    found = re.fullmatch(r"(.{19})\.([0-9]{1,9})([+-].*)?", text)
    return f"{found[1]}.{found[2][:6]:0<6}{found[3] or ''}" if found else text
