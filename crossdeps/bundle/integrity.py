"""Bytes that are written are the bytes that were planned."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crossdeps.bundle.model import FileContent
from crossdeps.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.bundle.model import Entry


class Check:
    """Compares an entry's bytes, as they pass, with what was planned."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._digest = hashlib.sha256()
        self._size = 0

    def pass_through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Give *chunks* on, and stop where they differ from the plan.

        :raises OutputError: if there are more or fewer bytes than planned, or other ones
        """
        for chunk in chunks:
            self._size += len(chunk)
            if self._size > self._entry.size:
                raise self._error()
            self._digest.update(chunk)
            yield chunk
        expected = self._entry.sha256
        if self._size != self._entry.size or (expected and self._digest.hexdigest() != expected):
            raise self._error()

    def _error(self) -> OutputError:
        content = self._entry.content
        what = str(content.file) if isinstance(content, FileContent) else self._entry.path
        return OutputError(
            f"{what} changed while it was being packaged",
            hint="run again when nothing writes to it",
        )
