"""Planning the artifact: from verified wheels and the user's source to the list of its files.

What depends on one wheel alone was worked out when it was stored. A plan merges these facts; the
cases that need more (shared or colliding paths, excluded files) are worked out when there are any.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crossdeps.bundle.collisions import (
    PlannedEntry,
    find_case_collisions,
    have_distinct_spellings,
    resolve_collisions,
)
from crossdeps.bundle.model import (
    Bundle,
    FileContent,
    InstalledProject,
    WheelContent,
    add_sizes,
)
from crossdeps.bundle.placement import inline_entry, place_wheel
from crossdeps.errors import CollisionError
from crossdeps.text import first_words, plural
from crossdeps.wheels.facts import metadata_directory, parent_directories
from crossdeps.wheels.record import DIRECT_URL, INSTALLER, SOURCE_RECORD, RecordRow, render_record

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Entry, Layout
    from crossdeps.bundle.placement import PlacedWheel
    from crossdeps.bundle.sources import Sources
    from crossdeps.derived import DerivedCache
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel


def plan_bundle(
    wheels: Sequence[Wheel],
    target: Target,
    layout: Layout,
    *,
    cache: DerivedCache | None = None,
    direct_urls: Mapping[NormalizedName, bytes] | None = None,
) -> Bundle:
    """List the files of the artifact, before any of it is written.

    Every .dist-info gets an INSTALLER, and a RECORD of the files that are part of the artifact
    ("Recording installed projects"); bytecode and signatures of RECORD never are. The order of
    *wheels* doesn't matter.

    :param cache: keeps what the code of a wheel uses, for ``--slim``
    :param direct_urls: the direct_url.json of projects that come from no index (PEP 610)
    :raises CollisionError: if wheels or the source have different files with the same path
    :raises WheelError: if a wheel has unsafe scripts or unknown schemes
    :raises InputError: if a source cannot be read
    :raises UsageError: if the layout doesn't suit *target*, or a pattern is invalid
    """
    layout.check(target)
    excluded = frozenset(layout.excluded_projects)
    plan = _Plan(layout, cache)
    plan.direct_urls = direct_urls or {}
    for wheel in sorted(wheels, key=lambda wheel: (wheel.name, wheel.filename)):
        if wheel.name in excluded:
            size = sum(member.size for member in wheel.members)
            plan.removed["excluded-project", wheel.name] += size
        else:
            plan.add(wheel)
    for name in sorted(excluded - {wheel.name for wheel in wheels}):
        plan.warnings.append(f"{name} was to be excluded, but isn't among the projects")
    return plan.finish()


class _Plan:
    """What is planned so far; it grows by each wheel and ends as a Bundle."""

    def __init__(self, layout: Layout, cache: DerivedCache | None) -> None:
        self.layout = layout
        self.cache = cache
        self.direct_urls: Mapping[NormalizedName, bytes] = {}
        self.parts: dict[NormalizedName, PlacedWheel] = {}
        self.sources: tuple[Entry, ...] = ()
        self.removed: dict[tuple[str, str], int] = defaultdict(int)
        self.warnings: list[str] = []
        self.unused_scripts: set[str] = set()

    def add(self, wheel: Wheel) -> None:
        other = self.parts.get(wheel.name)
        if other is not None:
            raise CollisionError(
                f"two wheels of {wheel.name}", context=(other.wheel.filename, wheel.filename)
            )
        placed = self.parts[wheel.name] = place_wheel(
            wheel, prefix=self.layout.prefix, scripts=self.layout.has_scripts
        )
        if wheel.name in self.direct_urls:  # which a wheel must not state of itself
            path = f"{self.layout.prefix}{wheel.dist_info}/{DIRECT_URL}"
            others = tuple(entry for entry in placed.entries if entry.path != path)
            placed = self.parts[wheel.name] = replace(placed, entries=others)
        for reason, size in placed.removed.items():
            self.removed[reason, wheel.name] += size
        self.warnings += placed.warnings
        self.unused_scripts.update(placed.unused_scripts)

    def finish(self) -> Bundle:
        source = read_layout_sources(self.layout)
        self.sources = source.entries if source else ()
        parts, prefix = self.parts.values(), self.layout.prefix
        planned = [entry for part in parts for entry in (*part.entries, *part.scripts)]
        planned += self.sources
        by_path = {entry.path: entry for entry in planned}
        directories = self._directories()
        is_plain = (
            len(by_path) == len(planned)
            and by_path.keys().isdisjoint(directories)
            and not self._has_foreign_metadata(by_path)
        )
        kept = self._exclude(planned)
        if not is_plain:
            left = set(map(id, kept))
            kept = resolve_collisions(
                (each for each in self._planned_entries() if id(each.entry) in left), prefix
            )
        is_complete = len(kept) == len(planned)
        metadata = list(self._plan_metadata(None if is_complete else kept))
        entries = sorted((*kept, *metadata), key=attrgetter("path"))
        # Where each installed file is its wheel's own, their sums are known.
        is_known = is_plain and is_complete
        counted = [*metadata, *chain(*(part.scripts for part in parts))] if is_known else entries
        projects = (_installed(part.wheel, prefix, with_size=is_known) for part in parts)
        case_warnings: tuple[str, ...] = ()
        if not have_distinct_spellings({*(entry.path for entry in entries), *directories}):
            case_warnings = find_case_collisions(entry.path for entry in entries)
        return Bundle(
            kind="planned",
            entries=tuple(entries),
            prefix=prefix,
            projects=add_sizes(projects, counted, _compressed_size),
            removed=tuple((*key, size) for key, size in sorted(self.removed.items())),
            warnings=(*self.warnings, *(source.warnings if source else ()), *case_warnings),
            notes=(*self._notes(), *(source.notes if source else ())),
            source_left_out=source.left_out if source else (),
            wheels={name: part.wheel for name, part in self.parts.items()},
        )

    def _exclude(self, planned: Sequence[Entry]) -> Sequence[Entry]:
        """Return what patterns and ``--slim`` leave of the planned entries."""
        if not (self.layout.exclude or self.layout.slim):
            return planned
        from crossdeps.bundle.slimming import exclude_files  # noqa: PLC0415 - most keep all

        kept, removed = exclude_files(planned, self.layout, self.cache)
        for rule, owner, size in removed:
            self.removed[rule, owner] += size
        return kept

    def _directories(self) -> set[str]:
        """Every directory that a planned file is in, and perhaps some of excluded files."""
        prefix = self.layout.prefix
        others = [entry.path for part in self.parts.values() for entry in part.scripts]
        others += [entry.path for entry in self.sources]
        directories = set(parent_directories(others))
        for part in self.parts.values():
            own = part.wheel.installation.directories
            directories.update([prefix + each for each in own] if prefix else own)
        return directories

    def _has_foreign_metadata(self, paths: Container[str]) -> bool:
        """Whether a wheel has files in another's .dist-info directory, or the source in any."""
        return (
            SOURCE_RECORD in paths
            or any(part.wheel.installation.foreign_metadata for part in self.parts.values())
            or any(map(self._is_in_metadata, self.sources))
        )

    def _is_in_metadata(self, source: Entry) -> bool:
        directory = metadata_directory(source.path.removeprefix(self.layout.prefix))
        return directory is not None and directory in {
            part.wheel.dist_info for part in self.parts.values()
        }

    def _planned_entries(self) -> Iterator[PlannedEntry]:
        for part in self.parts.values():
            foreign = {
                self.layout.prefix + path for path in part.wheel.installation.foreign_metadata
            }
            for entry in (*part.entries, *part.scripts):
                yield PlannedEntry(
                    entry=entry,
                    origin=part.wheel.filename,
                    in_foreign_metadata=entry.path in foreign or entry.path == SOURCE_RECORD,
                )
        for entry in self.sources:
            content = entry.content
            yield PlannedEntry(
                entry=entry,
                origin=str(content.file) if isinstance(content, FileContent) else entry.path,
                in_foreign_metadata=self._is_in_metadata(entry),
            )

    def _plan_metadata(self, kept: Iterable[Entry] | None) -> Iterator[Entry]:
        """Yield INSTALLER, direct_url.json and RECORD of projects, and the RECORD of the source.

        :param kept: what is left of the planned entries; None if that is all
        """
        prefix = self.layout.prefix
        paths = None if kept is None else {entry.path for entry in kept}
        for name, part in self.parts.items():
            wheel = part.wheel
            dist_info = prefix + wheel.dist_info
            written = [inline_entry(f"{dist_info}/INSTALLER", f"{INSTALLER}\n".encode(), name)]
            if direct_url := self.direct_urls.get(name):
                written.append(inline_entry(f"{dist_info}/{DIRECT_URL}", direct_url, name))
            yield from written
            own = [
                entry
                for entry in (*part.entries, *part.scripts)
                if paths is None or entry.path in paths
            ]
            if len(own) == len(part.entries) and not (part.scripts or direct_url):
                yield inline_entry(f"{dist_info}/RECORD", wheel.installation.record, name)
            else:
                yield _record(f"{dist_info}/RECORD", (*own, *written), prefix, name)
        sources = [entry for entry in self.sources if paths is None or entry.path in paths]
        if sources:
            yield _record(SOURCE_RECORD, sources, "", None)

    def _notes(self) -> tuple[str, ...]:
        if not self.unused_scripts:
            return ()
        scripts = sorted(self.unused_scripts)
        count = plural(len(scripts), "script is", "scripts are")
        names = first_words(scripts, 8)
        return (f"{count} excluded, since a hosted function starts none: {names}",)


def _installed(wheel: Wheel, prefix: str, *, with_size: bool) -> InstalledProject:
    """Make the project of *wheel*.

    :param with_size: whether it has the size of all installed files, or none yet
    """
    project = wheel.project
    return InstalledProject(
        name=wheel.name,
        version=project.version,
        dist_info=prefix + wheel.dist_info,
        wheel_tags=tuple(sorted(set(wheel.wheel_tags))),
        requires=tuple(item.line for item in project.requires),
        requires_python=project.requires_python,
        provides_extras=project.provides_extras,
        size=wheel.installation.size if with_size else 0,
        compressed=wheel.installation.compressed_size if with_size else 0,
    )


def read_layout_sources(layout: Layout) -> Sources | None:
    """Read the sources of *layout*; None if it has none.

    :raises InputError: if one cannot be read
    """
    if not layout.sources:
        return None
    from crossdeps.bundle.sources import read_sources  # noqa: PLC0415 - for --source only

    return read_sources(layout)


def _compressed_size(entry: Entry) -> int:
    """Return the size of the entry in a zip that we write, without headers."""
    if isinstance(entry.content, WheelContent):
        return entry.content.member.compressed_size
    return entry.size


def _record(
    path: str, entries: Iterable[Entry], prefix: str, owner: NormalizedName | None
) -> Entry:
    """Make a RECORD at *path* that lists *entries*, relative to *prefix*."""
    rows = (
        RecordRow(
            path=entry.path.removeprefix(prefix),
            algorithm="sha256",
            digest=entry.sha256,
            size=entry.size,
        )
        for entry in entries
    )
    return inline_entry(path, render_record(rows, path.removeprefix(prefix)), owner)
