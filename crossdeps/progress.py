"""What long work tells while it goes on: a reporter whose methods do nothing."""

from __future__ import annotations


class Progress:
    """Override what you want to hear of. Methods may be called from several threads."""

    def resolving(self, requirements: int) -> None:
        """Called once, before the search, with the number of root requirements."""

    def considered(self, project: str, version: str, pinned: int) -> None:
        """Called when the resolver pins *version*; *pinned* is how many projects are pinned now."""

    def backtracking(self, project: str, rounds: int) -> None:
        """Called when a pin had to be taken back."""

    def resolved(self, projects: int) -> None:
        """Called once, after the search."""

    def fetching(self, wheels: int, size: int) -> None:
        """Called before downloads, with the bytes still to fetch as far as they are known."""

    def fetched(self, filename: str, size: int) -> None:
        """Called when *size* more bytes of *filename* have arrived."""

    def building(self, project: str) -> None:
        """Called before pip is started to build *project*."""

    def build_output(self, line: str) -> None:
        """Called for each line that such a build prints."""

    def writing(self, path: str, entries: int) -> None:
        """Called before the artifact is written."""

    def wrote(self, path: str, size: int) -> None:
        """Called when the artifact is complete."""
