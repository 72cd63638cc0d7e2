"""What JSON and HTML pages have in common: their result, and the rules for names and URLs. Pure."""

from __future__ import annotations

import datetime
import re
import urllib.parse
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import IndexResponseError
from crossdeps.text import INDEX_OPERATOR_HINT, escape, is_http, show_url, split_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


# References of a page are resolved together as far as they are plain, as nearly all are: printable
# ASCII without query, parameters, user name and dots at the start of a segment.
_PLAIN_BYTES = bytes(set(range(0x21, 0x7F)) - set(b'<>"\\^`{|}[];?')) + b"\n"
_HOST = r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?/"
_LEAD = re.compile(rf"{_HOST}|/|(?:\.\./)+|\./|")
_SEGMENT = r"[A-Za-z0-9_~%+!$&'()*,=@-][A-Za-z0-9_~%+!$&'()*,=@.-]*"
_PLAIN = re.compile(rf"({_HOST}|/|(?:\.\./)*|\./)((?:{_SEGMENT}/)*{_SEGMENT}/?)(?:#([!$-~]*))?")


class ResolvedUrls(msgspec.Struct, frozen=True, kw_only=True):
    """The references of a page, resolved as :func:`resolve_url` does, a list for each result.

    :param urls: empty where the page may not link to it
    :param fragments: None if no reference has one
    :param problems: position -> why the page may not link to it
    :param plain: whether the last part of each URL's path is a file name as it stands
    """

    urls: list[str]
    fragments: list[str] | None
    problems: dict[int, str] = msgspec.field(default_factory=dict)
    plain: bool = False


def resolve_urls(references: Sequence[str], base: str) -> ResolvedUrls:
    """Resolve all references of a page at *base*."""
    resolved = _resolve_alike(references, base)
    if resolved is not None:
        return resolved
    urls: list[str] = []
    fragments: list[str] = []
    problems: dict[int, str] = {}
    prefixes: dict[str, str | None] = {}
    for position, reference in enumerate(references):
        url = fragment = ""
        found = _PLAIN.fullmatch(reference)
        if found is not None:
            lead = found[1]
            if lead not in prefixes:
                prefixes[lead] = _resolve_lead(lead, base)
            prefix = prefixes[lead]
            if prefix is not None:
                url, fragment = prefix + found[2], found[3] or ""
        if not url:
            try:
                url, fragment = resolve_url(reference, base)
            except ValueError as error:
                problems[position] = str(error)
        urls.append(url)
        fragments.append(fragment)
    return ResolvedUrls(urls=urls, fragments=fragments, problems=problems)


def _resolve_alike(references: Sequence[str], base: str) -> ResolvedUrls | None:
    """Resolve plain references that all start alike; None if there are others."""
    found = _LEAD.match(references[0]) if references else None
    if found is None:
        return None if references else ResolvedUrls(urls=[], fragments=None, plain=True)
    lead = found[0]
    joined = "\n".join(["", *references])
    count = len(references)
    if joined.count("\n") != count or joined.count(f"\n{lead}") != count:
        return None
    if not has_only(joined, _PLAIN_BYTES):
        return None
    rests = joined.replace(f"\n{lead}", "\n")
    fragments: list[str] | None = None
    if "#" in rests:
        parts = [rest.partition("#") for rest in rests[1:].split("\n")]
        rests = "\n".join(["", *(path for path, _, _ in parts)])
        fragments = [fragment for _, _, fragment in parts]
    prefix = _resolve_lead(lead, base)
    if prefix is None or (prefix != lead and not _are_plain_paths(rests)):
        return None
    if prefix == lead and fragments is None:
        urls = list(references)
    else:
        urls = rests.replace("\n", f"\n{prefix}")[1:].split("\n")
    return ResolvedUrls(urls=urls, fragments=fragments, plain="%" not in rests)


def _are_plain_paths(paths: str) -> bool:
    """Whether paths, each after a newline, are resolved by putting them behind another path."""
    segments = paths.replace("\n", "/")
    return not ("//" in segments or "/." in segments or ":" in segments or paths[-1] == "\n")


def _resolve_lead(lead: str, base: str) -> str | None:
    """What the URL of a plain reference that starts with *lead* starts with; None if unknown."""
    try:
        url, _ = resolve_url(f"{lead}x", base)
    except ValueError:
        return None
    return url[:-1] if url.endswith("x") else None


def has_only(text: str, allowed: bytes) -> bool:
    """Whether *text* consists of the ASCII characters *allowed*."""
    return text.isascii() and not text.encode("ascii").translate(None, allowed)


def are_plain_names(names: Sequence[str]) -> bool:
    """Whether :func:`find_filename_problem` finds none in any of them; False if in doubt.

    Tens of thousands of names are checked as one long text.
    """
    joined = "\n".join(names)
    return (
        joined.count("\n") == max(len(names) - 1, 0)
        and not {"", ".", ".."} & set(names)
        and max(map(len, names), default=0) <= 255
        and has_only(joined, _PLAIN_NAME_BYTES)
    )


_PLAIN_NAME_BYTES = bytes(set(range(0x20, 0x7F)) - set(b"/\\%")) + b"\n"


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
