"""Files that don't fit, each with its reason, made when someone looks at them.

A page may have tens of thousands of them, of which a report shows those of newer versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from crossdeps.resolution.model import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.model import RejectionReason

Failure = tuple["RejectionReason", str]
"""The first check that a file failed, and what it found."""


class Rejections(Sequence[Rejection]):
    """The rejected ones among *files*, in page order.

    :param failures: place of each among *files*, and why it fell
    :param names: file name of every file, in the order of *files*
    :param version_of: the version that a file name states
    """

    __slots__ = ("_all", "_failures", "_files", "_names", "_version_of")

    def __init__(
        self,
        files: Sequence[ProjectFile],
        failures: Sequence[tuple[int, Failure]],
        *,
        names: Sequence[str],
        version_of: Callable[[str], Version | None],
    ) -> None:
        self._files = files
        self._failures = failures
        self._names = names
        self._version_of = version_of
        self._all: tuple[Rejection, ...] | None = None

    def above(self, version: Version) -> tuple[Rejection, ...]:
        """Those whose file names state a newer version than *version*, and no others are made."""
        is_newer: dict[Version, bool] = {}
        found = []
        for place, failure in self._failures:
            stated = self._version_of(self._names[place])
            if stated is None:
                continue
            newer = is_newer.get(stated)
            if newer is None:
                newer = is_newer[stated] = stated > version
            if newer:
                found.append(self._make(place, failure))
        return tuple(found)

    def _make(self, place: int, failure: Failure) -> Rejection:
        file = self._files[place]
        reason, detail = failure
        return Rejection(
            file=file, version=self._version_of(file.filename), reason=reason, detail=detail
        )

    def _made(self) -> tuple[Rejection, ...]:
        if self._all is None:
            self._all = tuple(self._make(place, failure) for place, failure in self._failures)
        return self._all

    @overload
    def __getitem__(self, index: int) -> Rejection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rejection]: ...
    def __getitem__(self, index: int | slice) -> Rejection | Sequence[Rejection]:
        return self._made()[index]

    def __len__(self) -> int:
        return len(self._failures)
