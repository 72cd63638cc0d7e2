"""The pages that a run read: what each held, and whether it still holds the same.

What was made from pages stays valid as long as all of them are unchanged. Testing that is cheap:
nothing is parsed, and neither an HTTP library nor ``packaging`` is loaded.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.text import local_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crossdeps.index.cache import IndexCache
    from crossdeps.index.model import ProjectFile

# What is read of a local directory: pages and distributions.
_READ = (".whl", ".gz", ".zip", ".bz2", ".xz", ".tgz", "json", ".html", ".htm")

PageKind = Literal["page", "absent", "directory", "file", "metadata"]


class PageState(msgspec.Struct, frozen=True, kw_only=True):
    """What one page held when it was read.

    :param location: URL or path of the index or find-links location, without credentials
    :param project: normalised name of the project that it was read for
    :param kind: ``page``: an http page in the cache; ``absent``: the index answered 404 or 410;
        ``directory``: a local index or find-links location; ``file``: a find-links URL of a
        distribution, which never changes; ``metadata``: of a file, whose SHA-256 is the digest:
        without one it may change while its page doesn't
    :param key: that of the cache for an http page; the path of a local one; else the URL
    :param digest: of the content, in hex: pages with the same digest offer the same files; empty
        where it is unknown, because the page is not kept
    """

    location: str
    project: str
    kind: PageKind
    key: str
    digest: str


class PageLog:
    """Records what a client reads. Thread-safe."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str, str], PageState] = {}
        self._metadata: dict[str, PageState] = {}

    def add(self, state: PageState) -> None:
        """Record a page."""
        self._pages[state.project, state.location, state.key] = state

    def add_metadata(self, file: ProjectFile) -> None:
        """Record that the metadata of *file* is used."""
        digest = file.hashes.get("sha256", "")
        self._metadata[file.url] = PageState(
            location=file.index, project="", kind="metadata", key=file.url, digest=digest
        )

    @property
    def states(self) -> tuple[PageState, ...]:
        """The pages by project and location, then the metadata by URL."""
        pages, metadata = self._pages.copy(), self._metadata.copy()
        return (
            *(pages[key] for key in sorted(pages)),
            *(metadata[url] for url in sorted(metadata)),
        )

    def holds_same(self, earlier: PageState) -> bool:
        """Whether the page of *earlier*, which has been read again, held the same."""
        state = self._pages.get((earlier.project, earlier.location, earlier.key))
        if state is None:
            return False
        if state.kind == earlier.kind == "absent":
            return True
        return state.kind == earlier.kind and state.digest == earlier.digest != ""


def find_changed(
    states: Iterable[PageState], cache: IndexCache | None, *, now: float | None
) -> tuple[PageState, ...]:
    """The pages of which is not known without a request that they still hold the same.

    :param now: seconds since the epoch; None accepts cached pages however old, as a run without
        network does
    """
    directories: dict[str, str] = {}
    changed = []
    for state in states:
        if state.kind == "directory":
            if state.key not in directories:
                directories[state.key] = read_directory_state(state.key)
            same = directories[state.key] == state.digest
        else:
            same = state.kind in ("file", "metadata") or _is_cached(state, cache, now)
        if not (same and state.digest):
            changed.append(state)
    return tuple(changed)


def _is_cached(state: PageState, cache: IndexCache | None, now: float | None) -> bool:
    head = cache.page_head(state.key) if cache is not None else None
    if head is None or head.digest != state.digest:
        return False
    return now is None or head.page.is_fresh(now)


def read_directory_state(location: str) -> str:
    """A digest of what a local path holds: names, sizes, inodes and times, not the bytes.

    :param location: path or ``file:`` URL of a file, or of a directory whose subdirectories are not
        entered
    :returns: hex; empty if it cannot be read. That of a missing path is a digest like others
    """
    path = local_path(location)
    return read_path_state(path) if path is not None else ""


def read_path_state(path: Path) -> str:
    """The same for a path."""
    try:
        lines = sorted(_describe_entries(path))
    except (FileNotFoundError, NotADirectoryError):
        lines = ["missing"]
    except (OSError, ValueError):
        return ""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _describe_entries(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield _describe(path.stat(), path.name)
        return
    directory = path.stat()
    yield f"{directory.st_mode} {directory.st_dev} {directory.st_ino}"
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.lower().endswith(_READ):
                try:
                    yield _describe(entry.stat(), entry.name)
                except FileNotFoundError:  # a broken link
                    yield f"broken {entry.name!r}"


def _describe(stat: os.stat_result, name: str) -> str:
    # The time of the inode's last change, unlike that of the content, cannot be set back.
    times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
    return f"{stat.st_mode} {stat.st_dev} {stat.st_ino} {stat.st_size} {times} {name!r}"
