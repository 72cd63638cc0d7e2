"""``crossdeps lock --check``: a lock changes only when what it installs does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from crossdeps.resolution.lock.differences import LockDifference, compare_locks
from tests.support.command_line import TARGET, CommandLine, fill
from tests.support.toml import load_toml
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.index_server import IndexServer

BOTH = ("--python", "3.12", "--arch", "x86_64", "--arch", "aarch64")


@pytest.fixture
def locked(run: CommandLine) -> CommandLine:
    """A lock of requirements.txt for one target."""
    run.write("requirements.txt", "tree\n")
    assert run("lock", *TARGET).code == 0
    return run


def read(run: CommandLine, name: str = "pylock.toml") -> str:
    return (run.folder / name).read_text(encoding="utf-8")


def edit(run: CommandLine, old: str, new: str) -> None:
    text = read(run)
    assert old in text
    run.write("pylock.toml", text.replace(old, new))


def find_hash(run: CommandLine, package: str) -> str:
    packages = load_toml(run.folder / "pylock.toml")["packages"]
    (found,) = (
        each["wheels"][0]["hashes"]["sha256"] for each in packages if each["name"] == package
    )
    return str(found)


class TestUnchanged:
    @pytest.mark.parametrize("version", ["1.0.1", "9"])
    def test_a_newer_release_changes_nothing(self, locked: CommandLine, version: str) -> None:
        """Whether it would fit (leaf 1.0.1) or is for another target (native 9)."""
        before = read(locked)
        locked.index.add(make_wheel("leaf", version, requires=["pure<2"]))
        locked.index.add(make_wheel("native", version, tag="cp313-cp313-win_amd64"))
        told = locked("lock", "--check", "--refresh", *TARGET)
        assert (told.code, told.err.splitlines()[-1]) == (0, "pylock.toml is up to date")
        assert locked("lock", "--refresh", *TARGET).code == 0
        assert read(locked) == before

    def test_what_was_skipped_is_not_in_the_lock(self, locked: CommandLine) -> None:
        """A newer native requires a newer glibc, and a newer pure is excluded."""
        assert "1.1" not in read(locked).replace("pure-1.1", "").replace('"1.1"', "")
        assert "2.0" not in read(locked)

    def test_a_release_after_the_cut_off_leaves_no_trace(self, run: CommandLine) -> None:
        wheel = make_wheel("timed", "1.0")
        run.index.add(wheel, upload_time="2024-01-01T00:00:00Z")
        cut = ("--exclude-newer", "2024-02-01")
        assert run("lock", "timed", *cut, *TARGET).code == 0
        before = read(run)
        run.index.add(make_wheel("timed", "2.0"), upload_time="2024-03-01T00:00:00Z")
        assert run("lock", "timed", *cut, "--refresh", "-U", *TARGET).code == 0
        assert read(run) == before

    def test_the_order_of_the_targets_does_not_matter(self, run: CommandLine) -> None:
        assert run("lock", "tree", *BOTH).code == 0
        before = read(run)
        other = ("--arch", "arm64", "--arch", "x86_64", "--python", "3.12")
        assert run("lock", "tree", "--check", *other).code == 0
        assert run("lock", "tree", *other).code == 0
        assert read(run) == before

    def test_a_mirror_is_no_change(
        self, locked: CommandLine, make_index: Callable[..., IndexServer]
    ) -> None:
        """The files are the same, and only their URLs differ."""
        mirror = make_index()
        fill(mirror)
        assert locked("lock", "--check", "--index-url", mirror.url, *TARGET).code == 0

    def test_a_lock_with_other_notes_is_up_to_date(self, locked: CommandLine) -> None:
        """Such as one of an earlier crossdeps, which recorded what it skipped."""
        note = '[[packages.tool.crossdeps.passed-over]]\nreason = "glibc"\nversions = ["9"]\n\n'
        edit(locked, "[tool.crossdeps]", f"{note}[tool.crossdeps]")
        assert locked("lock", "--check", *TARGET).code == 0


class TestStale:
    def check(self, run: CommandLine, *more: str) -> list[tuple[str, str | None]]:
        """The kind of each difference, with its project."""
        before = read(run)
        told = run("lock", "--check", "--json", *more, *TARGET)
        assert told.code == 1
        assert "pylock.toml is out of date:\n  " in told.err
        assert read(run) == before
        document = told.document
        assert document["up_to_date"] is False
        return [(each["kind"], each["name"]) for each in document["differences"]]

    def test_a_requirement_was_added(self, locked: CommandLine) -> None:
        locked.index.add(make_wheel("more", "1"))
        locked.write("requirements.txt", "tree\nmore\n")
        assert self.check(locked) == [("package", "more")]
        told = locked("lock", "--check", *TARGET)
        assert told.err.endswith("pylock.toml is out of date:\n  more 1 is missing\n")

    def test_a_requirement_was_removed(self, locked: CommandLine) -> None:
        locked.write("requirements.txt", "leaf\n")
        assert self.check(locked) == [("package", "native"), ("package", "tree")]

    def test_a_pin_does_not_fit(self, locked: CommandLine) -> None:
        locked.write("requirements.txt", "tree\npure<1.1\n")
        assert self.check(locked) == [("version", "pure")]
        assert "  pure: version 1.1 -> 1.0\n" in locked("lock", "--check", *TARGET).err

    def test_an_upgrade_would_change_it(self, locked: CommandLine) -> None:
        locked.index.add(make_wheel("leaf", "1.0.1", requires=["pure<2"]))
        assert self.check(locked, "--refresh", "-P", "leaf") == [("version", "leaf")]

    def test_a_hash_differs(self, locked: CommandLine) -> None:
        digest = find_hash(locked, "leaf")
        edit(locked, digest, "0" * 64)
        assert self.check(locked) == [("hash", "leaf")]
        told = locked("lock", "--check", *TARGET)
        assert f"leaf: hash sha256:{'0' * 64} of leaf-1.0-py3-none-any.whl -> sha256:{digest}" in (
            told.err
        )

    def test_a_wheel_differs(self, locked: CommandLine) -> None:
        edit(locked, "manylinux_2_17_x86_64", "manylinux_2_17_aarch64")
        assert self.check(locked) == [("file", "native"), ("file", "native")]

    def test_an_environment_differs(self, locked: CommandLine) -> None:
        told = locked("lock", "--check", "--json", *BOTH)
        assert told.code == 1
        kinds = [each["kind"] for each in told.document["differences"]]
        assert kinds == ["environment", "file"]
        assert "environment Python 3.12, cp312, aarch64, glibc 2.17 is missing" in told.err

    def test_many_differences_are_cut_short(self, locked: CommandLine) -> None:
        names = [f"more{number}" for number in range(25)]
        for name in names:
            locked.index.add(make_wheel(name, "1"))
        locked.write("requirements.txt", "\n".join(["tree", *names]))
        assert locked("lock", "--check", *TARGET).err.endswith("  and 5 more differences\n")

    def test_an_up_to_date_lock_says_so_in_json(self, locked: CommandLine) -> None:
        document = locked("lock", "--check", "--json", *TARGET).document
        assert (document["up_to_date"], document["differences"]) == (True, [])
        assert locked("lock", "--json", *TARGET).document["up_to_date"] is None


class TestBroken:
    @pytest.mark.parametrize(
        "text",
        [
            "<<<<<<< ours\n",
            "",
            'lock-version = "9.0"\ncreated-by = "a"\npackages = []\n',
            'lock-version = "1.0"\ncreated-by = "a"\n[[packages]]\nname = "A B"\n',
            b"\xff\xfe\x00",
        ],
    )
    def test_an_invalid_lock_is_unreadable_input(
        self, locked: CommandLine, text: str | bytes
    ) -> None:
        locked.write("pylock.toml", text)
        told = locked("lock", "--check", "--json", *TARGET)
        assert told.code == 2
        assert told.document["error"]["id"] == "input"
        assert told.document["error"]["hint"].startswith("make the lock again: crossdeps lock")
        assert "all versions are chosen again" not in told.err

    @pytest.mark.parametrize("name", ["pylock.toml", "locked.txt"])
    def test_a_missing_lock_too(self, run: CommandLine, name: str) -> None:
        told = run("lock", "pure", "--check", "-o", name, *TARGET)
        assert (told.code, told.left) == (2, ())
        assert f"error: there is no lock {name} to check" in told.err
        assert "hint: make it: crossdeps lock" in told.err


class TestRequirementsWithHashes:
    @pytest.fixture(autouse=True)
    def _locked(self, run: CommandLine) -> None:
        run.write("requirements.txt", "tree\n")
        assert run("lock", "-o", "locked.txt", *TARGET).code == 0

    def test_pins_are_kept(self, run: CommandLine) -> None:
        before = read(run, "locked.txt")
        run.index.add(make_wheel("leaf", "1.0.1", requires=["pure<2"]))
        for more in (["--check"], []):
            assert run("lock", "-o", "locked.txt", "--refresh", *more, *TARGET).code == 0
        assert read(run, "locked.txt") == before
        told = run("lock", "-o", "locked.txt", "-P", "leaf", *TARGET)
        assert "changed leaf 1.0 -> 1.0.1\n" in told.err
        assert "leaf==1.0.1" in read(run, "locked.txt")

    def test_each_target_keeps_its_own(self, run: CommandLine) -> None:
        run.index.add(make_wheel("split", "1.0"))
        run.index.add(make_wheel("split", "2.0", tag="cp313-none-any"))
        targets = ("--runtime", "python3.12", "--runtime", "python3.13", "--arch", "arm64")
        options = ("lock", "split", "-o", "split.txt", *targets, "--newest-per-target")
        assert run(*options).code == 0
        before = read(run, "split.txt")
        assert 'split==2.0 ; python_version == "3.13"' in before
        run.index.add(make_wheel("split", "3.0"))
        assert run(*options, "--refresh").code == 0
        assert read(run, "split.txt") == before

    def test_a_difference_is_told(self, run: CommandLine) -> None:
        run.write("requirements.txt", "tree\npure<1.1\n")
        told = run("lock", "-o", "locked.txt", "--check", "--json", *TARGET)
        assert told.code == 1
        assert [
            (each["kind"], each["before"], each["after"]) for each in told.document["differences"]
        ] == [("package", None, "pure==1.0"), ("package", "pure==1.1", None)]

    def test_a_line_that_is_no_requirement_is_unreadable(self, run: CommandLine) -> None:
        run.write("locked.txt", read(run, "locked.txt") + "%%%\n")
        told = run("lock", "-o", "locked.txt", "--check", *TARGET)
        assert told.code == 2
        assert "locked.txt:" in told.err
        assert "all versions are chosen again" in run("lock", "-o", "locked.txt", *TARGET).err


def _package(**fields: object) -> dict[str, object]:
    return {"name": "a", **fields}


def _lock(*packages: dict[str, object]) -> Pylock:
    return Pylock.from_dict(
        {"lock-version": "1.0", "created-by": "a test", "packages": list(packages)}
    )


_VCS = {"type": "git", "url": "https://e/a", "commit-id": "1"}
_ARCHIVE = {"url": "https://e/a.zip", "hashes": {"sha256": "0" * 64}}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (_package(vcs=_VCS), _package(vcs=_VCS), []),
        (_package(vcs=_VCS), _package(vcs={**_VCS, "commit-id": "2"}), ["version"]),
        (_package(directory={"path": "a"}), _package(directory={"path": "b"}), ["version"]),
        (
            _package(archive=_ARCHIVE),
            _package(archive={**_ARCHIVE, "hashes": {"sha256": "1" * 64}}),
            ["hash"],
        ),
        (
            _package(archive=_ARCHIVE),
            _package(archive={**_ARCHIVE, "hashes": {"sha256": "0" * 64, "md5": "0"}}),
            [],
        ),
        (
            _package(archive=_ARCHIVE),
            _package(archive={**_ARCHIVE, "hashes": {"md5": "0"}}),
            ["hash"],
        ),
        (
            _package(directory={"path": "a"}, marker='os_name == "nt"'),
            _package(directory={"path": "a"}),
            ["marker"],
        ),
    ],
)
def test_other_sources_are_compared(
    before: dict[str, object], after: dict[str, object], kinds: list[str]
) -> None:
    assert [each.kind for each in compare_locks(_lock(before), _lock(after))] == kinds


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (LockDifference(kind="package", name="a", before="1"), "a 1 is not needed any more"),
        (LockDifference(kind="marker", name="a", before="none", after="b"), "a: marker none -> b"),
        (
            LockDifference(kind="environment", before="Python 3.9", after="Python 3.10"),
            "environment Python 3.9 -> Python 3.10",
        ),
    ],
)
def test_a_difference_is_one_line(difference: LockDifference, text: str) -> None:
    assert difference.describe() == text


def test_a_lock_of_another_target_is_stale(locked: CommandLine) -> None:
    """The C library and the ABI are no markers, but decide about what may be built."""
    told = locked("lock", "--check", "--platform", "manylinux_2_17_x86_64", "--python", "3.12")
    assert told.code == 1
    assert "environment Python 3.12, cp312, x86_64, glibc 2.17, manylinux_2_17_x86_64" in told.err


def test_a_check_of_a_copy_is_the_same(locked: CommandLine) -> None:
    shutil.copy(locked.folder / "pylock.toml", locked.folder / "pylock.copy.toml")
    assert locked("lock", "--check", "-o", "pylock.copy.toml", *TARGET).code == 0
