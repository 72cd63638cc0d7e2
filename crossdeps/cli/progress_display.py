"""Progress as lines, for -v: on a build server, or to see what takes so long."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    DownloadColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column

from crossdeps.progress import Progress
from crossdeps.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import ProgressColumn, TaskID


class LoggedProgress(Progress):
    """A line for each step, and with *detailed* one for each choice of the search too."""

    def __init__(self, say: Callable[[str], None], *, detailed: bool) -> None:
        self._say = say
        self._detailed = detailed

    def resolving(self, requirements: int) -> None:
        """Say that the search begins."""
        self._say(f"resolving, requirements: {requirements}")

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Say what was chosen, if every choice is of interest."""
        if self._detailed:
            self._say(f"  {pinned}: {project} {version}")

    def backtracking(self, project: str, rounds: int) -> None:
        """Say what was taken back, if every choice is of interest."""
        if self._detailed:
            self._say(f"  round {rounds}: another {project}")

    def resolved(self, projects: int) -> None:
        """Say how many projects are needed."""
        self._say(f"resolved, projects: {projects}")

    def fetching(self, wheels: int, size: int) -> None:
        """Say what has to be downloaded."""
        self._say(f"downloading, wheels: {wheels}, bytes: {size}")

    def building(self, project: str) -> None:
        """Say what pip is building."""
        self._say(f"building {project}")

    def build_output(self, line: str) -> None:
        """Pass on what the build prints."""
        self._say(f"  {line.rstrip()}")

    def writing(self, path: str, entries: int) -> None:
        """Say that the artifact is being written."""
        self._say(f"writing {path}, files: {entries}")

    def wrote(self, path: str, size: int) -> None:
        """Say that the artifact is complete."""
        self._say(f"wrote {path}, bytes: {size}")


class LiveProgress(Progress):
    """Told of the work by any thread, it redraws the line a few times a second."""

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._console = RichConsole(
            file=stream, color_system="auto" if color else None, highlight=False, emoji=False
        )
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._wheels = 0
        self._missing = 0

    def resolving(self, requirements: int) -> None:
        """Show that the search has begun."""
        self._show("Resolving", plural(requirements, "requirement"))

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Show the project that the search is at."""
        self._tell(f"{plural(pinned, 'project')}, {project} {version}")

    def backtracking(self, project: str, rounds: int) -> None:
        """Show that a choice is taken back: a long search says what it is doing."""
        self._tell(f"round {rounds:,}, trying another {project}")

    def resolved(self, projects: int) -> None:
        """Say so until the next step begins."""
        self._tell(plural(projects, "project"))

    def fetching(self, wheels: int, size: int) -> None:
        """Show a bar for the downloads."""
        if wheels:
            self._wheels = wheels
            self._missing = size
            self._show("Downloading", plural(wheels, "wheel"), total=size)

    def fetched(self, filename: str, size: int) -> None:
        """Move the bar; when all has arrived, what takes time is to verify it."""
        del filename
        with self._lock:
            if self._bars is not None and self._task is not None:
                self._bars.advance(self._task, size)
            complete = 0 < self._missing <= size
            self._missing -= size
        if complete:
            self._show("Verifying", plural(self._wheels, "wheel"))

    def building(self, project: str) -> None:
        """Show what pip is building."""
        self._show("Building", project)

    def build_output(self, line: str) -> None:
        """Show the newest line of the build."""
        self._tell(line.strip())

    def writing(self, path: str, entries: int) -> None:
        """Show that the artifact is being written."""
        del path
        self._show("Writing", plural(entries, "file"))

    def wrote(self, path: str, size: int) -> None:
        """Take the line away."""
        del path, size
        self.close()

    def close(self) -> None:
        """Take the line away, whatever happened."""
        with self._lock:
            bars, self._bars = self._bars, None
        if bars is not None:
            bars.stop()

    def _show(self, step: str, detail: str, *, total: int | None = None) -> None:
        self.close()
        bars = Bars(*_columns(bar=total is not None), console=self._console, transient=True)
        with self._lock:
            self._bars = bars
            self._task = bars.add_task(step, total=total or None, detail=printable(detail))
        bars.start()

    def _tell(self, detail: str) -> None:
        with self._lock:
            if self._bars is not None and self._task is not None:
                self._bars.update(self._task, detail=printable(detail))


def _columns(*, bar: bool) -> list[ProgressColumn]:
    detail = TextColumn(
        "{task.fields[detail]}",
        markup=False,
        table_column=Column(no_wrap=True, overflow="ellipsis", ratio=None if bar else 1),
    )
    columns: list[ProgressColumn] = [
        SpinnerColumn("line"),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        detail,
    ]
    if bar:
        columns += [
            BarColumn(bar_width=24),
            DownloadColumn(table_column=Column(no_wrap=True)),
            TransferSpeedColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        ]
    return columns
