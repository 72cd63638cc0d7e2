"""Sources that users named, to entries of a lock and back: without logins, pinned by content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs
from packaging.specifiers import SpecifierSet

from crossdeps.index.transfer import STRONG
from crossdeps.requirements.model import DirectSource
from crossdeps.requirements.syntax import parse_marker
from crossdeps.text import without_login

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.markers import Marker

    from crossdeps.resolution.model import BuiltWheel
    from crossdeps.target.model import Target

Part = PackageVcs | PackageDirectory | PackageArchive


def vcs_part(source: DirectSource, commit_id: str | None) -> PackageVcs:
    """``git+https://host/repo@rev`` taken apart (PEP 610 has the same parts)."""
    kind, _, address = without_login(source.location).partition("+")
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    if "@" in path:  # the last one, as pip has it: a path may have another
        path, _, revision = path.rpartition("@")
    else:
        revision = ""
    return PackageVcs(
        type=kind,
        url=f"{scheme}://{host}/{path}",
        requested_revision=revision or None,
        commit_id=commit_id or revision or "HEAD",
        subdirectory=source.subdirectory,
    )


def archive_hashes(source: DirectSource, built: BuiltWheel | None) -> dict[str, str]:
    """The hashes by which a lock pins the file that *source* names; sorted."""
    hashes = dict(built.source_hashes) if built else {}
    if not hashes and built is not None and source.kind == "wheel":
        hashes = {"sha256": built.sha256}
    return dict(sorted(hashes.items()))


def read_part(part: Part, root: Path) -> tuple[DirectSource, frozenset[str]]:
    """What an entry of a lock names, and its strong hashes as ``algorithm:hexdigest``.

    A weak hash is left out: any one of these hashes is enough to accept a file.

    :param root: what the lock's relative paths start from
    """
    subdirectory = part.subdirectory
    if isinstance(part, PackageDirectory):
        source = DirectSource(
            kind="directory",
            location=str(root / part.path),
            editable=bool(part.editable),
            subdirectory=subdirectory,
        )
        return source, frozenset()
    place = part.url or str(root / (part.path or ""))
    if isinstance(part, PackageVcs):
        location = f"{part.type}+{place}@{part.commit_id}"
        return DirectSource(kind="vcs", location=location, subdirectory=subdirectory), frozenset()
    is_wheel = _basename(place).endswith(".whl")
    source = DirectSource(
        kind="wheel" if is_wheel else "archive", location=place, subdirectory=subdirectory
    )
    strong = {name: digest for name, digest in part.hashes.items() if name in STRONG}
    return source, frozenset(f"{name}:{digest}" for name, digest in strong.items())


def as_locked(source: DirectSource, built: BuiltWheel) -> tuple[DirectSource, frozenset[str]]:
    """What *source* will be called by whoever works from a lock of it: :func:`read_part`."""
    if source.kind == "vcs":
        return read_part(vcs_part(source, built.commit_id), Path())
    if source.kind == "directory":
        return source, frozenset()
    hashes = archive_hashes(source, built)
    place = {"path" if source.is_local else "url": without_login(source.location)}
    part = PackageArchive(**place, hashes=hashes, subdirectory=source.subdirectory)  # type: ignore[arg-type]
    return read_part(part, Path())


def _basename(location: str) -> str:
    path = urlsplit(location).path if "://" in location else location
    return unquote(path.rpartition("/")[2])


def build_environment_marker(target: Target) -> Marker:
    """The marker that a machine of this target satisfies, as far as markers can tell."""
    return parse_marker(
        f'implementation_name == "cpython" and platform_machine == "{target.arch}"'
        f' and python_version == "{_minor(target)}" and sys_platform == "linux"'
    )


def build_requires_python(targets: Sequence[Target]) -> SpecifierSet:
    """The Pythons that a lock for *targets* is for."""
    minors = sorted({target.python_version for target in targets})
    major, first = minors[0]
    if len(minors) == 1:
        return SpecifierSet(f"=={major}.{first}.*")
    return SpecifierSet(f">={major}.{first},<{major}.{minors[-1][1] + 1}")


def marker_for(
    takers: Sequence[Target], everyone: Sequence[Target], *, keep_overlap: bool
) -> Marker | None:
    """The shortest marker true for *takers* and false for the others; None where all take it.

    :param keep_overlap: whether others that no marker tells apart may be let in: true where they
        would only be given more than they need
    :raises ValueError: if another target that may not be let in can't be told apart
    """
    others = [target for target in everyone if target not in takers]
    if not others:
        return None
    inside = {_key(target) for target in takers}
    outside = {_key(target) for target in others}
    if inside & outside and not keep_overlap:
        raise ValueError("no marker tells the targets apart")
    outside -= inside
    if not outside:
        return None
    arches = {arch for arch, _ in inside}
    if not arches & {arch for arch, _ in outside}:
        return parse_marker(_any(f'platform_machine == "{arch}"' for arch in sorted(arches)))
    pythons = {python for _, python in inside}
    if not pythons & {python for _, python in outside}:
        return parse_marker(_any(f'python_version == "{python}"' for python in _sorted(pythons)))
    return parse_marker(
        _any(
            f'platform_machine == "{arch}" and python_version == "{python}"'
            for arch, python in sorted(inside, key=lambda key: (key[0], _number(key[1])))
        )
    )


def _key(target: Target) -> tuple[str, str]:
    return target.arch, _minor(target)


def _minor(target: Target) -> str:
    major, minor = target.python_version
    return f"{major}.{minor}"


def _number(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def _sorted(pythons: set[str]) -> list[str]:
    return sorted(pythons, key=_number)


def _any(clauses: Iterable[str]) -> str:
    return " or ".join(clauses)
