"""Small artifacts on disk, as any tool might have made them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Files = dict[str, "bytes | str"]


def project(
    name: str,
    version: str,
    files: Mapping[str, bytes | str],
    *,
    headers: Sequence[str] = (),
    info_files: Mapping[str, bytes | str] = {},
    base: str = "",
) -> Files:
    """The files of an installed project, its .dist-info with RECORD among them."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = "\n".join([
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *headers, "", "",
    ])  # fmt: skip
    inside: Files = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        **{f"{info}/{path}": data for path, data in info_files.items()},
    }
    record = "".join(f'"{path}",,\n' for path in [*inside, f"{info}/RECORD"])
    return {f"{base}{path}": data for path, data in {**inside, f"{info}/RECORD": record}.items()}


def directory(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write *files* below *root*."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(data))
        path.chmod(0o644)
    root.mkdir(exist_ok=True)
    return root


def zipped(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write *files* into a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, _bytes(data))
    return path


def _bytes(data: bytes | str) -> bytes:
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
