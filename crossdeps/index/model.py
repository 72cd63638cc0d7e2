"""What exists: one file that an index offers, and a project's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFile:
    """One file of a project, as an index describes it (PEP 691, PEP 700, PEP 503).

    :param filename: the last part of the URL path, decoded once; never used as a path
    :param url: absolute, without credentials and fragment
    :param hashes: algorithm -> lower-case hex digest; may be empty
    :param size: bytes, if stated
    :param requires_python: as written, unparsed
    :param upload_time: aware datetime, if stated (PEP 700)
    :param yanked: None, or the reason (``""`` where none was given) (PEP 592)
    :param metadata_hashes: hashes of the metadata file beside it (PEP 658, PEP 714); an empty
        mapping where it is offered without hashes; None where it isn't offered
    :param index: the index page's root URL, without credentials, for reports and locks
    """

    filename: str
    url: str
    hashes: Mapping[str, str]
    size: int | None = None
    requires_python: str | None = None
    upload_time: datetime.datetime | None = None
    yanked: str | None = None
    metadata_hashes: Mapping[str, str] | None = None
    index: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPage:
    """All files of one project, from every index that was asked, in the order of the indexes.

    :param project: normalised name
    :param files: in page order; empty where no index knows the project
    :param asked: roots of the indexes asked, without credentials
    :param found_on: roots of those that know the project
    :param warnings: what was skipped on the pages and why
    """

    project: NormalizedName
    files: Sequence[ProjectFile]
    asked: tuple[str, ...]
    found_on: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Index(Protocol):
    """What the resolver asks of an index. Safe to call from several threads."""

    def page(self, project: NormalizedName) -> ProjectPage:
        """All files of *project*; one request each index, then from memory.

        :raises IndexAccessError: if an index can't be reached or understood
        """

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Start to fetch pages that are likely to be asked for; errors wait until they are."""

    def metadata(self, file: ProjectFile) -> bytes:
        """The core metadata (METADATA) of a wheel, by the cheapest way that the index offers.

        :raises IndexAccessError: if it can't be fetched
        :raises IntegrityError: if what was fetched is wrong
        """

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Start to fetch metadata that is likely to be asked for."""
