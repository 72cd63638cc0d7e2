"""Rules on what projects have by their RECORD, on parts of wheels, and on modes, read from disk."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from tests.verify.checked_folders import APP, LAMBDA, find, project, write

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "demo-1.0.dist-info/RECORD"


@pytest.mark.parametrize(
    ("path", "is_found"),
    [
        ("demo/added.py", True),
        ("demo/data/deep/model.bin", True),
        ("demo/__pycache__/__init__.cpython-312.pyc", False),
        ("demo/.DS_Store", False),
        ("demo-1.0.dist-info/INSTALLER", False),
        ("demo-1.0.dist-info/direct_url.json", False),
        ("demo-1.0.dist-info/licenses/LICENSE", False),
        ("demo_of_mine/a.py", False),
        ("app.py", False),
    ],
)
def test_files_that_a_record_does_not_list(tmp_path: Path, path: str, is_found: bool) -> None:
    found = find(tmp_path, {**project(""), path: ""})
    unlisted = [item.paths for item in found if item.rule == "record-unlisted"]
    assert unlisted == ([(path,)] if is_found else [])


def test_a_namespace_package_is_shared(tmp_path: Path) -> None:
    """Files in a folder without ``__init__`` may belong to anyone (PEP 420)."""
    shared = project("", files=["google/demo/__init__.py"])
    assert find(tmp_path / "1", {**shared, "google/mine/__init__.py": "", "google/a.py": ""}) == ()
    (finding,) = find(tmp_path / "2", {**shared, "google/demo/a.py": "", "google/demo/b.py": ""})
    assert finding.message == (
        "google/demo/a.py (and 1 more) is in a package of demo, but not in its RECORD"
    )
    assert (finding.severity, finding.owner) == ("warning", "demo")


def test_a_deleted_record(tmp_path: Path) -> None:
    files = {**project(""), **project("", "other")}
    del files[RECORD]
    (finding,) = find(tmp_path, files)
    assert (finding.rule, finding.severity) == ("record-absent", "warning")
    assert finding.message == "demo 1.0 has no RECORD, so that its files are not checked"


def test_metadata_that_was_left_out_altogether(tmp_path: Path) -> None:
    assert find(tmp_path, ["demo/__init__.py", "demo/a.py", "demo-1.0.dist-info/entry_points.txt"]
    ) == ()  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "rule"),
    [
        ("purelib", "unzipped-wheel"),
        ("platlib", "unzipped-wheel"),
        ("scripts", "uninstalled-data"),
        ("data", "uninstalled-data"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "python/"])
def test_a_wheel_that_was_unzipped(tmp_path: Path, scheme: str, rule: str, prefix: str) -> None:
    files = project(prefix, files=["demo/__init__.py", f"demo-1.0.data/{scheme}/a.py"])
    (finding,) = find(tmp_path, files)
    assert (finding.rule, finding.owner) == (rule, "demo")
    assert finding.paths == (f"{prefix}demo-1.0.data/{scheme}/a.py",)


MODES = [(0o755, False), (0o775, False), (0o700, True), (0o750, True), (0o751, True), (0o754, True)]


@pytest.mark.parametrize(("mode", "is_found"), MODES)
def test_modes_of_folders(tmp_path: Path, mode: int, is_found: bool) -> None:
    """The importer lists a folder, then searches it."""
    tree = write(tmp_path / "artifact", project(""))
    (tree / "demo").chmod(mode)
    found = [(item.rule, item.path) for item in check(tree, LAMBDA)]
    assert found == ([("unreadable-mode", "demo/")] if is_found else [])


@pytest.mark.parametrize(("mode", "is_found"), [*MODES, (0, False)])
def test_modes_of_folders_in_a_zip(tmp_path: Path, mode: int, is_found: bool) -> None:
    """A folder need not have an entry; a mode of 0 is that of an archiver without modes."""
    tree = write(tmp_path / "tree", project(""))
    archive = tmp_path / "function.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        folder = zipfile.ZipInfo("demo/")
        folder.external_attr = (mode and 0o40000 | mode) << 16 | 0x10
        zipped.writestr(folder, "")
        for path in project(""):
            zipped.write(tree / path, path)
    found = check(archive, LAMBDA)
    assert [item.rule for item in found] == (["unreadable-mode"] if is_found else [])
    if is_found:
        assert f"demo/ has mode {mode:04o}" in found[0].message


def test_modes_in_layers(tmp_path: Path) -> None:
    layer = write(tmp_path / "layer", project("python/"))
    (layer / "python/demo").chmod(0o700)
    (layer / "python/demo/__init__.py").chmod(0o600)
    function = write(tmp_path / "artifact", {"app.py": APP})
    found = check(function, LAMBDA, settings=Settings(layers=(layer,)))
    assert [(item.rule, item.path) for item in found] == [
        ("unreadable-mode", "python/demo/"),
        ("unreadable-mode", "python/demo/__init__.py"),
    ]
    assert all(f"in {layer}" in item.message for item in found)
