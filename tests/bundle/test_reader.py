from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdeps.bundle.content import read_content
from crossdeps.bundle.read import read_bundle
from crossdeps.errors import ArtifactReadError
from tests.support.wheel_factory import make_elf, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

METADATA = (
    "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 2\nRequires-Dist: x>1\nRequires-Python: >=3.8\n"
)


def tree(root: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def zipped(path: Path, files: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def installed(base: str = "") -> dict[str, str]:
    info = f"{base}foo_bar-2.dist-info"
    return {
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        f"{info}/RECORD": "foo/a.py,,\nfoo_bar-2.dist-info/METADATA,,\n../../bin/tool,,\nbin/x,,\n",
        f"{base}foo/a.py": "",
        f"{base}foo/unlisted.py": "",
        f"{base}bin/x": "",
        "app.py": "",
    }


@pytest.fixture(params=["directory", "zip"])
def make(request: pytest.FixtureRequest) -> Callable[[Path, Mapping[str, bytes | str]], Path]:
    return tree if request.param == "directory" else zipped


@pytest.mark.parametrize("prefix", ["", "python/", "python/lib/python3.12/site-packages/"])
def test_projects_and_owners(
    tmp_path: Path, make: Callable[[Path, Mapping[str, bytes | str]], Path], prefix: str
) -> None:
    """The prefix is found; files belong to who lists them, or has them among its metadata."""
    files = installed(prefix)
    if prefix:
        del files["app.py"]
    bundle = read_bundle(make(tmp_path / "out", files))
    assert bundle.prefix == prefix
    (project,) = bundle.projects
    assert (project.name, project.version) == ("foo-bar", "2")
    assert project.dist_info == f"{prefix}foo_bar-2.dist-info"
    assert project.requires == ("x>1",)
    assert project.requires_python == ">=3.8"
    assert project.wheel_tags == ("py3-none-any",)
    owned = {entry.path for entry in bundle.entries if entry.owner == "foo-bar"}
    assert owned == {
        f"{prefix}foo/a.py",
        f"{prefix}bin/x",
        *(f"{prefix}foo_bar-2.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
    }
    assert project.size == sum(entry.size for entry in bundle.entries if entry.owner)
    assert bundle.kind == ("zip" if make is zipped else "directory")
    assert [entry.path for entry in bundle.entries] == sorted(files)


def test_metadata_that_is_missing_or_broken(
    tmp_path: Path, make: Callable[[Path, Mapping[str, bytes | str]], Path]
) -> None:
    files: dict[str, bytes | str] = {
        "a-1.dist-info/INSTALLER": "pip",
        "b-2.dist-info/METADATA": b"\xff\xfe\0",
        "c-3.dist-info/RECORD": b'"unclosed\n\0,,\n',
        "nodash.dist-info/METADATA": "Name: N.X\n",
        "vendored/_vendor/v-1.dist-info/METADATA": "Name: v\nVersion: 1\n",
    }
    bundle = read_bundle(make(tmp_path / "out", files))
    found = [(project.name, project.version) for project in bundle.projects]
    assert found == [("a", "1"), ("b", "2"), ("c", "3"), ("n-x", "")]
    assert bundle.entries[-1].owner is None


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["python/x.py"], "python/"),
        (["python/x.py", "bin/tool", "lib/libx.so"], "python/"),
        (["python/x.py", "app.py"], ""),
        (["python/__init__.py"], ""),
        (["python/lib/python3.9/site-packages/x.py"], "python/lib/python3.9/site-packages/"),
        (["x.py"], ""),
        (["python/x-1.dist-info/METADATA", "handler.py"], "python/"),
    ],
)
def test_the_prefix_is_told_by_what_is_there(
    tmp_path: Path,
    make: Callable[[Path, Mapping[str, bytes | str]], Path],
    names: list[str],
    prefix: str,
) -> None:
    assert read_bundle(make(tmp_path / "out", dict.fromkeys(names, ""))).prefix == prefix


def test_a_layer_may_use_both_folders(tmp_path: Path) -> None:
    both = {**installed("python/"), "python/lib/python3.9/site-packages/b-1.dist-info/METADATA": ""}
    bundle = read_bundle(tree(tmp_path / "out", both))
    assert [project.name for project in bundle.projects] == ["b", "foo-bar"]


def test_modes_sizes_and_binaries(
    tmp_path: Path, make: Callable[[Path, Mapping[str, bytes | str]], Path]
) -> None:
    elf = make_elf("aarch64")
    path = make(tmp_path / "out", {"n.so": elf, "big.so": elf + bytes(20 << 20), "e": ""})
    bundle = read_bundle(path)
    by_path = {entry.path: entry for entry in bundle.entries}
    assert by_path["n.so"].binary
    assert by_path["big.so"].binary
    assert by_path["n.so"].binary.machine == by_path["big.so"].binary.machine == "aarch64"
    assert by_path["e"].binary is None
    assert by_path["big.so"].size == len(elf) + (20 << 20)
    assert read_content(by_path["n.so"].content) == elf


def test_modes_are_as_found(tmp_path: Path) -> None:
    root = tree(tmp_path / "out", {"a": "", "b": ""})
    (root / "a").chmod(0o4751)
    (root / "b").chmod(0o600)
    assert [entry.mode for entry in read_bundle(root).entries] == [0o4751, 0o600]


@pytest.mark.parametrize(
    ("system", "attributes", "expected"),
    [
        (3, (stat.S_IFREG | 0o640) << 16, 0o640),
        (3, 0, 0),
        (0, 0, 0o644),
        (0, 0x20, 0o644),
        (0, 0o755 << 16, 0o755),
    ],
)
def test_modes_in_a_zip(tmp_path: Path, system: int, attributes: int, expected: int) -> None:
    """Archives of Windows tools have no modes; those of Unix tools may have none by mistake."""
    path = tmp_path / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.create_system = system
        archive.writestr(info, "")
        info.external_attr = attributes
    (entry,) = read_bundle(path).entries
    assert entry.mode == expected


def test_links_in_a_directory(tmp_path: Path) -> None:
    root = tree(tmp_path / "out", {"lib/real.so.1": "x", "sub/x": ""})
    (root / "lib/real.so").symlink_to("real.so.1")
    (root / "linked").symlink_to("lib")
    (root / "sub/up").symlink_to("..")
    (root / "away").symlink_to("/etc/hostname")
    (root / "broken").symlink_to("nothing")
    os.mkfifo(root / "pipe")
    bundle = read_bundle(root)
    assert [entry.path for entry in bundle.entries] == [
        "lib/real.so", "lib/real.so.1", "linked/real.so", "linked/real.so.1", "sub/x",
    ]  # fmt: skip
    assert len(bundle.warnings) == 4


def test_links_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lib/real.so.1", "data")
        for name, target in {
            "lib/one": "real.so.1", "two": "lib/one", "circle": "circle",
            "away": "../../etc/passwd",
        }.items():  # fmt: skip
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    bundle = read_bundle(path)
    assert [(entry.path, entry.size) for entry in bundle.entries] == [
        ("lib/one", 4), ("lib/real.so.1", 4), ("two", 4),
    ]  # fmt: skip
    assert len(bundle.warnings) == 2


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_names_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../evil", "/abs", "a//b", "./c", "win\\dows", "d", "d", "folder/"):
            archive.writestr(name, name)
        archive.writestr("d", "last")
    bundle = read_bundle(path)
    assert [entry.path for entry in bundle.entries] == ["a/b", "c", "d", "win\\dows"]
    assert read_content(bundle.entries[2].content) == b"last"
    assert len(bundle.warnings) == 5


def broken_end(content: bytes) -> bytes:
    return content[:-10]


def broken_member(content: bytes) -> bytes:
    return content[:36] + b"\xff\xff\xff" + content[39:]


def wrong_crc(content: bytes) -> bytes:
    return content.replace(b"stored data", b"stOred data")


def encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\1\2")
    return content[: at + 8] + b"\1" + content[at + 9 :]


def unknown_method(content: bytes) -> bytes:
    at = content.index(b"PK\1\2")
    return content[: at + 10] + b"\x63" + content[at + 11 :]


@pytest.mark.parametrize(
    "damage",
    [
        broken_end,
        broken_member,
        wrong_crc,
        encrypted,
        unknown_method,
        lambda _: b"",
        lambda _: b"no zip",
    ],
)
def test_a_damaged_zip_is_an_error(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("name", "x" * 500, zipfile.ZIP_DEFLATED)
        archive.writestr("stored", "stored data")
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(ArtifactReadError) as caught:
        read_bundle(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_is_not_there_or_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactReadError, match="doesn't exist"):
        read_bundle(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactReadError, match="neither"):
        read_bundle(tmp_path / "pipe")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_mutated_zip_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Never another exception, whatever the bytes are."""
    content = bytearray(make_wheel("a", "1.0", files={"a.py": "x" * 50}).content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "out.zip"
    path.write_bytes(content)
    with contextlib.suppress(ArtifactReadError):
        read_bundle(path)


def test_memory_stays_bounded(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "out.zip", {"zeros": bytes(100 << 20), "n.so": make_elf() + bytes(64 << 20)}
    )
    tracemalloc.start()
    try:
        bundle = read_bundle(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert bundle.size > 164 << 20
    assert peak < 48 << 20


@pytest.mark.subprocess
def test_what_pip_installs_is_read(tmp_path: Path) -> None:
    """Pip's own directory: launchers, bytecode and all."""
    made = make_wheel("a", "1.0", entry_points={"console_scripts": {"tool": "a:main"}})
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target",
         tmp_path / "out", made.write_to(tmp_path)],
        check=True,
    )  # fmt: skip
    bundle = read_bundle(tmp_path / "out")
    assert [project.name for project in bundle.projects] == ["a"]
    owners = {entry.path: entry.owner for entry in bundle.entries}
    assert owners["a/__init__.py"] == "a"
    assert any("__pycache__" in path for path in owners)
    assert "bin/tool" in owners


def test_an_archive_that_changed_meanwhile_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "out.zip", {"a": "1", "b": "2"})
    bundle = read_bundle(path)
    zipped(path, {"b": "2"})
    with pytest.raises(ArtifactReadError, match="cannot be read"):
        read_content(bundle.entries[0].content)


def test_an_archive_is_opened_once_for_all_its_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening reads every header: with thousands of members it must not happen for each read."""
    files = {f"p{n}-1.dist-info/{name}": "" for n in range(50) for name in ("METADATA", "RECORD")}
    path = zipped(tmp_path / "out.zip", files)
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, file: Path) -> None:
            opened.append(file)
            super().__init__(file)

    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    assert len(read_bundle(path).projects) == 50
    assert opened == [path]
