"""Every error that crossdeps raises, and the exit code each ends a command with.

::

    CrossdepsError                  1   anything below
    ├── UsageError                  2   what was asked can't be understood
    │   ├── TargetError             2   no such Python, architecture, platform or runtime
    │   ├── InputError              2   a requirements, project or lock file is unreadable or wrong
    │   ├── OutputError             2   the output path can't be used without losing something
    │   └── ArtifactReadError       2   a directory or zip that was to be checked can't be read
    ├── ResolutionError             3   no set of wheels satisfies the requirements
    │   ├── ProjectNotFoundError    3   no index has the project
    │   ├── NoCandidateError        3   the project exists, but nothing of it fits
    │   ├── ConflictError           3   the requirements contradict each other
    │   └── SearchLimitError        3   the search passed its bound
    ├── IndexAccessError            4   an index can't be reached, refuses, or answers nonsense
    │   ├── IndexUnreachableError   4   no answer
    │   ├── IndexRefusedError       4   an answer that says no
    │   ├── IndexResponseError      4   an answer that can't be understood or trusted
    │   └── OfflineError            4   the network is needed, and was forbidden
    ├── IntegrityError              5   bytes that aren't what they should be
    │   ├── HashMismatchError       5   a file's hash differs from the one expected
    │   └── WheelError              5   a wheel breaks the rules of archives, RECORD or metadata
    ├── SdistBuildError             6   building from source failed, or gave a native wheel
    └── ArtifactError               7   the artifact is wrong for its target
        └── CollisionError          7   two projects want one path

An error carries facts, never a rendered screen: ``message`` says what was wrong, ``context`` where
(one line each: a file and line, a wheel, a member), ``hint`` what to do next. The command line
renders all of them in one place.
"""

from __future__ import annotations

from typing import ClassVar


class CrossdepsError(Exception):
    """Base of every error that crossdeps raises on purpose.

    :param message: what was wrong, one sentence without a full stop
    :param context: where, one line each, from the outside in
    :param hint: what the user can do next
    :param rule: kebab-case id of the particular rule that was broken, where a class covers several
    """

    id: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        context: tuple[str, ...] = (),
        hint: str | None = None,
        rule: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.context = context
        self.hint = hint
        self.rule = rule

    def __str__(self) -> str:
        """The message and where it applies, on one line."""
        return " · ".join((self.message, *self.context))

    def within(self, *context: str) -> CrossdepsError:
        """Return this error with *context* put before its own, by a caller that knows more."""
        self.context = (*context, *self.context)
        return self


class UsageError(CrossdepsError):
    """What was asked can't be understood."""

    id = "usage"
    exit_code = 2


class TargetError(UsageError):
    """No such Python, architecture, platform or runtime."""

    id = "target"


class InputError(UsageError):
    """A requirements, project or lock file is missing, unreadable or wrong."""

    id = "input"


class OutputError(UsageError):
    """The output path can't be used without losing something, or can't be written."""

    id = "output"


class ArtifactReadError(UsageError):
    """A directory or zip that was to be checked can't be read."""

    id = "artifact-unreadable"


class ResolutionError(CrossdepsError):
    """No set of wheels satisfies the requirements."""

    id = "resolution"
    exit_code = 3


class ProjectNotFoundError(ResolutionError):
    """No index has the project."""

    id = "project-not-found"


class NoCandidateError(ResolutionError):
    """The project exists, but none of its files fits the requirement and the target."""

    id = "no-candidate"


class ConflictError(ResolutionError):
    """The requirements contradict each other."""

    id = "conflict"


class SearchLimitError(ResolutionError):
    """The search passed its bound without an answer."""

    id = "search-limit"


class IndexAccessError(CrossdepsError):
    """An index can't be reached, refuses, or answers nonsense."""

    id = "index"
    exit_code = 4


class IndexUnreachableError(IndexAccessError):
    """No answer from an index, after every retry."""

    id = "index-unreachable"


class IndexRefusedError(IndexAccessError):
    """An index answered, and refused (401, 403, 429 and the like)."""

    id = "index-refused"


class IndexResponseError(IndexAccessError):
    """An index answered something that can't be understood or trusted."""

    id = "index-response"


class OfflineError(IndexAccessError):
    """The network is needed, and was forbidden."""

    id = "offline"


class IntegrityError(CrossdepsError):
    """Bytes that aren't what they should be."""

    id = "integrity"
    exit_code = 5


class HashMismatchError(IntegrityError):
    """A file's hash differs from the one expected."""

    id = "hash-mismatch"


class WheelError(IntegrityError):
    """A wheel breaks the rules for archives, RECORD or metadata."""

    id = "wheel"


class SdistBuildError(CrossdepsError):
    """Building a source distribution failed, or its result is native."""

    id = "sdist-build"
    exit_code = 6


class ArtifactError(CrossdepsError):
    """The artifact is wrong for its target, or too large."""

    id = "artifact"
    exit_code = 7


class CollisionError(ArtifactError):
    """Two projects, or a project and the source, want one path."""

    id = "collision"
