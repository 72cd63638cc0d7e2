"""What callers may hand over as requirements, and what it means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle.model import Layout
from crossdeps.config.pip_options import ConnectionOptions
from crossdeps.errors import InputError
from crossdeps.requirements.model import FileOptions, Requirements
from crossdeps.requirements.pylock import is_pylock
from crossdeps.resolution.model import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.verify.model import Ignore

RequirementsLike = Requirements | str | os.PathLike[str] | Sequence[str]
"""A request; or the path of a requirements file, project or lock; or requirements one by one."""

_FILE_SUFFIXES = (".txt", ".toml", ".in")


def build_request(asked: RequirementsLike) -> Requirements:
    """Turn what a caller handed over into a request.

    A single string or path names a file. In a sequence, what ends like a requirements file and
    isn't a requirement by its form (``requirements.txt``, ``pylock.toml``) is a file too: a
    project of that name would be a trap, not a wish.

    >>> request_of("requirements.txt").requirement_files
    ('requirements.txt',)
    >>> request_of(["requests>=2"]).requirements
    ('requests>=2',)
    """
    if isinstance(asked, Requirements):
        return _sorted_out(asked)
    if isinstance(asked, (str, os.PathLike)):
        return Requirements(requirement_files=(os.fspath(asked),))
    return _sorted_out(Requirements(requirements=tuple(asked)))


def lock_beside(request: Requirements) -> Path | None:
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


def build_resolve_request(asked: RequirementsLike) -> Requirements:
    """Turn what a caller handed over into a request to resolve.

    :raises InputError: if it is a lock, in which everything is chosen already
    """
    request = build_request(asked)
    if locked := lock_beside(request):
        raise InputError(
            f"{locked} is a lock: there is nothing in it to choose",
            hint="name the requirements that it was made from",
        )
    return request


def _sorted_out(request: Requirements) -> Requirements:
    files = [text for text in request.requirements if text.lower().endswith(_FILE_SUFFIXES)]
    if not files:
        return request
    return Requirements(
        requirements=tuple(text for text in request.requirements if text not in files),
        requirement_files=(*request.requirement_files, *files),
        constraint_files=request.constraint_files,
        override_files=request.override_files,
        extras=request.extras,
        groups=request.groups,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How to go about it. Every field has a default that is right for most.

    :param index: which indexes to ask and which files to take, above what requirements files and
        pip's configuration say
    :param project_indexes: project -> URL of the only index that it may come from
    :param connection: how to reach an index, above what pip's configuration says
    :param isolated: ignore what this machine says of indexes: pip's configuration files,
        ``PIP_*`` variables, netrc and keyring; proxies and certificates still count
    :param offline: never connect; what isn't in the cache is an error
    :param cache: directory of the cache; None is the user's own, ``crossdeps`` in the platform's
        cache folder
    :param no_cache: neither read nor keep a cache
    :param policy: what the resolver may choose
    :param layout: shape of the artifact; kind and output are set from the output path
    :param ignore: findings that are silenced
    :param strict: treat warnings as errors
    :param provided: leave what the runtime has to the runtime, and resolve the rest against it
    :param provided_versions: what is known better than by the table of runtimes: project ->
        version, ``unknown`` or ``absent``
    :param layers: directories and zips of the function's layers
    :param handler: the function that the host calls, such as ``app.handler``; None checks no source
    :param force: replace an output that crossdeps didn't make
    :param dry_run: do everything but write
    """

    index: FileOptions = field(default_factory=FileOptions)
    project_indexes: Mapping[str, str] = field(default_factory=dict)
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    isolated: bool = False
    offline: bool = False
    cache: Path | None = None
    no_cache: bool = False
    policy: Policy = field(default_factory=Policy)
    layout: Layout = field(default_factory=Layout)
    ignore: tuple[Ignore, ...] = ()
    strict: bool = False
    provided: bool = False
    provided_versions: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    handler: str | None = None
    force: bool = False
    dry_run: bool = False
