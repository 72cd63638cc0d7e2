"""Planning the artifact: from verified wheels and the user's source to the list of its files."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.bundle.model import (
    Bundle,
    Entry,
    FileContent,
    InlineContent,
    WheelContent,
    add_sizes,
    read_project,
)
from crossdeps.bundle.placement import (
    SCRIPTS,
    PlannedEntry,
    find_case_collisions,
    make_launchers,
    place_files,
    resolve_collisions,
)
from crossdeps.bundle.slimming import exclude_files
from crossdeps.errors import CollisionError
from crossdeps.text import first_words, plural
from crossdeps.wheels.record import INSTALLER, SOURCE_RECORD, RecordRow, render_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Layout
    from crossdeps.bundle.placement import PlacedFile
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel

_DIST_INFO = re.compile(r"([^/]+\.dist-info)(/|$)", re.IGNORECASE)


def plan_bundle(wheels: Sequence[Wheel], target: Target, layout: Layout) -> Bundle:
    """List the files of the artifact, before any of it is written.

    Every .dist-info gets an INSTALLER, and a RECORD of the files that are part of the artifact
    ("Recording installed projects"); bytecode and signatures of RECORD never are. The order of
    *wheels* doesn't matter.

    :raises CollisionError: if wheels or the source have different files with the same path
    :raises WheelError: if a wheel has unsafe scripts or unknown schemes
    :raises InputError: if a source cannot be read
    :raises UsageError: if the layout doesn't suit *target*, or a pattern is invalid
    """
    layout.check(target)
    excluded = frozenset(layout.excluded_projects)
    plan = _Plan(layout)
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

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.wheels: dict[NormalizedName, Wheel] = {}
        self.planned: list[tuple[Wheel, PlannedEntry]] = []
        self.removed: dict[tuple[str, str], int] = defaultdict(int)
        self.warnings: list[str] = []
        self.unused_scripts: set[str] = set()

    def add(self, wheel: Wheel) -> None:
        other = self.wheels.setdefault(wheel.name, wheel)
        if other is not wheel:
            raise CollisionError(
                f"two wheels of {wheel.name}", context=(other.filename, wheel.filename)
            )
        files = list(place_files(wheel, scripts=self.layout.has_scripts))
        paths = {file.path for file in files}
        for file in files:
            if file.excluded is None:
                self.planned.append((wheel, self._plan_entry(wheel, file)))
            else:
                self._exclude(wheel, file, paths)
        if wheel.entry_points and not self.layout.has_scripts:
            self.unused_scripts.update(launcher.name for launcher in make_launchers(wheel))

    def _exclude(self, wheel: Wheel, file: PlacedFile, paths: set[str]) -> None:
        if file.excluded == "scripts":
            self.unused_scripts.add(file.path.removeprefix(SCRIPTS))
        if file.excluded in {"bytecode", "headers", "scripts"}:
            self.removed[file.excluded, wheel.name] += file.size
        source = f"{file.path.rpartition('.')[0]}.py"
        if file.excluded == "bytecode" and not ("__pycache__/" in file.path or source in paths):
            self.warnings.append(
                f"{wheel.filename} has {file.path} without its source: bytecode suits only one"
                " Python and is excluded"
            )

    def _plan_entry(self, wheel: Wheel, file: PlacedFile) -> PlannedEntry:
        content = file.content
        if isinstance(content, WheelContent):
            sha256, binary = content.member.sha256, content.member.binary
        else:
            sha256, binary = hashlib.sha256(content.data).hexdigest(), None
        entry = Entry(
            path=self.layout.prefix + file.path,
            mode=0o755 if file.executable else 0o644,
            size=file.size,
            sha256=sha256,
            content=content,
            owner=wheel.name,
            binary=binary,
        )
        dist_info = _DIST_INFO.match(file.path)
        is_foreign = dist_info is not None and dist_info[1] != wheel.dist_info
        return PlannedEntry(
            entry=entry,
            origin=wheel.filename,
            in_foreign_metadata=is_foreign or entry.path == SOURCE_RECORD,
        )

    def _plan_source(self, entry: Entry) -> PlannedEntry:
        dist_info = _DIST_INFO.match(entry.path.removeprefix(self.layout.prefix))
        content = entry.content
        return PlannedEntry(
            entry=entry,
            origin=str(content.file) if isinstance(content, FileContent) else entry.path,
            in_foreign_metadata=dist_info is not None
            and any(dist_info[1] == wheel.dist_info for wheel in self.wheels.values()),
        )

    def finish(self) -> Bundle:
        sources, source_warnings = _read_sources(self.layout)
        planned = [entry for _, entry in self.planned] + [*map(self._plan_source, sources)]
        kept, removed = exclude_files(resolve_collisions(planned), self.layout)
        for rule, owner, size in removed:
            self.removed[rule, owner] += size
        entries = sorted((*kept, *self._plan_metadata(kept, sources)), key=lambda each: each.path)
        prefix = self.layout.prefix
        projects = (
            read_project(prefix + wheel.dist_info, wheel.metadata, wheel.wheel_tags)
            for wheel in self.wheels.values()
        )
        case_warnings = find_case_collisions(entry.path for entry in entries)
        return Bundle(
            kind="planned",
            entries=tuple(entries),
            prefix=prefix,
            projects=add_sizes(projects, entries, _compressed_size),
            removed=tuple((*key, size) for key, size in sorted(self.removed.items())),
            warnings=(*self.warnings, *source_warnings, *case_warnings),
            notes=self._notes(),
        )

    def _plan_metadata(self, kept: Sequence[Entry], sources: Sequence[Entry]) -> Iterable[Entry]:
        """Yield INSTALLER and RECORD of each project, and the RECORD of the source."""
        prefix = self.layout.prefix
        by_path = {entry.path: entry for entry in kept}
        paths: dict[NormalizedName, set[str]] = defaultdict(set)
        for wheel, planned in self.planned:
            if planned.entry.path in by_path:
                paths[wheel.name].add(planned.entry.path)
        for name, wheel in self.wheels.items():
            dist_info = prefix + wheel.dist_info
            installer = _inline(f"{dist_info}/INSTALLER", f"{INSTALLER}\n".encode(), name)
            entries = [*(by_path[path] for path in paths[name]), installer]
            yield installer
            yield _record(f"{dist_info}/RECORD", entries, prefix, name)
        own_files = [entry for entry in sources if entry.path in by_path]
        if own_files:
            yield _record(SOURCE_RECORD, own_files, "", None)

    def _notes(self) -> tuple[str, ...]:
        if not self.unused_scripts:
            return ()
        scripts = sorted(self.unused_scripts)
        count = plural(len(scripts), "script is", "scripts are")
        names = first_words(scripts, 8)
        return (f"{count} excluded, since a hosted function starts none: {names}",)


def _read_sources(layout: Layout) -> tuple[list[Entry], list[str]]:
    if not layout.sources:
        return [], []
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
    return _inline(path, render_record(rows, path.removeprefix(prefix)), owner)


def _inline(path: str, data: bytes, owner: NormalizedName | None) -> Entry:
    return Entry(
        path=path,
        mode=0o644,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=InlineContent(data=data),
        owner=owner,
    )
