"""What an artifact holds and weighs, as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import ArtifactReadError, InputError
from crossdeps.pipeline.report import inspect
from crossdeps.report.inspect.inspection import group_by_folder
from crossdeps.report.inspect.inspection_text import render_inspection
from crossdeps.report.inspect.project_metadata import find_roots
from crossdeps.target.model import Target
from tests.report.artifacts import Files, directory, project, zipped
from tests.support.wheel_factory import make_elf

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.report.inspect.inspection import Inspection

ARM = Target(python="3.12", arch="aarch64")


def files() -> Files:
    return {
        **project(
            "big",
            "1.0",
            {"big/data/a.bin": b"\0" * 5000, "big/x.so": make_elf(machine="aarch64", glibc="2.28")},
            headers=[
                "Requires-Dist: small[fast]>=1",
                "Requires-Dist: other; platform_machine == 'x86_64'",
                "Requires-Dist: nowhere",
                "Requires-Dist: !!!",
            ],
        ),
        **project(
            "small",
            "2.0",
            {"small.py": "s"},
            headers=[
                "Provides-Extra: fast",
                "Provides-Extra: slow",
                "Requires-Dist: quick; extra == 'fast'",
                "Requires-Dist: other; extra == 'slow'",
                "Requires-Dist: big",
            ],
        ),
        **project("quick", "3.0", {"quick.py": "q"}),
        **project("other", "4.0", {"other.py": "o"}),
        "app.py": "import big",
    }


@pytest.fixture
def inspection(tmp_path: Path) -> Inspection:
    return inspect(zipped(tmp_path / "function.zip", files()), ARM)


def test_portions_are_biggest_first_and_add_up(inspection: Inspection) -> None:
    """The user's own files are one of them, without a name."""
    assert inspection.shares[0].name == "big"
    assert {share.name for share in inspection.shares} == {
        "big", "small", "quick", "other", "",
    }  # fmt: skip
    assert sum(share.size for share in inspection.shares) == inspection.size
    assert len(inspection.projects) == 4


def test_dependencies_are_those_under_the_markers_of_the_target(inspection: Inspection) -> None:
    """With the extras that others ask for; what isn't there or can't be read is no edge."""
    requires = {share.name: share.requires for share in inspection.projects}
    assert requires == {"big": ("small",), "small": ("big", "quick"), "quick": (), "other": ()}


def test_without_a_target_any_marker_counts(tmp_path: Path) -> None:
    found = inspect(directory(tmp_path / "package", files()))
    requires = {share.name: share.requires for share in found.projects}
    assert requires["big"] == ("other", "small")
    assert requires["small"] == ("big", "quick")
    assert found.limits_of == "AWS Lambda"


def test_roots_lead_to_everything() -> None:
    """A circle that nobody asks for has one of its own as a root."""
    graph = {"a": ("b",), "b": (), "c": ("d",), "d": ("c",)}
    assert find_roots(graph) == ("a", "c")


def test_binaries_are_told_by_project(inspection: Inspection) -> None:
    big = inspection.shares[0]
    assert (big.machines, big.glibc) == (("aarch64",), "2.28")
    assert (inspection.machines, inspection.glibc) == (("aarch64",), "2.28")


def test_each_file_counts_in_one_folder(tmp_path: Path) -> None:
    """The deepest of the first two levels below where packages lie."""
    layer = project(
        "p", "1", {"p/a/b/c.py": "1" * 300, "p/d.py": "22", "e.py": "3"}, base="python/"
    )
    found = inspect(directory(tmp_path / "layer", layer))
    (share,) = found.shares
    folders = group_by_folder(share.entries, found.prefix)
    assert found.prefix == "python/"
    sizes = {folder.path: (folder.size, folder.files) for folder in folders}
    assert sizes["python/p/a/"] == (300, 1)
    assert sizes["python/p/"] == (2, 1)
    assert sizes["python/"] == (1, 1)
    assert sum(folder.size for folder in folders) == share.size


def test_the_text_is_against_the_limits_of_the_runtime(tmp_path: Path) -> None:
    path = zipped(tmp_path / "function.zip", files())
    text = render_inspection(inspect(path, Target.runtime("python3.12", arch="arm64")))
    assert "Target    python3.12 (CPython 3.12" in text
    assert "% of the 262.1 MB that python3.12 accepts" in text
    assert "Binaries  aarch64, glibc 2.28" in text
    assert "\n4 projects\n  big" in text
    assert "\n    big/data/ " in text
    assert "own files" in text


def test_a_zip_too_large_for_direct_upload_is_told(tmp_path: Path) -> None:
    found = inspect(zipped(tmp_path / "f.zip", {"a.py": ""}))
    from msgspec.structs import replace

    text = render_inspection(replace(found, compressed=60_000_000))
    assert "over 52.4 MB: upload it through S3" in text


def test_an_empty_artifact_is_an_artifact(tmp_path: Path) -> None:
    found = inspect(directory(tmp_path / "empty", {}))
    assert "0 projects" in render_inspection(found)


def test_names_stay_on_their_line(tmp_path: Path) -> None:
    """Of files, folders and projects, and versions."""
    info = "x-1.dist-info/METADATA"
    hostile = {info: "Name: a\x1b[31m\u202eb\nVersion: 1\u202e2\n", "x\n y/z.py": "z" * 100}
    text = render_inspection(inspect(zipped(tmp_path / "a\u202eb.zip", hostile)), all_folders=True)
    assert not set(text) & set("\x1b\u202e")
    assert "x\\n y/" in text


def test_the_keys_of_the_document_are_a_contract(inspection: Inspection) -> None:
    document = json.loads(json.dumps(inspection.to_dict()))
    assert list(document) == [
        "version", "crossdeps", "artifact", "target", "limits", "projects", "warnings",
    ]  # fmt: skip
    assert list(document["artifact"]) == [
        "name", "kind", "prefix", "entries", "unzipped", "compressed", "sha256", "architectures",
        "glibc",
    ]  # fmt: skip
    assert list(document["projects"][0]) == [
        "name", "version", "unzipped", "compressed", "files", "architectures", "glibc", "requires",
        "hashes", "licence", "sboms", "folders",
    ]  # fmt: skip
    assert document["limits"] == {
        "of": "AWS Lambda", "unzipped": 262_144_000, "direct_upload": 52_428_800,
    }  # fmt: skip


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """The same for a directory and its zip, another for another mode."""
    item = directory(tmp_path / "one", files())
    two = zipped(tmp_path / "two.zip", files())
    assert inspect(item).digest == inspect(two).digest
    assert inspect(item).sha256 == ""
    (item / "app.py").chmod(0o755)
    assert inspect(item).digest != inspect(two).digest


def test_without_hashes_nothing_else_changes(tmp_path: Path) -> None:
    """Text and JSON say the same; only an SBOM needs them."""
    for artifact in (
        directory(tmp_path / "one", files()),
        zipped(tmp_path / "two.zip", files()),
    ):
        whole, partial = inspect(artifact, ARM), inspect(artifact, ARM, hashes=False)
        assert partial.digest == ""
        assert partial.to_dict() == whole.to_dict()
        assert render_inspection(partial) == render_inspection(whole)


LOCK = """\
lock-version = "1.0"
created-by = "a tool"
[[packages]]
name = "small"
version = "2.0"
[[packages.wheels]]
url = "https://files.example/small-2.0-cp312-cp312-manylinux_2_17_aarch64.whl"
hashes = {sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
[[packages.wheels]]
url = "https://files.example/small-2.0-cp312-cp312-manylinux_2_17_x86_64.whl"
hashes = {sha256 = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
[[packages]]
name = "quick"
version = "9.0"
[[packages.wheels]]
url = "https://files.example/quick-9.0-py3-none-any.whl"
hashes = {sha256 = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}
"""


def test_a_lock_tells_the_hashes_of_the_wheels(tmp_path: Path) -> None:
    """Of those that the target takes, in the version found; without a target, of the only one."""
    artifact = directory(tmp_path / "package", files())
    lock = tmp_path / "pylock.toml"
    lock.write_text(LOCK)
    found = {p.name: p.hashes for p in inspect(artifact, ARM, lock=lock).projects}
    assert found == {"big": {}, "small": {"sha256": "aa" * 32}, "quick": {}, "other": {}}
    plain = {p.name: p.hashes for p in inspect(artifact, lock=lock).projects}
    assert plain["small"] == {}


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("notes")
    for name in ("missing", "notes.md"):
        with pytest.raises(ArtifactReadError):
            inspect(tmp_path / name)
    with pytest.raises(InputError):
        inspect(tmp_path, lock=tmp_path / "missing.toml")
