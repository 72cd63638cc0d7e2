"""From verified wheels and the user's source to the list of what will be laid out."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crossdeps.bundle.content import read_content
from crossdeps.bundle.model import (
    Bundle,
    Entry,
    FileContent,
    InlineContent,
    WheelContent,
    installed_project,
)
from crossdeps.bundle.placement import SCRIPTS, Claim, case_collisions, place, script_names, settle
from crossdeps.bundle.slimming import trim
from crossdeps.bundle.sources import read_sources
from crossdeps.errors import CollisionError
from crossdeps.text import first_words, plural
from crossdeps.wheels.record import INSTALLER, SOURCE_RECORD, RecordRow, render_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import InstalledProject, Layout
    from crossdeps.bundle.placement import Placed
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel

_DIST_INFO = re.compile(r"([^/]+\.dist-info)(/|$)", re.IGNORECASE)


def plan_bundle(wheels: Sequence[Wheel], target: Target, layout: Layout) -> Bundle:
    """List what the artifact will hold, before a byte of it is written.

    Every .dist-info gets an INSTALLER and a RECORD of what is really laid out ("Recording
    installed projects"); bytecode and RECORD signatures are never laid out. The order of *wheels*
    doesn't matter.

    :raises CollisionError: if two wheels, or a wheel and the source, want one path with other bytes
    :raises WheelError: if a wheel has scripts or schemes that can't be laid out safely
    :raises InputError: if a source can't be read
    :raises UsageError: if the layout doesn't fit *target*, or a glob can't be understood
    """
    layout.check(target)
    excluded = frozenset(layout.excluded_projects)
    chosen = sorted(wheels, key=lambda wheel: (wheel.name, wheel.filename))
    plan = _Plan(layout=layout)
    for wheel in chosen:
        if wheel.name in excluded:
            plan.remove("excluded-project", wheel.name, sum(m.size for m in wheel.members))
        else:
            plan.add(wheel)
    for name in sorted(excluded - {wheel.name for wheel in chosen}):
        plan.warnings.append(f"{name} was to be left out, and isn't among the projects")
    return plan.finish()


@dataclass(kw_only=True, slots=True)
class _Plan:
    """What is known so far; it grows wheel by wheel and ends as a Bundle."""

    layout: Layout
    wheels: list[Wheel] = field(default_factory=list)
    claims: list[tuple[Wheel, Claim]] = field(default_factory=list)
    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    unused_scripts: dict[NormalizedName, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def remove(self, rule: str, owner: str, size: int) -> None:
        self.removed[rule, owner] = self.removed.get((rule, owner), 0) + size

    def add(self, wheel: Wheel) -> None:
        if any(wheel.name == other.name for other in self.wheels):
            other = next(other for other in self.wheels if wheel.name == other.name)
            raise CollisionError(
                f"two wheels of {wheel.name}", context=(other.filename, wheel.filename)
            )
        self.wheels.append(wheel)
        placed = list(place(wheel, scripts=self.layout.has_scripts))
        sources = {item.path for item in placed}
        for item in placed:
            self._add_placed(wheel, item, sources)
        if wheel.entry_points and not self.layout.has_scripts:
            self.unused_scripts[wheel.name].extend(script_names(wheel))

    def _add_placed(self, wheel: Wheel, item: Placed, siblings: set[str]) -> None:
        if item.leftover is None:
            self.claims.append((wheel, self._claim(wheel, item)))
            return
        if item.leftover == "scripts":
            self.unused_scripts[wheel.name].append(item.path.removeprefix(SCRIPTS))
        if item.leftover in {"bytecode", "headers", "scripts"}:
            self.remove(item.leftover, wheel.name, _size(item))
        if item.leftover == "bytecode" and _is_sourceless(item.path, siblings):
            self.warnings.append(
                f"{wheel.filename} has {item.path} without its source: bytecode fits one Python"
                " only and is left out"
            )

    def _claim(self, wheel: Wheel, item: Placed) -> Claim:
        content = item.content
        if isinstance(content, WheelContent):
            sha256, binary = content.member.sha256, content.member.binary
        else:
            sha256, binary = hashlib.sha256(content.data).hexdigest(), None
        directory = _DIST_INFO.match(item.path)
        entry = Entry(
            path=self.layout.prefix + item.path,
            mode=0o755 if item.executable else 0o644,
            size=_size(item),
            sha256=sha256,
            content=content,
            owner=wheel.name,
            binary=binary,
        )
        return Claim(
            entry=entry,
            claimant=wheel.filename,
            foreign=(directory is not None and directory[1] != wheel.dist_info)
            or entry.path == SOURCE_RECORD,
        )

    def _source_claim(self, entry: Entry) -> Claim:
        directory = _DIST_INFO.match(entry.path.removeprefix(self.layout.prefix))
        return Claim(
            entry=entry,
            claimant=_place_of(entry),
            foreign=directory is not None
            and any(directory[1] == wheel.dist_info for wheel in self.wheels),
        )

    def finish(self) -> Bundle:
        sources, source_warnings = read_sources(self.layout)
        claims = [claim for _, claim in self.claims]
        claims += [self._source_claim(entry) for entry in sources]
        settled = settle(claims)
        kept, removed = trim(settled, self.layout)
        for rule, owner, size in removed:
            self.remove(rule, owner, size)
        entries = sorted((*kept, *self._metadata(kept, sources)), key=lambda entry: entry.path)
        return Bundle(
            kind="planned",
            entries=tuple(entries),
            prefix=self.layout.prefix,
            projects=self._projects(entries),
            removed=tuple((*key, size) for key, size in sorted(self.removed.items())),
            warnings=(
                *self.warnings,
                *source_warnings,
                *case_collisions(entry.path for entry in entries),
            ),
            notes=self._notes(),
        )

    def _metadata(self, kept: Sequence[Entry], sources: Sequence[Entry]) -> Iterable[Entry]:
        """INSTALLER and RECORD of each project, and a RECORD of what no project has."""
        prefix = self.layout.prefix
        laid_out = {entry.path: entry for entry in kept}
        paths_of: dict[NormalizedName, set[str]] = defaultdict(set)
        for wheel, claim in self.claims:
            if claim.entry.path in laid_out:
                paths_of[wheel.name].add(claim.entry.path)
        for wheel in self.wheels:
            installer = _inline(
                f"{prefix}{wheel.dist_info}/INSTALLER", f"{INSTALLER}\n".encode(), wheel.name
            )
            own = [laid_out[path] for path in paths_of[wheel.name]]
            rows = [_row(entry, prefix) for entry in (*own, installer)]
            record = render_record(rows, f"{wheel.dist_info}/RECORD")
            yield installer
            yield _inline(f"{prefix}{wheel.dist_info}/RECORD", record, wheel.name)
        own_files = [entry for entry in sources if entry.path in laid_out]
        if own_files:
            rows = [_row(entry, "") for entry in own_files]
            yield _inline(SOURCE_RECORD, render_record(rows, SOURCE_RECORD), None)

    def _projects(self, entries: Sequence[Entry]) -> tuple[InstalledProject, ...]:
        sizes: dict[NormalizedName | None, list[int]] = defaultdict(lambda: [0, 0])
        for entry in entries:
            sums = sizes[entry.owner]
            sums[0] += entry.size
            sums[1] += compressed_size(entry)
        return tuple(
            replace(
                installed_project(
                    f"{self.layout.prefix}{wheel.dist_info}", wheel.metadata, _wheel_file(wheel)
                ),
                size=sizes[wheel.name][0],
                compressed=sizes[wheel.name][1],
            )
            for wheel in self.wheels
        )

    def _notes(self) -> tuple[str, ...]:
        scripts = sorted({name for names in self.unused_scripts.values() for name in names})
        if not scripts:
            return ()
        count = plural(len(scripts), "script is", "scripts are")
        names = first_words(scripts, 8)
        return (f"{count} left out, as a hosted function starts none: {names}",)


def compressed_size(entry: Entry) -> int:
    """The bytes that the entry takes in a zip that we write, headers aside."""
    if isinstance(entry.content, WheelContent):
        return entry.content.member.compressed_size
    return entry.size


def _inline(path: str, data: bytes, owner: NormalizedName | None) -> Entry:
    return Entry(
        path=path,
        mode=0o644,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=InlineContent(data=data),
        owner=owner,
    )


def _row(entry: Entry, prefix: str) -> RecordRow:
    path = entry.path.removeprefix(prefix)
    return RecordRow(path=path, algorithm="sha256", digest=entry.sha256, size=entry.size)


def _size(item: Placed) -> int:
    content = item.content
    return content.member.size if isinstance(content, WheelContent) else len(content.data)


def _wheel_file(wheel: Wheel) -> bytes | None:
    path = f"{wheel.dist_info}/WHEEL"
    for member in wheel.members:
        if member.path == path:
            return read_content(WheelContent(wheel=wheel, member=member))
    return None


def _place_of(entry: Entry) -> str:
    return str(entry.content.file) if isinstance(entry.content, FileContent) else entry.path


def _is_sourceless(path: str, siblings: set[str]) -> bool:
    return "__pycache__/" not in path and f"{path.rpartition('.')[0]}.py" not in siblings
