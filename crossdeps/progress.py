"""Progress of a run, reported to methods that do nothing unless they are overridden."""

from __future__ import annotations


class Progress:
    """Base class of progress reporters. Methods may be called from several threads.

    What a method raises ends the run and reaches its caller; nothing half made is left behind.
    """

    def resolving(self, requirements: int) -> None:
        """Called once, before resolution, with the number of root requirements."""

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Called when the resolver pins *version*; *pinned* is the number of pinned projects."""

    def backtracking(self, project: str, rounds: int) -> None:
        """Called when the resolver backtracks, with the number of rounds so far."""

    def resolved(self, projects: int) -> None:
        """Called once, after resolution, with the number of projects."""

    def fetching(self, wheels: int, size: int) -> None:
        """Called before downloads, with the bytes to download as far as they are known."""

    def fetched(self, filename: str, size: int) -> None:
        """Called when *size* more bytes of *filename* were received."""

    def building(self, project: str) -> None:
        """Called before pip builds *project* from source."""

    def build_output(self, line: str) -> None:
        """Called for each line of the output of a build."""

    def writing(self, path: str, entries: int) -> None:
        """Called before the artifact is written."""

    def wrote(self, path: str, size: int) -> None:
        """Called when the artifact is complete."""
