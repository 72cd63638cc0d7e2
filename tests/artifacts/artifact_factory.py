"""Creates artifacts from real wheels with other tools, and modifies them."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.oracles.uv_tool import run_uv
from tests.support.wheel_factory import record_hash

if TYPE_CHECKING:
    from pathlib import Path

# Later releases must not change these tests.
CUT_OFF = "2026-11-01"
LINUX = "x86_64-manylinux_2_28"


def uv_target(
    folder: Path, *requirements: str, python: str = "3.12", platform: str = LINUX
) -> Path:
    """Run ``uv pip install --target`` for another machine.

    Files are copied: a change to a hard link would also change uv's cache.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = run_uv(
        "pip", "install", "--quiet", "--target", folder, "--python-version", python,
        "--python-platform", platform, "--only-binary", ":all:", "--exclude-newer", CUT_OFF,
        "--link-mode", "copy",
        *requirements, cwd=folder.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def pip_target(folder: Path, *arguments: str | Path) -> Path:
    """Run ``pip install --target``."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--target", folder, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def only(folder: Path, pattern: str) -> Path:
    """Return the single path in *folder* that matches."""
    (path,) = folder.glob(pattern)
    return path


def replace_bytes(path: Path, old: bytes, new: bytes) -> None:
    """Replace *old* with *new*, padded with zeros, wherever it ends a string of a binary."""
    data = path.read_bytes()
    assert old + b"\0" in data, (path, old)
    assert len(new) <= len(old)
    path.write_bytes(data.replace(old + b"\0", new.ljust(len(old) + 1, b"\0")))


def replace_text(path: Path, old: str, new: str) -> None:
    """Change a text file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def drop_scripts(folder: Path) -> None:
    """Remove scripts, which contain the path of this machine's Python, also from RECORD."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    update_records(folder)


def update_records(folder: Path) -> None:
    """Update every RECORD to match the files, so that it doesn't reveal the change."""
    for record in folder.glob("*.dist-info/RECORD"):
        rows = []
        for path, digest, size in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))):
            file = folder / path
            if not digest or not file.resolve().is_relative_to(folder.resolve()):
                rows.append((path, digest, size))
            elif file.is_file():
                data = file.read_bytes()
                rows.append((path, record_hash(data), str(len(data))))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        record.write_text(text.getvalue(), encoding="utf-8")
