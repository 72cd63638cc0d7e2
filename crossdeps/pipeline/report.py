"""compare(), inspect() and explain(): what artifacts and locks contain, and why."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import (
    InvalidName,
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.read import add_hashes, find_same_files, read_bundle
from crossdeps.errors import ArtifactReadError, CrossdepsError, UsageError
from crossdeps.fs import hash_file
from crossdeps.pipeline.request import Lock, RequirementsLike, Settings, read_request
from crossdeps.pipeline.resolve import resolve_session
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress
from crossdeps.report.diff.comparison import Comparison, compare_snapshots
from crossdeps.report.diff.snapshot import snapshot_bundle, snapshot_lock, strip_prefix
from crossdeps.report.inspect.inspection import Inspection, inspect_bundle
from crossdeps.report.why import Why, add_reasons, explain_choice, explain_locked
from crossdeps.requirements.model import Requirements
from crossdeps.requirements.pylock import read_pylock
from crossdeps.resolution.lock.recorded import read_recorded_requirements
from crossdeps.resolution.lock.selection import select
from crossdeps.text import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping

    from packaging.pylock import Package
    from packaging.tags import Tag
    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Entry
    from crossdeps.report.diff.snapshot import Snapshot
    from crossdeps.requirements.model import Requirement
    from crossdeps.target.model import Target

_LOCK_SUFFIX = ".toml"


def compare(
    before: str | os.PathLike[str], after: str | os.PathLike[str], *, hashes: bool = True
) -> Comparison:
    """Find the differences between two artifacts made by any tool, or between two locks.

    Files that are the same in both zips are not inflated, nor hashed. Where packages are in other
    folders, as in a layer and a function, the paths below these folders are compared.

    :param before: a directory, a zip, or a lock (a file that ends in ``.toml``)
    :param after: the same kind of thing
    :param hashes: if false, files of an artifact that are known to differ have no digests
    :raises ArtifactReadError: if an artifact cannot be read
    :raises InputError: if a lock cannot be read
    :raises UsageError: if one is a lock and the other an artifact
    """
    paths = Path(before), Path(after)
    locks = [path for path in paths if _is_lock(path)]
    if len(locks) == 1:
        raise UsageError(
            "a lock cannot be compared with an artifact",
            context=tuple(map(str, paths)),
            hint="give two artifacts or two locks; crossdeps build makes an artifact from a lock",
        )
    if locks:
        return compare_snapshots(*map(_read_lock, paths))
    return compare_snapshots(*_read_artifacts(paths, hashes=hashes))


def artifact_name(path: Path) -> str:
    """The last part of *path*; of the resolved path if that is ``.``."""
    return path.name or path.resolve().name or str(path)


def _is_lock(path: Path) -> bool:
    return path.suffix.lower() == _LOCK_SUFFIX and not path.is_dir()


def _read_lock(path: Path) -> Snapshot:
    return snapshot_lock(read_pylock(path), name=artifact_name(path))


def _read_artifacts(paths: tuple[Path, Path], *, hashes: bool) -> list[Snapshot]:
    first = read_bundle(paths[0], hashes=False)
    bundles = (first, read_bundle(paths[1], hashes=False, known=first))
    prefixes = ("", "")
    if bundles[0].prefix != bundles[1].prefix:  # such as a layer and a function
        prefixes = (bundles[0].prefix, bundles[1].prefix)
        bundles = (strip_prefix(bundles[0]), strip_prefix(bundles[1]))
    sizes, other_sizes = ({e.path: e.size for e in bundle.entries} for bundle in bundles)
    wanted = sizes.keys() | other_sizes.keys() if hashes else sizes.keys() & other_sizes.keys()
    if not hashes:
        wanted = {path for path in wanted if sizes[path] == other_sizes[path]}
    wanted -= find_same_files(*bundles)
    return [
        snapshot_bundle(
            add_hashes(bundle, wanted),
            name=artifact_name(path),
            compressed=path.stat().st_size if bundle.kind == "zip" else None,
            prefix=prefix,
        )
        for path, bundle, prefix in zip(paths, bundles, prefixes, strict=True)
    ]


def inspect(
    path: str | os.PathLike[str],
    target: Target | None = None,
    *,
    lock: str | os.PathLike[str] | None = None,
    hashes: bool = True,
) -> Inspection:
    """Find the content and the sizes of a directory or zip made by any tool.

    :param target: gives the limits, and evaluates the markers of dependencies
    :param lock: the lock that it was made from, for the hashes of its wheels
    :param hashes: if false, the result has no digest of all files, nor hashes of SBOMs
    :raises ArtifactReadError: if *path* cannot be read
    :raises InputError: if *lock* cannot be read
    """
    artifact = Path(path)
    wheel_hashes = _hashes(Path(lock), target) if lock else {}
    bundle = read_bundle(artifact, hashes=hashes)
    is_zip = bundle.kind == "zip"
    with ContentReader() as reader:

        def read(entry: Entry) -> bytes:
            try:
                return reader.read(entry.content)
            except OSError as error:
                raise ArtifactReadError(
                    f"a file cannot be read: {error}", context=(str(artifact), entry.path)
                ) from error

        return inspect_bundle(
            bundle,
            name=artifact_name(artifact),
            read=read,
            target=target,
            compressed=artifact.stat().st_size if is_zip else None,
            sha256=_hash(artifact) if is_zip else "",
            hashes=wheel_hashes,
        )


def _hash(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise ArtifactReadError(f"{path} cannot be read: {error.strerror or error}") from error


def _hashes(lock: Path, target: Target | None) -> dict[tuple[str, str], Mapping[str, str]]:
    """The hashes of the one wheel of each project and version that the artifact can be from."""
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for package in read_pylock(lock).packages:
        wheels = _fitting(package, target)
        if package.version is not None and len(wheels) == 1:
            found[package.name, str(package.version)] = wheels[0]
    return found


def _fitting(package: Package, target: Target | None) -> list[Mapping[str, str]]:
    wheels = list(package.wheels or ())
    if target is not None:
        ranks = target.tag_ranks
        ranked = [
            (min(ranks[tag] for tag in tags), wheel)
            for wheel in wheels
            if (tags := [tag for tag in _tags(wheel.filename) if tag in ranks])
        ]
        best = min((rank for rank, _ in ranked), default=0)
        wheels = [wheel for rank, wheel in ranked if rank == best]
    return [wheel.hashes for wheel in wheels]


def _tags(filename: str) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()


def explain(
    name: str,
    requirements: RequirementsLike,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Why:
    """Explain why one project is in the result, in this version.

    The versions of a lock are not chosen again; the index is asked for newer ones.

    :raises UsageError: if *name* is not a valid project name
    :raises CrossdepsError: if the project is not in the result, or resolving fails
    """
    try:
        wanted = canonicalize_name(name, validate=True)
    except InvalidName:
        raise UsageError(
            f"invalid project name: {name!r}",
            hint="give the name of a project without a version first, and requirements after it",
        ) from None
    request = read_request(requirements)
    if isinstance(request, Lock):
        return _explain_locked(
            request, wanted, target, settings or Settings(), progress or Progress()
        )
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        resolution = resolve_session(session, find_runtime_packages(session.settings, target))
        choice = resolution.choices.get(wanted)
        if choice is None:
            inputs = session.inputs.requirements
            raise _not_required(wanted, resolution.choices, inputs, target)
        return explain_choice(resolution, choice)


def _explain_locked(
    request: Lock, name: NormalizedName, target: Target, settings: Settings, progress: Progress
) -> Why:
    """Explain a version of a lock by its requirements, if it records them and an index is there."""
    lock = request.read()
    chosen = select(lock, target, extras=request.extras, groups=request.groups)
    selected = next((each for each in chosen if each.name == name), None)
    if selected is None:
        raise _not_required(name, {each.name for each in chosen}, (), target)
    why = explain_locked(lock, chosen, selected, target)
    requirements = read_recorded_requirements(lock)
    if not requirements or any(each.source for each in chosen):
        return why
    pins = {each.name: each.version for each in chosen if each.version is not None}
    try:
        with open_session(Requirements(requirements=requirements), settings, progress) as session:
            runtime = find_runtime_packages(session.settings, target)
            return add_reasons(why, resolve_session(session, runtime, pins))
    except CrossdepsError as error:
        return msgspec.structs.replace(why, unknown=error.message)


def _not_required(
    name: NormalizedName,
    present: Collection[str],
    requirements: Iterable[Requirement],
    target: Target,
) -> CrossdepsError:
    excluded = tuple(
        f"{each.origin}: {each.text} does not apply to the target"
        for each in requirements
        if each.name == name
    )
    near = difflib.get_close_matches(name, sorted(present), n=1)
    hint = None
    if near:
        hint = f"did you mean {near[0]}?"
    elif not excluded:
        hint = "choose one of the projects that crossdeps build lists"
    return CrossdepsError(
        f"{name} is not required for {target.describe()}",
        context=(*excluded, f"{plural(len(present), 'project is', 'projects are')} required"),
        hint=hint,
        rule="not-needed",
    )
