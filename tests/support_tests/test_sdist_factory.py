"""The source distributions build with pip alone, to what they promise."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.sdist_factory import make_sdist

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.subprocess


def build(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-index",
        "-w",
        str(folder),
        str(source),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("archive", ["tar.gz", "zip"])
def test_a_pure_one_builds_to_a_pure_wheel(tmp_path: Path, archive: str) -> None:
    sdist = make_sdist("Foo-Bar", "1.0", requires=["baz>=1"], archive=archive)
    done = build(sdist.write_to(tmp_path), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name == "foo_bar-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as built:
        assert built.read("foo_bar-1.0.dist-info/METADATA") == sdist.metadata
        assert "foo_bar/__init__.py" in built.namelist()


def test_a_native_one_builds_to_a_wheel_for_this_machine(tmp_path: Path) -> None:
    folder = make_sdist("foo", "1.0", native=True).write_project(tmp_path / "src")
    done = build(folder, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name.startswith(f"foo-1.0-cp3{sys.version_info[1]}-cp3")
    assert not wheel.name.endswith("-any.whl")


def test_a_failing_one_says_its_reason(tmp_path: Path) -> None:
    sdist = make_sdist("foo", "1.0", failure="the compiler is on holiday")
    done = build(sdist.write_to(tmp_path), tmp_path / "out")
    assert done.returncode != 0
    assert "the compiler is on holiday" in done.stdout + done.stderr


def test_the_archive_has_one_folder_and_no_dates(tmp_path: Path) -> None:
    path = make_sdist("foo", "1.0").write_to(tmp_path)
    with tarfile.open(path) as archive:
        assert {each.name.split("/")[0] for each in archive} == {"foo-1.0"}
        assert {each.mtime for each in archive} == {0}
    assert make_sdist("foo", "1.0") == make_sdist("foo", "1.0")
