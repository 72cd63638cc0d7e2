"""A build whose result is remembered leaves a zip that is the same already as it is."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import crossdeps
from crossdeps.pipeline.build import build
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.report.model import Report

TARGET = crossdeps.Target(python="3.12", arch="x86_64")
LONG_AGO = 1_000_000_000


class Project:
    """A directory with a wheel, and what builds a zip of it."""

    def __init__(self, folder: Path) -> None:
        links = folder / "links"
        links.mkdir()
        make_wheel("small", "1.0").write_to(links)
        self.settings = Settings(
            index=FileOptions(no_index=True, find_links=(str(links),)),
            cache=folder / "cache",
            isolated=True,
        )
        self.zip = folder / "out.zip"
        self.source = folder / "src"
        self.source.mkdir()
        (self.source / "app.py").write_text("import small\n")

    def build(self, **changes: object) -> Report:
        """Build the zip of the wheel and the source."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        return build(["small"], TARGET, self.zip, source=self.source, settings=settings)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.build()
    os.utime(made.zip, (LONG_AGO, LONG_AGO))
    return made


def test_the_same_zip_stays_and_counts_as_new(project: Project) -> None:
    """``make`` compares times: the zip is newer than what it was made from."""
    before = project.zip.stat()
    again = project.build()
    after = project.zip.stat()
    assert (after.st_ino, after.st_ctime_ns > before.st_ctime_ns) == (before.st_ino, True)
    assert after.st_mtime > LONG_AGO
    assert again.artifact.path == project.zip
    assert again.artifact.size == before.st_size


def test_the_report_is_that_of_a_written_zip(project: Project) -> None:
    same = project.build()
    project.zip.unlink()
    written = project.build()
    assert project.zip.stat().st_size == same.artifact.size
    assert replace(same, read_lock=None) == replace(written, read_lock=None)  # type: ignore[arg-type]
    assert same.lock == written.lock


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _add_comment(path: Path) -> None:
    """A zip with the same members, which is not the same file."""
    data = path.read_bytes()
    path.write_bytes(data[:-2] + b"\3\0abc")


@pytest.mark.parametrize(
    "damage",
    [_flip, _add_comment, lambda path: path.write_bytes(b""), lambda path: path.unlink()],
    ids=["flipped", "longer", "emptied", "absent"],
)
def test_another_zip_is_replaced(damage: Callable[[Path], object], project: Project) -> None:
    right = project.zip.read_bytes()
    damage(project.zip)
    project.build(force=True)
    assert project.zip.read_bytes() == right


def test_a_file_of_the_user_is_refused(project: Project) -> None:
    """Also one of the same size."""
    theirs = b"x" * project.zip.stat().st_size
    project.zip.write_bytes(theirs)
    with pytest.raises(crossdeps.OutputError):
        project.build()
    assert project.zip.read_bytes() == theirs


def test_a_link_to_the_same_zip_is_refused(project: Project) -> None:
    moved = project.zip.rename(project.zip.with_name("moved.zip"))
    project.zip.symlink_to(moved)
    with pytest.raises(crossdeps.OutputError, match="symbolic link"):
        project.build()


def test_changed_source_is_packaged(project: Project) -> None:
    """A file of the same size, too."""
    before = project.zip.read_bytes()
    (project.source / "app.py").write_text("import Small\n")
    project.build()
    after = project.zip.read_bytes()
    assert (len(after), after != before) == (len(before), True)
    assert b"import Small\n" in after
