"""What a run is asked to do: the request, and the settings beside it, from options."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
from msgspec.structs import replace

from crossdeps.bundle.model import Layout, layer_prefix
from crossdeps.config.index_options import ConnectionOptions
from crossdeps.config.option_types import parse_timestamp
from crossdeps.config.options import OPTIONS
from crossdeps.errors import InputError
from crossdeps.fs import hash_bytes, hash_input
from crossdeps.requirements.model import FileOptions, Requirements
from crossdeps.requirements.pylock import is_pylock, parse_pylock, read_pylock
from crossdeps.resolution.model import Policy
from crossdeps.value import Value
from crossdeps.verify.model import Ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.config.options import Options
    from crossdeps.requirements.model import PreReleases
    from crossdeps.target.model import Target

_T = TypeVar("_T")


class Lock(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """A lock file, in which every version is chosen already.

    :param text: of the lock, if it has been read already; *path* is then for messages only
    :param directory: that relative paths in *text* are relative to
    :param extras: of the lock, to build with it
    :param groups: dependency groups of the lock, to build instead of its default groups
    """

    path: Path
    text: str = ""
    directory: str = ""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def hash(self) -> dict[str, str]:
        """The digest of the file by its path; of none if the text was given."""
        return {} if self.text else {str(self.path.absolute()): self.digest()}

    def digest(self) -> str:
        """The SHA-256 of the lock; empty if it cannot be read, or only once."""
        return hash_bytes(self.text.encode()) if self.text else hash_input(self.path)

    def read(self) -> Pylock:
        """Read and validate the lock.

        :raises InputError: as :func:`~crossdeps.requirements.pylock.read_pylock`
        """
        if self.text:
            return parse_pylock(self.text, str(self.path), self.directory)
        return read_pylock(self.path)


class PreviousLock(Lock, frozen=True, kw_only=True):
    """The lock that is replaced, whose versions are kept.

    :param upgrade: keep none of its versions
    :param upgrades: names of projects whose versions are not kept
    :param must_be_valid: whether it is an error if it is unreadable; if not, everything is chosen
        again
    """

    upgrade: bool = False
    upgrades: tuple[str, ...] = ()
    must_be_valid: bool = False


Request = Requirements | Lock
"""What a run starts from: requirements to resolve, or a lock to build."""

RequirementsLike = Request | str | os.PathLike[str] | Sequence[str]
"""A request; the path of a requirements file, project or lock; or requirement strings."""

FILE_SUFFIXES = (".txt", ".toml", ".in")


def read_request(specified: RequirementsLike) -> Request:
    """Decide what a caller asked for.

    A single string or path names a file. A requirement string that ends like a requirements file
    (``requirements.txt``, ``pylock.toml``) names a file too: a project of that name is never meant.

    :raises InputError: if a lock is combined with anything else

    >>> read_request("requirements.txt").requirement_files
    ('requirements.txt',)
    >>> read_request(["requests>=2"]).requirements
    ('requests>=2',)
    >>> read_request("pylock.toml")
    Lock(path=PosixPath('pylock.toml'))
    """
    if isinstance(specified, Lock):
        return specified
    if isinstance(specified, Requirements):
        requirements = specified
    elif isinstance(specified, (str, os.PathLike)):
        requirements = Requirements(requirement_files=(os.fspath(specified),))
    else:
        requirements = Requirements(requirements=tuple(specified))
    return _read_lock(_separate_files(requirements))


def read_requirements(specified: RequirementsLike) -> Requirements:
    """Decide what a caller asked for where it is to be resolved.

    :raises InputError: if it is a lock
    """
    request = read_request(specified)
    if isinstance(request, Lock):
        raise InputError(
            f"{request.path} is a lock file: its versions are already chosen",
            hint="give the requirements that it was made from",
        )
    return request


def _separate_files(requirements: Requirements) -> Requirements:
    files = [text for text in requirements.requirements if text.lower().endswith(FILE_SUFFIXES)]
    if not files:
        return requirements
    return replace(
        requirements,
        requirements=tuple(text for text in requirements.requirements if text not in files),
        requirement_files=(*requirements.requirement_files, *files),
    )


def _read_lock(requirements: Requirements) -> Request:
    locks = [Path(name) for name in requirements.requirement_files if is_pylock(Path(name))]
    if not locks:
        return requirements
    others = (
        *requirements.requirements, *requirements.requirement_files,
        *requirements.constraint_files, *requirements.override_files,
        *(group for group in requirements.groups if ":" in group),
    )  # fmt: skip
    if len(others) > 1:
        raise InputError(
            f"a lock file cannot be combined with other requirements: {locks[0]}",
            context=tuple(other for other in others if other != str(locks[0])),
            hint="build the lock alone, or make a new one with crossdeps lock",
        )
    return Lock(locks[0], extras=requirements.extras, groups=requirements.groups)


class Settings(Value, frozen=True, kw_only=True):
    """Options of a run. Every field has a default that suits most uses.

    :param index: indexes to use and files to accept; takes precedence over requirements files and
        pip's configuration
    :param project_indexes: project -> URL of the only index that it may come from
    :param connection: how to connect to an index; takes precedence over pip's configuration
    :param isolated: ignore this machine's configuration of indexes: pip's configuration files,
        ``PIP_*`` variables, netrc and keyring; proxies and certificates still apply
    :param offline: never connect; a file that is not in the cache is an error
    :param refresh: ask the indexes again for pages that are in the cache, and search again instead
        of using what an earlier run found
    :param cache: directory of the cache; None is ``crossdeps`` in the user's cache directory
    :param no_cache: neither read nor write a cache
    :param policy: what the resolver may choose
    :param layout: shape of the artifact; kind and output are set from the output path
    :param ignore: findings to ignore
    :param strict: treat warnings as errors
    :param provided: leave out the projects that the runtime provides, and resolve the rest against
        their versions
    :param provided_versions: overrides of the table of runtimes: project -> version, ``unknown``
        or ``absent``
    :param layers: directories and zips of the function's layers
    :param handler: the function that the runtime calls, such as ``app.handler``; None skips the
        check of the source
    :param force: replace an output that crossdeps did not make
    :param dry_run: download no wheels and write nothing; what the cache has is checked
    """

    index: FileOptions = msgspec.field(default_factory=FileOptions)
    project_indexes: Mapping[str, str] = msgspec.field(default_factory=dict)
    connection: ConnectionOptions = msgspec.field(default_factory=ConnectionOptions)
    isolated: bool = False
    offline: bool = False
    refresh: bool = False
    cache: Path | None = None
    no_cache: bool = False
    policy: Policy = msgspec.field(default_factory=Policy)
    layout: Layout = msgspec.field(default_factory=Layout)
    ignore: tuple[Ignore, ...] = ()
    strict: bool = False
    provided: bool = False
    provided_versions: Mapping[str, str] = msgspec.field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    handler: str | None = None
    force: bool = False
    dry_run: bool = False


def build_settings(options: Options, target: Target | None = None) -> Settings:
    """The settings that *options* say.

    :param target: needed for the directory of a layer; None where nothing is laid out
    :raises UsageError: if a value is not valid
    """
    return pick_options(
        Settings,
        options,
        index=pick_options(FileOptions, options),
        connection=pick_options(ConnectionOptions, options),
        cache=Path(options.cache_dir) if options.cache_dir else None,
        policy=_policy(options),
        layout=_layout(options, target) if target else Layout(),
        ignore=_ignores(options.ignores) if options.ignores else (),
        layers=tuple(map(Path, options.layers)),
    )


def pick_options(kind: Callable[..., _T], options: Options, **others: object) -> _T:
    """A value of *kind*: *others*, and its fields that have the name of an option."""
    names = kind.__annotations__.keys() & OPTIONS.keys() - others.keys()
    return kind(**{name: getattr(options, name) for name in names}, **others)


def _ignores(texts: tuple[str, ...]) -> tuple[Ignore, ...]:
    from crossdeps.verify.registry import RULES  # noqa: PLC0415 - loads every rule

    return tuple(Ignore.parse(text, RULES) for text in texts)


def _policy(options: Options) -> Policy:
    when = options.exclude_newer
    return Policy(
        pre_releases="allow" if options.pre else "if-necessary",
        pre_releases_of=cast("Mapping[NormalizedName, PreReleases]", options.pre_releases),
        exclude_newer=parse_timestamp(when) if when else None,
        allow_sdist=frozenset(_normalize(options.allow_sdist)),
        index_strategy="first" if options.index_strategy == "first" else "safe",
        no_deps=options.no_deps,
        require_hashes=options.require_hashes,
    )


def _layout(options: Options, target: Target) -> Layout:
    layered = options.layer or options.versioned_layer
    return Layout(
        prefix=layer_prefix(target, versioned=options.versioned_layer) if layered else "",
        scripts=options.scripts,
        sources=tuple(map(Path, options.sources)),
        exclude=options.excludes,
        include=options.includes,
        slim=options.slim,
        excluded_projects=_normalize(options.excluded_projects),
    )


def _normalize(names: tuple[str, ...]) -> tuple[NormalizedName, ...]:
    if not names:
        return ()
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - few runs name projects here

    return tuple(map(canonicalize_name, names))
