"""Progress for people: lines with -v, and a live display on a terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TextIO

import msgspec

from crossdeps.progress import Progress
from crossdeps.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import rich.console
    import rich.progress

DELAY: Final = 0.3
"""Seconds that a run may take without a display: a short one neither loads rich nor flickers."""


class LoggedProgress(Progress):
    """A line for each step, and with *detailed* one for each choice of the search too."""

    def __init__(self, print_line: Callable[[str], None], *, detailed: bool) -> None:
        self._print_line = print_line
        self._detailed = detailed

    def resolving(self, requirements: int) -> None:
        """Print that the search begins."""
        self._print_line(f"resolving, requirements: {requirements}")

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Print what was chosen, if *detailed*."""
        if self._detailed:
            self._print_line(f"  {pinned}: {project} {version}")

    def backtracking(self, project: str, rounds: int) -> None:
        """Print which choice was undone, if *detailed*."""
        if self._detailed:
            self._print_line(f"  round {rounds}: another {project}")

    def resolved(self, projects: int) -> None:
        """Print how many projects are needed."""
        self._print_line(f"resolved, projects: {projects}")

    def fetching(self, wheels: int, size: int) -> None:
        """Print what has to be downloaded."""
        self._print_line(f"downloading, wheels: {wheels}, bytes: {size}")

    def building(self, project: str) -> None:
        """Print what pip is building."""
        self._print_line(f"building {project}")

    def build_output(self, line: str) -> None:
        """Print the output of the build."""
        self._print_line(f"  {line.rstrip()}")

    def writing(self, path: str, entries: int) -> None:
        """Print that the artifact is being written."""
        self._print_line(f"writing {path}, files: {entries}")

    def wrote(self, path: str, size: int) -> None:
        """Print that the artifact is complete."""
        self._print_line(f"wrote {path}, bytes: {size}")


class _Step(msgspec.Struct):
    """What is shown: the current step of the run.

    :param total: bytes to download; None for a step without a bar
    :param done: bytes downloaded
    """

    name: str
    detail: str
    total: int | None = None
    done: int = 0


class LiveProgress(Progress):
    """A live line, redrawn a few times a second; any thread may report to it.

    :param delay: seconds from the first event until the line appears
    """

    def __init__(self, stream: TextIO, *, color: bool, delay: float = DELAY) -> None:
        self._stream = stream
        self._color = color
        self._timer = threading.Timer(delay, self._appear)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._step: _Step | None = None
        self._console: rich.console.Console | None = None
        self._bars: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._wheels = 0
        self._missing = 0

    def resolving(self, requirements: int) -> None:
        """Show that the search has begun."""
        self._show("Resolving", plural(requirements, "requirement"))

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Show the current project of the search."""
        self._update(f"{plural(pinned, 'project')}, {project} {version}")

    def backtracking(self, project: str, rounds: int) -> None:
        """Show that a choice is undone: a long search shows what it is doing."""
        self._update(f"round {rounds:,}, trying another {project}")

    def resolved(self, projects: int) -> None:
        """Show the number of projects until the next step begins."""
        self._update(plural(projects, "project"))

    def fetching(self, wheels: int, size: int) -> None:
        """Show a bar for the downloads."""
        if wheels:
            self._wheels = wheels
            self._missing = size
            self._show("Downloading", plural(wheels, "wheel"), total=size)

    def fetched(self, filename: str, size: int) -> None:
        """Move the bar; after the last wheel, the time is spent on verifying."""
        del filename
        with self._lock:
            if self._step is not None:
                self._step.done += size
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
        self._update(line.strip())

    def writing(self, path: str, entries: int) -> None:
        """Show that the artifact is being written."""
        del path
        self._show("Writing", plural(entries, "file"))

    def wrote(self, path: str, size: int) -> None:
        """Remove the line."""
        del path, size
        self.close()

    def close(self) -> None:
        """Remove the line."""
        with self._lock:
            self._step = None
            self._erase()
        self._timer.cancel()

    def _show(self, name: str, detail: str, *, total: int | None = None) -> None:
        with self._lock:
            self._step = _Step(name, printable(detail), total)
            if self._console is not None:
                self._draw(self._step, self._console)
            elif not self._timer.ident:
                self._timer.start()

    def _update(self, detail: str) -> None:
        with self._lock:
            if self._step is not None:
                self._step.detail = printable(detail)
            if self._bars is not None and self._task is not None:
                self._bars.update(self._task, detail=printable(detail))

    def _appear(self) -> None:
        """Load rich, and draw the current step, in the thread of the timer."""
        import rich.console  # noqa: PLC0415 - loads much, and few runs take so long
        import rich.progress  # noqa: PLC0415 - the same

        console = rich.console.Console(
            file=self._stream,
            color_system="auto" if self._color else None,
            highlight=False,
            emoji=False,
        )
        with self._lock:
            self._console = console
            if self._step is not None:
                self._draw(self._step, console)

    def _draw(self, step: _Step, console: rich.console.Console) -> None:
        from rich.progress import Progress as Bars  # noqa: PLC0415 - as above

        self._erase()
        self._bars = Bars(
            *_columns(bar=step.total is not None),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bars.add_task(
            step.name, total=step.total or None, completed=step.done, detail=step.detail
        )
        self._bars.start()

    def _erase(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = None


def _columns(*, bar: bool) -> list[rich.progress.ProgressColumn]:
    from rich.progress import (  # noqa: PLC0415 - see LiveProgress
        BarColumn,
        DownloadColumn,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.table import Column  # noqa: PLC0415 - the same

    detail = TextColumn(
        "{task.fields[detail]}",
        markup=False,
        table_column=Column(no_wrap=True, overflow="ellipsis", ratio=None if bar else 1),
    )
    columns: list[rich.progress.ProgressColumn] = [
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
