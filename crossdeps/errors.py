"""Every error that crossdeps raises, and the exit code with which each ends a command.

::

    CrossdepsError                  1   the base of all others
    ├── ResourceError               1   no more disk space, memory, threads or files
    ├── UsageError                  2   the command, configuration or input is invalid
    │   ├── TargetError             2   unknown or contradictory Python, architecture or platform
    │   ├── InputError              2   a requirements, project or lock file is invalid
    │   ├── OutputError             2   the output cannot be written without losing files
    │   └── ArtifactReadError       2   the directory or zip to be checked cannot be read
    ├── ResolutionError             3   no set of wheels satisfies the requirements
    │   ├── ProjectNotFoundError    3   no index has the project
    │   ├── NoCandidateError        3   no file of the project satisfies requirement and target
    │   ├── ConflictError           3   the requirements conflict
    │   └── SearchLimitError        3   the resolver reached its limit
    ├── IndexAccessError            4   an index cannot be used
    │   ├── IndexUnreachableError   4   no response
    │   ├── IndexRefusedError       4   a response that refuses access
    │   ├── IndexResponseError      4   an invalid or untrustworthy response
    │   └── OfflineError            4   network access is required, but disabled
    ├── IntegrityError              5   a file differs from what was expected
    │   ├── HashMismatchError       5   a hash differs
    │   └── WheelError              5   an invalid archive, RECORD or metadata in a wheel
    ├── SdistBuildError             6   a build from source failed, or its wheel is not pure Python
    └── ArtifactError               7   the artifact is wrong for its target
        ├── FindingsError           7   a check of the artifact has findings that fail
        └── CollisionError          7   two projects install the same path

An error carries data, not formatted output: ``message`` says what is wrong, ``context`` where (one
line each: a file and line, a wheel, a member), ``hint`` what to do next. The command line renders
all errors in one place. Errors can be pickled and copied with everything that they carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossdeps.finding import Finding


class CrossdepsError(Exception):
    """The base of every error that crossdeps raises deliberately.

    :param message: what is wrong, one sentence without a full stop
    :param context: where, one line each, outermost first
    :param hint: what the user can do next
    :param rule: kebab-case id of the rule that was broken, for a class that covers several
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
        self.context: tuple[str, ...] = context
        self.hint: str | None = hint
        self.rule = rule

    def __str__(self) -> str:
        """Return message and context on one line."""
        return " · ".join((self.message, *self.context))

    def __reduce__(self) -> tuple[Callable[..., CrossdepsError], tuple[object, ...]]:
        """Support pickle and copy, which would call the class with the message alone."""
        return _restore, (type(self), self.args, self.__dict__)

    def within(self, *context: str) -> CrossdepsError:
        """Put *context* before the context that the error already has, and return the error."""
        self.context = (*context, *self.context)
        return self


def _restore(
    kind: type[CrossdepsError], arguments: tuple[object, ...], state: dict[str, Any]
) -> CrossdepsError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class ResourceError(CrossdepsError):
    """This machine has no more disk space, memory, threads or open files, or its disk fails."""

    id = "resource"


class UsageError(CrossdepsError):
    """The command line, the configuration or an input is invalid."""

    id = "usage"
    exit_code = 2


class TargetError(UsageError):
    """The Python, architecture, platform or runtime is unknown, or they contradict each other."""

    id = "target"


class InputError(UsageError):
    """A requirements, project or lock file is missing, unreadable or invalid."""

    id = "input"


class OutputError(UsageError):
    """The output cannot be written, or not without losing files."""

    id = "output"


class ArtifactReadError(UsageError):
    """The directory or zip to be checked cannot be read."""

    id = "artifact-unreadable"


class ResolutionError(CrossdepsError):
    """No set of wheels satisfies the requirements."""

    id = "resolution"
    exit_code = 3


class ProjectNotFoundError(ResolutionError):
    """No index has the project."""

    id = "project-not-found"


class NoCandidateError(ResolutionError):
    """The project exists, but no file of it satisfies the requirement and the target."""

    id = "no-candidate"


class ConflictError(ResolutionError):
    """The requirements conflict with each other."""

    id = "conflict"


class SearchLimitError(ResolutionError):
    """The resolver reached its limit without a solution."""

    id = "search-limit"


class IndexAccessError(CrossdepsError):
    """An index cannot be reached, refuses access, or sends an invalid response."""

    id = "index"
    exit_code = 4


class IndexUnreachableError(IndexAccessError):
    """An index did not respond, after all retries."""

    id = "index-unreachable"


class IndexRefusedError(IndexAccessError):
    """An index refused access (401, 403, 429 and similar)."""

    id = "index-refused"


class IndexResponseError(IndexAccessError):
    """An index sent a response that is invalid or cannot be trusted."""

    id = "index-response"


class OfflineError(IndexAccessError):
    """Network access is required, but disabled."""

    id = "offline"


class IntegrityError(CrossdepsError):
    """A file differs from what was expected."""

    id = "integrity"
    exit_code = 5


class HashMismatchError(IntegrityError):
    """The hash of a file differs from the expected one."""

    id = "hash-mismatch"


class WheelError(IntegrityError):
    """The archive, RECORD or metadata of a wheel is invalid."""

    id = "wheel"


class SdistBuildError(CrossdepsError):
    """A build from source failed, or its wheel is not pure Python."""

    id = "sdist-build"
    exit_code = 6


class ArtifactError(CrossdepsError):
    """The artifact is wrong for its target, or too large."""

    id = "artifact"
    exit_code = 7


class FindingsError(ArtifactError):
    """The artifact would fail on its target, or has warnings that are treated as errors.

    :param findings: all findings that made the command fail
    """

    id = "findings"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        context = (*((first.path,) if first.path else ()), *first.details)
        super().__init__(
            f"{first.message}{more}", context=context, hint=first.hint, rule=first.rule
        )
        self.findings = findings


class CollisionError(ArtifactError):
    """Two projects, or a project and the source, install the same path."""

    id = "collision"
