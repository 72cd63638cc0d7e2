"""``crossdeps why``: dependents, the chosen file and the versions skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import TARGET, CommandLine
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.index_server import IndexServer


@pytest.fixture
def asked(run: CommandLine) -> CommandLine:
    run.write("requirements.txt", "# comment\ntree\nwindowed; sys_platform == 'win32'\n")
    return run


class TestText:
    def test_the_way_from_the_user_s_line(self, asked: CommandLine) -> None:
        told = asked("why", "pure", *TARGET)
        assert told.code == 0
        assert told.out.splitlines() == [
            "pure 1.1 for CPython 3.12.16, x86_64, glibc 2.17",
            "",
            "Required by",
            "  requirements.txt:2: tree",
            "    tree 1.0 requires leaf",
            "      leaf 1.0 requires pure<2",
            "",
            "Chosen",
            "  pure-1.1-py3-none-any.whl",
            f"  from {asked.index.url}",
            f"  by the tag py3-none-any, number {_rank(told.out)}, best first",
            "",
            "Newer versions skipped",
            "  2.0: it is excluded: leaf 1.0 requires pure<2",
        ]

    def test_what_the_target_is_too_old_for(self, asked: CommandLine) -> None:
        told = asked("why", "native", *TARGET)
        assert "  1.1: it requires glibc 2.28, which python3.12 and later have" in told.out
        assert "by the tag cp312-cp312-manylinux_2_17_x86_64, number 1 of" in told.out

    def test_versions_with_one_reason_are_a_range(self, run: CommandLine) -> None:
        for version in ("3.0", "3.1", "3.2", "3.3rc1"):
            run.index.add(make_wheel("pure", version, tag="cp313-cp313-win_amd64"))
        run.write("requirements.txt", "pure\n")
        out = run("why", "pure", *TARGET).out
        assert (
            "  3.2 to 3.0 (3 versions): it has wheels only for other Python versions (cp313)" in out
        )

    def test_the_newest_has_nothing_newer(self, asked: CommandLine) -> None:
        assert "Newer versions\n  none found" in asked("why", "leaf", *TARGET).out

    def test_a_name_is_normalized(self, asked: CommandLine) -> None:
        assert asked("why", "LEAF", *TARGET).code == 0


class TestNotNeeded:
    def test_the_nearest_name_is_told(self, asked: CommandLine) -> None:
        told = asked("why", "leave", *TARGET)
        assert (told.code, told.out) == (1, "")
        assert "error: leave is not required for CPython 3.12" in told.err
        assert "4 projects are required" in told.err
        assert "hint: did you mean leaf?" in told.err

    def test_a_marker_that_is_false_for_the_target_is_told(self, asked: CommandLine) -> None:
        told = asked("why", "windowed", *TARGET)
        assert told.code == 1
        assert "requirements.txt:3: windowed; sys_platform == 'win32' does not apply" in told.err

    def test_what_is_no_name_is_a_usage_error(self, asked: CommandLine) -> None:
        assert asked("why", "a b", *TARGET).code == 2


class TestJson:
    def test_the_keys_are_a_contract(self, asked: CommandLine) -> None:
        document = asked("why", "pure", "--json", *TARGET).document
        assert set(document) == {
            "version", "crossdeps", "target", "project", "asked_for_by", "chosen", "passed_over",
            "complete",
        }  # fmt: skip
        assert document["project"] == {"name": "pure", "version": "1.1"}
        (chain,) = document["asked_for_by"]
        assert chain[0] == {
            "project": None,
            "version": None,
            "origin": "requirements.txt:2",
            "requirement": "tree",
        }
        assert [link["project"] for link in chain] == [None, "tree", "leaf"]
        assert set(document["chosen"]) == {"file", "source", "tag", "tag_rank", "requires_python"}
        assert document["passed_over"] == [
            {
                "version": "2.0",
                "reason": "specifier",
                "detail": "leaf 1.0 requires pure<2",
                "forced_by_target": False,
            }
        ]


class TestFromLock:
    def test_the_requirements_of_a_lock_of_ours_tell_the_reasons(self, asked: CommandLine) -> None:
        asked("lock", *TARGET)
        told = asked("why", "native", "-r", "pylock.toml", *TARGET)
        assert told.code == 0
        assert "  1.1: it requires glibc 2.28" in told.out
        assert "leaf 1.0 requires pure<2" in asked("why", "pure", "-r", "pylock.toml", *TARGET).out
        told = asked("why", "pure", "-r", "pylock.toml", "--json", *TARGET)
        assert told.document["complete"] is True
        assert [each["version"] for each in told.document["passed_over"]] == ["2.0"]

    def test_a_release_that_came_after_the_lock_is_told_as_such(self, asked: CommandLine) -> None:
        """It conflicts with nothing: the lock keeps the older version."""
        asked("lock", *TARGET)
        asked.index.add(make_wheel("pure", "1.2"))
        told = asked("why", "pure", "-r", "pylock.toml", "--refresh", *TARGET)
        assert "\n  1.2: it was not considered, since 1.1 is kept\n" in told.out
        assert told.out.startswith("pure 1.1 for ")

    def test_each_target_of_a_lock_has_its_reasons(self, run: CommandLine) -> None:
        run.index.add(make_wheel("split", "1.0"))
        run.index.add(make_wheel("split", "2.0", tag="cp313-none-any"))
        both = ("--runtime", "python3.12", "--runtime", "python3.13", "--arch", "arm64")
        assert run("lock", "split", *both, "--newest-per-target").code == 0
        older = run("why", "split", "-r", "pylock.toml", *both[:2], *both[4:]).out
        assert "2.0: it has wheels only for other Python versions (cp313)" in older
        newer = run("why", "split", "-r", "pylock.toml", *both[2:]).out
        assert "Newer versions\n  none found" in newer

    def test_without_an_index_it_tells_what_the_lock_says(
        self, asked: CommandLine, make_index: Callable[..., IndexServer]
    ) -> None:
        asked("lock", *TARGET)
        empty = make_index()
        told = asked(
            "why", "native", "-r", "pylock.toml", "--no-cache", "--index-url", empty.url, *TARGET
        )
        assert told.code == 0
        assert "  tree\n    tree 1.0 requires native\n" in told.out
        assert "Newer versions\n  unknown: no project 'tree' on " in told.out
        told = asked("why", "native", "-r", "pylock.toml", "--no-cache", "--offline", *TARGET)
        assert (told.code, "Newer versions\n  unknown: " in told.out) == (0, True)

    def test_requirements_that_lead_elsewhere_tell_nothing(self, asked: CommandLine) -> None:
        asked("lock", *TARGET)
        path = asked.folder / "pylock.toml"
        path.write_text(path.read_text().replace("1.1", "1.0"))
        asked.index.remove("pure")
        for version in ("1.1", "2.0"):
            asked.index.add(make_wheel("pure", version))
        told = asked("why", "pure", "-r", "pylock.toml", "--refresh", *TARGET)
        assert told.code == 0
        assert "unknown: its requirements do not lead to this version" in told.out

    def test_one_of_another_tool_tells_what_it_knows(self, run: CommandLine) -> None:
        run.write(
            "pylock.toml",
            'lock-version = "1.0"\ncreated-by = "another"\n[[packages]]\nname = "pure"\n'
            'version = "1.0"\nwheels = [{name = "pure-1.0-py3-none-any.whl", '
            f'url = "https://files.invalid/pure-1.0-py3-none-any.whl", '
            f'hashes = {{sha256 = "{"0" * 64}"}}}}]\n',
        )
        told = run("why", "pure", "-r", "pylock.toml", *TARGET)
        assert told.code == 0
        assert "pure-1.0-py3-none-any.whl" in told.out
        assert told.out.count("the lock does not record it") == 2

    def test_a_project_that_is_not_in_it(self, asked: CommandLine) -> None:
        asked("lock", *TARGET)
        told = asked("why", "leav", "-r", "pylock.toml", *TARGET)
        assert told.code == 1
        assert "did you mean leaf?" in told.err


def _rank(out: str) -> str:
    return out.partition("number ")[2].partition(",")[0]


class TestInputs:
    def test_requirements_may_be_given(self, run: CommandLine) -> None:
        """Before and after the options, as for build."""
        for arguments in (("pure", "leaf", *TARGET), ("pure", *TARGET, "leaf")):
            told = run("why", *arguments)
            assert (told.code, told.out.startswith("pure 1.1 for ")) == (0, True)
            assert "  command line: leaf\n    leaf 1.0 requires pure<2\n" in told.out

    @pytest.mark.parametrize("given", [["pylock.toml"], ["-r", "pylock.toml"]])
    @pytest.mark.parametrize(
        "target",
        [
            ("--python", "3.12", "--arch", "arm64"),
            ("--runtime", "python3.12", "--arch", "x86_64"),
            ("--python", "3.13", "--abi", "cp313t", "--arch", "x86_64"),
            ("--python", "3.12", "--platform", "musllinux_1_2_x86_64"),
        ],
    )
    def test_a_lock_for_one_target_says_which(
        self, run: CommandLine, given: list[str], target: tuple[str, ...]
    ) -> None:
        run("lock", "leaf", *target)
        expected = run("why", "pure", "-r", "pylock.toml", *target)
        told = run("why", "pure", *given)
        assert (told.code, told.out) == (0, expected.out)
        assert "which the lock was made for" in told.err
        if not given[0].startswith("-"):
            assert run("build", *given, "-o", "out.zip").code == 0

    def test_a_lock_for_several_targets_does_not(self, run: CommandLine) -> None:
        both = ("--runtime", "python3.12", "--runtime", "python3.13")
        run("lock", "leaf", *both, "--arch", "x86_64")
        told = run("why", "pure", "-r", "pylock.toml")
        assert told.code == 2
        assert "error: pylock.toml is for 2 targets" in told.err
        assert "  python3.12 (CPython 3.12" in told.err
        assert "hint: choose one of them with --arch" in told.err
        told = run("why", "pure", "-r", "pylock.toml", "--runtime", "python3.13")
        assert (told.code, told.out.startswith("pure 1.1 for python3.13 ")) == (0, True)

    def test_an_architecture_may_be_enough(self, run: CommandLine) -> None:
        """The Python is that of the lock, not the one that runs crossdeps."""
        run("lock", "leaf", "--python", "3.9", "--arch", "x86_64", "--arch", "arm64")
        told = run("why", "pure", "-r", "pylock.toml", "--arch", "arm64")
        assert (told.code, told.out.splitlines()[0]) == (
            0,
            "pure 1.1 for CPython 3.9.25, aarch64, glibc 2.17",
        )
        assert run("why", "pure", "-r", "pylock.toml", "--python", "3.9").code == 2

    @pytest.mark.parametrize("tool", ["", '[[tool.crossdeps.targets]]\narch = "vax"\n'])
    def test_a_lock_that_does_not_say(self, run: CommandLine, tool: str) -> None:
        run.write("pylock.toml", f'lock-version = "1.0"\ncreated-by = "a"\npackages = []\n{tool}')
        told = run("why", "pure", "-r", "pylock.toml")
        assert told.code == 2
        assert "no architecture was specified" in told.err
