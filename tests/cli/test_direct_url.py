"""direct_url.json says where a project came from, if that is no index (PEP 610)."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs

from crossdeps.requirements.pylock import read_pylock
from crossdeps.resolution.lock.entries import write_direct_url
from tests.support.command_line import TARGET
from tests.support.sdist_factory import make_sdist
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import CommandLine

COMMIT = "c" * 40
HASHES = {"sha256": "0" * 64}


def read(path: Path, project: str) -> dict[str, Any] | None:
    """The file in an artifact, whose RECORD is right about it."""
    with zipfile.ZipFile(path) as opened:
        name = f"{project}-1.0.dist-info/direct_url.json"
        record = opened.read(f"{project}-1.0.dist-info/RECORD").decode()
        rows = {row[0]: row for row in csv.reader(io.StringIO(record))}
        inside = {each for each in opened.namelist() if each.startswith(project)}
        assert rows.keys() == inside
        if name not in inside:
            return None
        content = opened.read(name)
        assert rows[name][2] == str(len(content))
        assert rows[name][1].startswith("sha256=")
        found: dict[str, Any] = json.loads(content)
        return found


def test_a_wheel_from_a_url(run: CommandLine) -> None:
    """From requirements and from the lock of them alike; without the password."""
    wheel = make_wheel("thing", "1.0", requires=["pure"])
    run.index.add(wheel)
    assert run("lock", "thing", *TARGET).code == 0
    (package,) = [each for each in read_pylock(run.folder / "pylock.toml").packages
                  if each.name == "thing"]  # fmt: skip
    assert package.wheels is not None
    url = package.wheels[0].url
    assert url is not None
    with_login = url.replace("://", "://me:secret@")
    run.write("requirements.txt", f"thing @ {with_login} --hash=sha256:{wheel.sha256}\n"
              f"pure==1.0 --hash=sha256:{make_wheel('pure', '1.0').sha256}\n")  # fmt: skip
    assert run.build("-r", "requirements.txt", "-o", "first.zip").code == 0
    assert run("lock", *TARGET).code == 0
    assert run.build("pylock.toml", "-o", "second.zip").code == 0
    first = run.folder / "first.zip"
    assert read(first, "thing") == {
        "url": url,
        "archive_info": {"hashes": {"sha256": wheel.sha256}},
    }
    assert read(first, "pure") is None
    assert first.read_bytes() == (run.folder / "second.zip").read_bytes()
    assert run("check", "first.zip", *TARGET).code == 0


def test_what_a_wheel_says_of_itself_is_replaced(run: CommandLine) -> None:
    own = {"thing-1.0.dist-info/direct_url.json": b"{}"}
    wheel = make_wheel("thing", "1.0", files={"thing.py": b"", **own})
    run.index.add(wheel)
    assert run("lock", "thing", *TARGET).code == 0
    url = read_pylock(run.folder / "pylock.toml").packages[0].wheels[0].url  # type: ignore[index]
    told = run.build(f"thing @ {url}#sha256={wheel.sha256}", "-o", "out.zip")
    assert told.code == 0, told.err
    found = read(run.folder / "out.zip", "thing")
    assert found is not None
    assert found["url"] == url


def test_a_file_of_this_machine_leaves_no_trace(run: CommandLine) -> None:
    wheel = make_wheel("thing", "1.0")
    path = run.write(wheel.filename, wheel.content)
    for reference in (f"./{wheel.filename}", f"thing @ {path.as_uri()}"):
        assert run.build(reference, "-o", "out.zip", "--force").code == 0
        assert read(run.folder / "out.zip", "thing") is None


@pytest.mark.subprocess
def test_a_directory_and_a_repository_of_this_machine_leave_no_trace(run: CommandLine) -> None:
    project = make_sdist("thing", "1.0").write_project(run.folder / "thing")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    for reference in ("./thing", f"git+file://{project}"):
        told = run.build(reference, "-o", "out.zip", "--force")
        assert told.code == 0, told.err
        assert read(run.folder / "out.zip", "thing") is None
        assert str(run.folder).encode() not in (run.folder / "out.zip").read_bytes()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            PackageVcs(
                type="git", url="https://me:secret@git.example/p.git", commit_id=COMMIT,
                requested_revision="main", subdirectory="lib",
            ),
            {
                "url": "https://git.example/p.git", "subdirectory": "lib",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"},
            },
        ),
        (
            PackageVcs(type="git", url="ssh://git@git.example/p.git", commit_id=COMMIT),
            {
                "url": "ssh://git@git.example/p.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
            },
        ),
        (
            PackageArchive(url="https://t0ken@h.example/p-1.tar.gz", hashes=HASHES),
            {"url": "https://h.example/p-1.tar.gz", "archive_info": {"hashes": HASHES}},
        ),
        (PackageVcs(type="git", url="file:///home/me/p.git", commit_id=COMMIT), None),
        (PackageVcs(type="git", path="../p.git", commit_id=COMMIT), None),
        (PackageArchive(path="../p-1.tar.gz", hashes=HASHES), None),
        (PackageDirectory(path="../p"), None),
    ],
)  # fmt: skip
def test_it_says_what_the_standard_says(
    entry: PackageVcs | PackageArchive | PackageDirectory, expected: dict[str, Any] | None
) -> None:
    content = write_direct_url(entry)
    assert (json.loads(content) if content else None) == expected
