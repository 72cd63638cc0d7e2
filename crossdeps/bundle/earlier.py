"""Artifacts of earlier runs, recognised in passing: nobody means to package a package.

Known by the standard mark of who installed a project ("Recording installed projects", INSTALLER).
"""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

from crossdeps.bundle.records import INSTALLER

if TYPE_CHECKING:
    from pathlib import Path

_MARK = ".dist-info/INSTALLER"
_OURS = INSTALLER.encode()
_ENOUGH = len(_OURS) + 8


def is_earlier_artifact(path: Path, *, is_directory: bool) -> bool:
    """Whether a directory or a zip holds a project that crossdeps laid out."""
    if is_directory:
        return _has_marked_project(path)
    return path.name.lower().endswith(".zip") and _has_marked_member(path)


def _has_marked_project(directory: Path) -> bool:
    try:
        with os.scandir(directory) as items:
            marks = [f"{item.path}/INSTALLER" for item in items if item.name.endswith(".dist-info")]
    except OSError:
        return False
    return any(_says_ours(mark) for mark in marks)


def _says_ours(mark: str) -> bool:
    try:
        with open(mark, "rb") as file:  # noqa: PTH123 - as scandir gave it
            return _is_ours(file.read(_ENOUGH))
    except OSError:
        return False


def _has_marked_member(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            marks = [info for info in archive.infolist() if info.filename.endswith(_MARK)]
            return any(_is_ours(archive.open(info).read(_ENOUGH)) for info in marks)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return False


def _is_ours(text: bytes) -> bool:
    return text.strip() == _OURS
