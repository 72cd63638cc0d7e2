"""Progress on a terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from crossdeps.progress import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


class LiveProgress(Progress):
    """One line that follows the work, and leaves nothing behind."""

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._console = RichConsole(file=stream, no_color=not color, highlight=False)
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def resolving(self, requirements: int) -> None:
        """Show that the search has begun."""
        self._show(f"resolving {requirements} requirements", bar=False)

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Show the project that the search is at."""
        self._describe(f"resolving: {pinned} projects, {project} {version}")

    def backtracking(self, project: str, rounds: int) -> None:
        """Show that a choice is taken back; a long search says what it is doing."""
        self._describe(f"resolving: round {rounds}, trying another {project}")

    def resolved(self, projects: int) -> None:
        """Take the line away."""
        self._hide()

    def fetching(self, wheels: int, size: int) -> None:
        """Show a bar for the downloads."""
        if wheels:
            self._show(f"downloading {wheels} wheels", bar=True, total=size)

    def fetched(self, filename: str, size: int) -> None:
        """Move the bar."""
        with self._lock:
            if self._bars is not None and self._task is not None:
                self._bars.advance(self._task, size)

    def building(self, project: str) -> None:
        """Show what pip is building."""
        self._show(f"building {project}", bar=False)

    def build_output(self, line: str) -> None:
        """Show the newest line of the build."""
        self._describe(f"building: {line[:60]}")

    def writing(self, path: str, entries: int) -> None:
        """Show that the artifact is being written."""
        self._show(f"writing {entries} files", bar=False)

    def wrote(self, path: str, size: int) -> None:
        """Take the line away."""
        self._hide()

    def close(self) -> None:
        """Take the line away, whatever happened."""
        self._hide()

    def _show(self, text: str, *, bar: bool, total: int = 0) -> None:
        self._hide()
        columns = [TextColumn("{task.description}", markup=False)]
        more = [BarColumn(), DownloadColumn(), TransferSpeedColumn()] if bar else []
        with self._lock:
            self._bars = Bars(*columns, *more, console=self._console, transient=True)
            self._task = self._bars.add_task(text, total=total or None)
            self._bars.start()

    def _describe(self, text: str) -> None:
        with self._lock:
            if self._bars is not None and self._task is not None:
                self._bars.update(self._task, description=text)

    def _hide(self) -> None:
        with self._lock:
            bars, self._bars = self._bars, None
        if bars is not None:
            bars.stop()
