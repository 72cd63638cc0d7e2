"""What callers may hand over as requirements, and what it means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crossdeps.errors import InputError
from crossdeps.inputs import InputRequest, is_pylock

Asked = InputRequest | str | os.PathLike[str] | Sequence[str]
"""A request; or the path of a requirements file, project or lock; or requirements one by one."""

_FILE_SUFFIXES = (".txt", ".toml", ".in")


def request_of(asked: Asked) -> InputRequest:
    """Turn what a caller handed over into a request.

    A single string or path names a file. In a sequence, what ends like a requirements file and
    isn't a requirement by its form (``requirements.txt``, ``pylock.toml``) is a file too: a
    project of that name would be a trap, not a wish.

    >>> request_of("requirements.txt").requirement_files
    ('requirements.txt',)
    >>> request_of(["requests>=2"]).requirements
    ('requests>=2',)
    """
    if isinstance(asked, InputRequest):
        return _sorted_out(asked)
    if isinstance(asked, (str, os.PathLike)):
        return InputRequest(requirement_files=(os.fspath(asked),))
    return _sorted_out(InputRequest(requirements=tuple(asked)))


def lock_beside(request: InputRequest) -> Path | None:
    """The lock that *request* consists of, or None where it is something else.

    :raises InputError: if a lock is asked for together with something else
    """
    locks = [Path(name) for name in request.requirement_files if is_pylock(Path(name))]
    if not locks:
        return None
    others = (
        *request.requirements, *request.requirement_files, *request.constraint_files,
        *request.override_files, *request.groups, *request.extras,
    )  # fmt: skip
    if len(others) > 1:
        raise InputError(
            f"{locks[0]} is a whole plan: nothing can be asked for beside it",
            context=tuple(other for other in others if other != str(locks[0])),
            hint="build the lock alone, or make a new one with crossdeps lock",
        )
    return locks[0]


def requirements_of(asked: Asked) -> InputRequest:
    """Turn what a caller handed over into a request to resolve.

    :raises InputError: if it is a lock, in which everything is chosen already
    """
    request = request_of(asked)
    if locked := lock_beside(request):
        raise InputError(
            f"{locked} is a lock: there is nothing in it to choose",
            hint="name the requirements that it was made from",
        )
    return request


def _sorted_out(request: InputRequest) -> InputRequest:
    files = [text for text in request.requirements if text.lower().endswith(_FILE_SUFFIXES)]
    if not files:
        return request
    return InputRequest(
        requirements=tuple(text for text in request.requirements if text not in files),
        requirement_files=(*request.requirement_files, *files),
        constraint_files=request.constraint_files,
        override_files=request.override_files,
        extras=request.extras,
        groups=request.groups,
    )
