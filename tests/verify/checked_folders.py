"""Writes artifacts and layers to disk, and checks them as ``crossdeps check`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from crossdeps.target.model import Target
from tests.support.elf_factory import make_elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from crossdeps.finding import Finding

LAMBDA = Target.runtime("python3.12", arch="x86_64")
APP = "def handler(event, context): ...\n"


def project(
    base: str,
    name: str = "demo",
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    files: Iterable[str] | None = None,
) -> dict[str, str]:
    """The files of a pure project that was installed into *base*.

    :param files: relative to *base*; by default the package of its name
    """
    stem = f"{name}-{version}.dist-info"
    content = [f"{name}/__init__.py"] if files is None else list(files)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    rows = (*content, f"{stem}/METADATA", f"{stem}/RECORD")
    return {
        **{f"{base}{path}": "" for path in content},
        f"{base}{stem}/METADATA": "\n".join([*lines, ""]),
        f"{base}{stem}/RECORD": "".join(f"{row},,\n" for row in rows),
    }


def write(folder: Path, files: Mapping[str, str] | Iterable[str]) -> Path:
    """Write *files*, empty ones if only paths are given, and libraries where they are named so."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = files if isinstance(files, dict) else dict.fromkeys(files, "")
    for path, text in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(make_elf() if ".so" in file.name else text.encode())
    return folder


def find(
    folder: Path,
    files: Mapping[str, str] | Iterable[str],
    *layers: Mapping[str, str] | Iterable[str],
    handler: str | None = None,
    target: Target = LAMBDA,
) -> tuple[Finding, ...]:
    """Check an artifact with these files, with these layers."""
    paths = [write(folder / f"layer{number}", each) for number, each in enumerate(layers)]
    settings = Settings(layers=tuple(paths), handler=handler)
    return check(write(folder / "artifact", files), target, settings=settings)
