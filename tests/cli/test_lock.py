"""``crossdeps lock``: one plan for one target or for many, kept until told otherwise."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from crossdeps.pipeline.lock import lock as run_lock
from crossdeps.pipeline.request import Settings
from crossdeps.target.model import Target
from tests.support.command_line import TARGET, CommandLine
from tests.support.toml import load_toml
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.index_server import IndexServer

BOTH = ("--python", "3.12", "--arch", "x86_64", "--arch", "aarch64")


def pins(run: CommandLine, name: str = "pylock.toml") -> dict[str, list[str]]:
    """Versions by project, of a lock that ``packaging`` accepts."""
    lock = Pylock.from_dict(load_toml(run.folder / name))
    found: dict[str, list[str]] = {}
    for package in lock.packages:
        found.setdefault(package.name, []).append(str(package.version))
    return found


class TestOneTarget:
    def test_it_says_what_it_wrote(self, run: CommandLine) -> None:
        told = run("lock", "leaf", *TARGET)
        assert (told.code, told.out, told.left) == (0, "", ("pylock.toml",))
        assert told.err == "pylock.toml: 2 packages for\n  CPython 3.12.16, x86_64, glibc 2.17\n"

    def test_what_the_target_is_too_old_for_is_told(self, run: CommandLine) -> None:
        told = run("lock", "tree", "--json", *TARGET)
        text = "native 1.0, not 1.1: it requires glibc 2.28, which python3.12 and later have"
        assert told.err.startswith(
            f"note: older than the newest because of the target:\n  {text}\npylock.toml: "
        )
        target = told.document["targets"][0]["description"]
        assert told.document["downgrades"] == [
            {"name": "native", "targets": [target], "text": text}
        ]

    def test_lock_then_build_is_build(self, run: CommandLine) -> None:
        """The same bytes, and no page is asked for again."""
        run.build("tree", "-o", "direct.zip")
        run("lock", "tree", *TARGET)
        run.index.forget_requests()
        told = run.build("pylock.toml", "-o", "locked.zip")
        assert told.code == 0
        assert not any(path.startswith("/simple/") for path in run.index.paths())
        direct, locked = (run.folder / f"{name}.zip" for name in ("direct", "locked"))
        assert direct.read_bytes() == locked.read_bytes()

    def test_a_build_for_another_target_is_refused_with_the_difference(
        self, run: CommandLine
    ) -> None:
        run("lock", "tree", *TARGET)
        told = run("build", "pylock.toml", "--python", "3.12", "--arch", "arm64")
        assert (told.code, told.left) == (2, ("pylock.toml",))
        assert "the lock is for another target: x86_64, not aarch64" in told.err
        assert "crossdeps lock" in told.err

    @pytest.mark.parametrize("asked", [["pylock.toml"], ["-r", "pylock.toml"]])
    def test_a_lock_of_a_lock_is_refused(self, run: CommandLine, asked: list[str]) -> None:
        """It would have nothing in it."""
        run("lock", "pure", *TARGET)
        before = (run.folder / "pylock.toml").read_bytes()
        told = run("lock", *asked, *TARGET)
        assert told.code == 2
        assert "pylock.toml is a lock file: its versions are already chosen" in told.err
        assert (run.folder / "pylock.toml").read_bytes() == before

    def test_dash_is_standard_output(self, run: CommandLine) -> None:
        told = run("lock", "pure", "-o", "-", *TARGET)
        assert (told.code, told.left) == (0, ())
        assert told.out.startswith('lock-version = "1.0"')
        assert run("lock", "pure", "-o", "-", "--json", *TARGET).code == 2

    def test_the_output_of_the_project_is_not_that_of_the_lock(self, run: CommandLine) -> None:
        run.write("pyproject.toml", '[tool.crossdeps]\noutput = "function.zip"\n')
        assert run("lock", "pure", *TARGET).left == ("pylock.toml", "pyproject.toml")

    def test_hashes_that_no_index_states_are_computed(
        self, run: CommandLine, make_index: Callable[..., IndexServer]
    ) -> None:
        index = make_index()
        index.configure(hashes=False)
        wheel = make_wheel("silent", "1.0")
        index.add(wheel)
        told = run("lock", "silent", "--index-url", index.url, *TARGET)
        assert told.code == 0
        assert wheel.sha256 in (run.folder / "pylock.toml").read_text()


class TestSeveralTargets:
    def test_each_takes_its_wheel(self, run: CommandLine) -> None:
        told = run("lock", "native", *BOTH)
        assert told.code == 0
        assert pins(run) == {"native": ["1.0"]}
        text = (run.folder / "pylock.toml").read_text()
        assert "manylinux_2_17_x86_64" in text
        assert "manylinux_2_17_aarch64" in text
        for arch in ("x86_64", "aarch64"):
            built = run("build", "pylock.toml", "-o", arch, "--python", "3.12", "--arch", arch)
            assert built.code == 0, built.err

    def test_a_version_that_all_can_have_is_taken_by_all(self, run: CommandLine) -> None:
        """What only one of them can't have newer holds the others back too."""
        run.index.add(make_wheel("native", "1.2", tag="cp312-cp312-manylinux_2_17_x86_64"))
        told = run("lock", "native", *BOTH)
        assert told.code == 0
        assert pins(run) == {"native": ["1.0"]}
        assert "  native 1.0, not 1.2: it has wheels only for other platforms" in told.err
        assert " (Python 3.12.16 aarch64)\n" in told.err

    def test_where_the_wheels_force_it_they_differ_and_it_is_told(self, run: CommandLine) -> None:
        for version, python in (("1.0", "cp312"), ("2.0", "cp313")):
            run.index.add(make_wheel("split", version, tag=f"{python}-none-any"))
        told = run(
            "lock", "split", "--runtime", "python3.12", "--runtime", "python3.13", "--arch", "arm64"
        )
        assert told.code == 0
        assert pins(run) == {"split": ["1.0", "2.0"]}
        assert told.err.startswith(
            "note: split differs between targets:"
            " 2.0 was skipped because it has wheels only for other Python versions (cp313)\n"
            "  1.0 for python3.12 aarch64\n"
            "  2.0 for python3.13 aarch64\n"
        )
        built = run("build", "pylock.toml", "--runtime", "python3.13", "--arch", "arm64", "--json")
        assert [each["version"] for each in built.document["packages"]] == ["2.0"]


class TestKeepingPins:
    @pytest.fixture(autouse=True)
    def _older_lock(self, run: CommandLine) -> None:
        run("lock", "pure<1.1", "leaf", *TARGET)
        assert pins(run)["pure"] == ["1.0"]

    def test_what_still_fits_is_kept(self, run: CommandLine) -> None:
        told = run("lock", "leaf", *TARGET)
        assert pins(run)["pure"] == ["1.0"]
        assert "pure" not in told.err

    @pytest.mark.parametrize("option", [["--upgrade"], ["-P", "pure"], ["--upgrade-package=PURE"]])
    def test_unless_it_is_to_be_upgraded(self, run: CommandLine, option: list[str]) -> None:
        run.write("more.txt", "leaf\n")
        told = run("lock", "-r", "more.txt", *option, *TARGET)
        assert pins(run)["pure"] == ["1.1"]
        assert "changed pure 1.0 -> 1.1\n" in told.err

    def test_others_stay_when_one_is_upgraded(self, run: CommandLine) -> None:
        run.index.add(make_wheel("leaf", "2.0", requires=["pure<2"]))
        run.write("more.txt", "leaf\n")
        run("lock", "-r", "more.txt", "-P", "leaf", *TARGET)
        assert pins(run) == {"leaf": ["2.0"], "pure": ["1.0"]}

    def test_what_does_not_fit_any_more_is_chosen_anew(self, run: CommandLine) -> None:
        assert run("lock", "pure>1", "leaf", *TARGET).code == 0
        assert pins(run)["pure"] == ["1.1"]

    def test_a_target_that_is_new_takes_the_same(self, run: CommandLine) -> None:
        run("lock", "leaf", *BOTH)
        assert pins(run)["pure"] == ["1.0"]

    def test_a_name_that_is_not_in_it_is_told(self, run: CommandLine) -> None:
        told = run("lock", "leaf", "-P", "purr", *TARGET)
        assert told.code == 0
        assert "warning: purr is not in pylock.toml" in told.err

    def test_additions_and_removals_are_told(self, run: CommandLine) -> None:
        told = run("lock", "native", *TARGET)
        assert "removed leaf 1.0\nadded native 1.0\nremoved pure 1.0\n" in told.err

    def test_check_writes_nothing_and_tells_by_its_code(self, run: CommandLine) -> None:
        before = (run.folder / "pylock.toml").read_bytes()
        assert run("lock", "pure<1.1", "leaf", "--check", *TARGET).code == 0
        told = run("lock", "native", "--check", *TARGET)
        assert told.code == 1
        assert "pylock.toml is out of date" in told.err
        assert (run.folder / "pylock.toml").read_bytes() == before

    def test_a_dry_run_writes_nothing(self, run: CommandLine) -> None:
        before = (run.folder / "pylock.toml").read_bytes()
        assert run("lock", "native", "--dry-run", *TARGET).code == 0
        assert (run.folder / "pylock.toml").read_bytes() == before

    def test_a_broken_lock_is_replaced_with_a_warning(self, run: CommandLine) -> None:
        run.write("pylock.toml", "<<<<<<< ours\n")
        told = run("lock", "leaf", *TARGET)
        assert told.code == 0
        assert "warning: " in told.err
        assert "all versions are chosen again" in told.err
        assert pins(run)["pure"] == ["1.1"]


class TestJson:
    def test_the_keys_are_a_contract(self, run: CommandLine) -> None:
        run("lock", "pure<2", *TARGET)
        document = run("lock", "pure<2", "native", "--json", *TARGET).document
        assert set(document) >= {
            "version", "crossdeps", "path", "targets", "packages", "changes", "divergences",
            "downgrades", "warnings", "up_to_date", "differences",
        }  # fmt: skip
        assert document["path"] == str(run.folder / "pylock.toml")
        assert document["changes"] == [{"name": "native", "before": [], "after": ["1.0"]}]
        assert document["packages"][1] == {
            "name": "pure",
            "version": "1.1",
            "marker": None,
            "files": ["pure-1.1-py3-none-any.whl"],
        }


class TestRequirementsWithHashes:
    def test_every_line_is_pinned_and_hashed(self, run: CommandLine) -> None:
        assert run("lock", "tree", "-o", "requirements.lock.txt", *BOTH).code == 0
        text = (run.folder / "requirements.lock.txt").read_text()
        assert "\nnative==1.0 \\\n    --hash=sha256:" in text
        assert text.count("--hash=sha256:") == 5

    def test_it_builds_what_the_lock_builds(self, run: CommandLine) -> None:
        run("lock", "tree", "-o", "locked.txt", *TARGET)
        run("lock", "tree", *TARGET)
        run.build("-r", "locked.txt", "-o", "one.zip")
        run.build("pylock.toml", "-o", "two.zip")
        assert (run.folder / "one.zip").read_bytes() == (run.folder / "two.zip").read_bytes()

    def test_it_takes_the_place_of_its_like_only(self, run: CommandLine) -> None:
        for _ in range(2):
            assert run("lock", "pure", "-o", "locked.txt", *TARGET).code == 0
        run.write("locked.txt", "pure\n")
        assert run("lock", "pure", "-o", "locked.txt", *TARGET).code == 2

    @pytest.mark.subprocess
    def test_pip_accepts_it(self, run: CommandLine) -> None:
        """Hash-checking mode: everything is pinned and hashed, dependencies included."""
        run("lock", "leaf", "-o", "locked.txt", *TARGET)
        done = subprocess.run(
            [
                sys.executable, "-m", "pip", "install", "--dry-run", "--require-hashes",
                "--no-cache-dir", "--index-url", run.index.url, "--target", "nowhere",
                "-r", "locked.txt",
            ],
            cwd=run.folder,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Would install leaf-1.0 pure-1.1" in done.stdout


class TestUpgradeOfOneProject:
    """``-U NAME`` upgraded NAME once; now NAME is a requirement, as for pip and uv."""

    @pytest.fixture(autouse=True)
    def _lock(self, run: CommandLine) -> None:
        run.write("requirements.txt", "leaf\nnative\n")
        assert run("lock", *TARGET).code == 0

    def test_a_name_of_the_lock_is_not_taken_for_all_that_is_required(
        self, run: CommandLine
    ) -> None:
        before = (run.folder / "pylock.toml").read_bytes()
        told = run("lock", "-U", "leaf", *TARGET)
        assert told.code == 2
        assert "--upgrade takes no name, and pylock.toml was not made from leaf alone" in told.err
        assert "hint: upgrade one project with --upgrade-package leaf" in told.err
        assert (run.folder / "pylock.toml").read_bytes() == before

    def test_nor_for_one_more_requirement(self, run: CommandLine) -> None:
        """Of pure, which leaf requires."""
        told = run("lock", "-r", "requirements.txt", "-U", "pure", *TARGET)
        assert told.code == 2
        assert "--upgrade takes no name, and pylock.toml was not made from pure\n" in told.err
        assert run("lock", "-r", "requirements.txt", "pure", *TARGET).code == 0
        assert run("lock", "-r", "requirements.txt", "-U", "pure", *TARGET).code == 0

    @pytest.mark.parametrize("asked", [["leaf>=1"], ["tree"], ["leaf", "native"]])
    def test_requirements_may_follow(self, run: CommandLine, asked: list[str]) -> None:
        assert run("lock", "-U", *asked, *TARGET).code == 0

    def test_a_value_is_told_where_it_belongs(self, run: CommandLine) -> None:
        told = run("lock", "--upgrade=leaf", *TARGET)
        assert told.code == 2
        assert "hint: upgrade one project with --upgrade-package NAME" in told.err

    @pytest.mark.parametrize("name", ["leaf>=1", "a b", "leaf==1.0", "."])
    def test_what_is_no_name_is_refused(self, run: CommandLine, name: str) -> None:
        told = run("lock", "-P", name, *TARGET)
        assert told.code == 2
        assert f"--upgrade-package takes the name of a project, not {name!r}" in told.err


class TestNames:
    """``pylock.toml`` or ``pylock.NAME.toml`` (PEP 751), before anything is resolved."""

    @pytest.mark.parametrize(
        ("name", "suggestion"),
        [
            ("multi.toml", "pylock.multi.toml"),
            ("locks/multi.toml", "locks/pylock.multi.toml"),
            ("pylock.a.b.toml", "pylock.a-b.toml"),
            ("lock", "pylock.lock.toml"),
            ("pylock", "pylock.toml"),
            (".toml", "pylock.toml"),
            ("lock.json", "pylock.lock-json.toml"),
        ],
    )
    def test_a_name_that_build_would_refuse_is_refused(
        self, run: CommandLine, name: str, suggestion: str
    ) -> None:
        run.index.forget_requests()
        told = run("lock", "pure", "-o", name, *TARGET)
        assert (told.code, told.left) == (2, ())
        assert f"error: {name} is not a valid name for a lock" in told.err
        assert f"hint: write to {suggestion}; " in told.err
        assert run.index.requests == ()

    def test_a_named_lock_builds(self, run: CommandLine) -> None:
        assert run("lock", "pure", "-o", "pylock.multi.toml", *TARGET).code == 0
        assert run.build("pylock.multi.toml").code == 0


SPLIT = ("--runtime", "python3.12", "--runtime", "python3.13")


class TestSplitLock:
    """Targets that have different versions of a project."""

    @pytest.fixture(autouse=True)
    def _lock(self, run: CommandLine) -> None:
        for version, python in (("1.0", "cp312"), ("2.0", "cp313")):
            run.index.add(make_wheel("split", version, tag=f"{python}-none-any"))
        assert run("lock", "split", *SPLIT, "--arch", "arm64").code == 0
        for version in ("1.1", "2.1"):
            run.index.add(make_wheel("split", version))

    @pytest.mark.parametrize(
        ("target", "version"),
        [
            (("--runtime", "python3.12", "--arch", "arm64"), "1.0"),
            (("--runtime", "python3.13", "--arch", "arm64"), "2.0"),
            (("--python", "3.13", "--arch", "arm64"), "2.0"),  # an older glibc
            (("--python", "3.13", "--arch", "x86_64"), "2.0"),  # another architecture
        ],
    )
    def test_one_of_them_keeps_its_own(
        self, run: CommandLine, target: tuple[str, ...], version: str
    ) -> None:
        assert run("lock", "split", "--refresh", *target).code == 0
        assert pins(run) == {"split": [version]}

    def test_all_of_them_keep_theirs(self, run: CommandLine) -> None:
        assert run("lock", "split", "--refresh", *SPLIT, "--arch", "arm64").code == 0
        assert pins(run) == {"split": ["1.0", "2.0"]}


class TestNewestPerTarget:
    TARGETS = (*SPLIT, "--arch", "x86_64", "--arch", "arm64")

    @pytest.fixture(autouse=True)
    def _index(self, run: CommandLine) -> None:
        run.index.add(make_wheel("split", "1.0"))
        run.index.add(make_wheel("split", "2.0", tag="cp313-none-any"))
        run.index.add(make_wheel("split", "3.0", tag="cp313-cp313-manylinux_2_17_aarch64"))

    def test_each_target_has_the_newest_that_fits(self, run: CommandLine) -> None:
        assert run("lock", "split", *self.TARGETS).code == 0
        assert pins(run) == {"split": ["1.0"]}
        assert run("lock", "split", "-U", "--newest-per-target", *self.TARGETS).code == 0
        assert pins(run) == {"split": ["1.0", "2.0", "3.0"]}
        for runtime, arch, version in (
            ("python3.12", "x86_64", "1.0"),
            ("python3.12", "arm64", "1.0"),
            ("python3.13", "x86_64", "2.0"),
            ("python3.13", "arm64", "3.0"),
        ):
            built = run(
                "build", "pylock.toml", "--runtime", runtime, "--arch", arch, "--dry-run", "--json"
            )
            assert [each["version"] for each in built.document["packages"]] == [version]

    def test_it_can_be_configured(self, run: CommandLine) -> None:
        run.write("pyproject.toml", "[tool.crossdeps]\nnewest-per-target = true\n")
        assert run("lock", "split", *self.TARGETS).code == 0
        assert pins(run) == {"split": ["1.0", "2.0", "3.0"]}

    def test_it_is_another_result_than_without_it(self, run: CommandLine) -> None:
        """Both are remembered."""
        for more, count in (((), 1), (("--newest-per-target",), 3), ((), 1)):
            told = run("lock", "split", "-o", "-", *more, *self.TARGETS)
            assert told.out.count('name = "split"') == count

    def test_the_library_has_it(self, run: CommandLine) -> None:
        targets = [Target.runtime(name, arch="arm64") for name in SPLIT[1::2]]
        settings = Settings(cache=run.folder / "cache")
        lock = run_lock(["split"], targets, settings=settings, newest_per_target=True)
        assert [str(package.version) for package in lock.packages] == ["1.0", "3.0"]

    def test_targets_that_no_marker_distinguishes_agree(self, run: CommandLine) -> None:
        """They differ in their C library alone, and native 1.1 requires the newer one."""
        targets = [Target(python="3.12", arch="x86_64", glibc=glibc) for glibc in ("2.17", "2.28")]
        settings = Settings(cache=run.folder / "cache")
        lock = run_lock(["native"], targets, settings=settings, newest_per_target=True)
        assert [str(package.version) for package in lock.packages] == ["1.0"]
