"""Sources that users named, to entries of a lock and back: without logins, pinned by content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs

from crossdeps.index.hashing import STRONG
from crossdeps.inputs import without_login
from crossdeps.inputs.model import DirectSource

if TYPE_CHECKING:
    from crossdeps.resolution.model import BuiltWheel

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
