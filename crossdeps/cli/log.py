"""Progress as lines, for -v: on a build server, or to see what takes so long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable


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
