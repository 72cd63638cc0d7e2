"""What a bare command packages, where its configuration is found, and how pip's words are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import crossdeps
from tests.support.command_line import TARGET

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

PROJECT = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["leaf"]\n'
COMMANDS = {
    "uv.lock": "uv export --format pylock.toml -o pylock.toml",
    "poetry.lock": "poetry export -o requirements.txt",
    "Pipfile": "pipenv requirements",
    "Pipfile.lock": "pipenv requirements",
    "environment.yml": "pip list --format=freeze",
}


class TestBareCommand:
    def test_it_takes_the_lock_else_the_requirements_else_the_project(
        self, run: CommandLine
    ) -> None:
        run.write("pyproject.toml", PROJECT)
        told = run.build("--force")
        assert told.err.startswith("using pyproject.toml\n")
        assert (told.code, "leaf" in told.out) == (0, True)

        run.write("requirements.txt", "native\n")
        told = run.build("--force")
        assert told.err.startswith("using requirements.txt, not pyproject.toml\n")
        assert (told.code, "native" in told.out, "leaf" in told.out) == (0, True, False)

        assert run("lock", "pure==1.0", *TARGET).code == 0
        told = run.build("--force")
        assert told.err.startswith("using pylock.toml, not requirements.txt and pyproject.toml\n")
        assert (told.code, "pure  1.0" in told.out) == (0, True)

    def test_a_lock_is_made_from_requirements(self, run: CommandLine) -> None:
        run.write("pyproject.toml", PROJECT)
        assert run("lock", *TARGET).code == 0
        told = run("lock", *TARGET)
        assert (told.code, told.err.splitlines()[0]) == (0, "using pyproject.toml")

    def test_why_asks_the_same(self, run: CommandLine) -> None:
        run.write("requirements.txt", "leaf\n")
        told = run("why", "pure", *TARGET)
        assert (told.code, told.err) == (0, "using requirements.txt\n")

    def test_a_lock_is_left_where_constraints_are_given(self, run: CommandLine) -> None:
        assert run("lock", "pure==1.0", *TARGET).code == 0
        run.write("requirements.txt", "leaf\n")
        run.write("c.txt", "pure<1.1\n")
        assert run.build("-c", "c.txt").err.startswith("using requirements.txt\n")

    def test_a_project_file_of_tools_alone_is_no_input(self, run: CommandLine) -> None:
        run.write("pyproject.toml", '[tool.crossdeps]\narch = "arm64"\n')
        told = run("build", "--python", "3.12")
        assert told.code == 2
        assert "there is no pylock.toml, requirements.txt or pyproject.toml here" in told.err

    def test_a_lock_of_uv_that_is_not_read_is_told(self, run: CommandLine) -> None:
        run.write("pyproject.toml", PROJECT)
        run.write("uv.lock", "version = 1\n")
        told = run.build()
        assert told.code == 0
        assert "note: uv.lock is a lock of uv, which crossdeps does not read" in told.err
        assert COMMANDS["uv.lock"] in told.err


class TestOtherTools:
    @pytest.mark.parametrize("name", COMMANDS)
    @pytest.mark.parametrize(
        "how", [["{}"], ["-r", "{}"], ["-r", "./{}"], ["pure", "-c", "{}"], []]
    )
    def test_a_file_of_another_tool_is_known_with_its_export(
        self, run: CommandLine, name: str, how: list[str]
    ) -> None:
        run.write(name, "anything\n")
        told = run.build(*(word.format(name) for word in how))
        assert told.code == 2
        assert f"{name} is " in told.err
        assert COMMANDS[name] in told.err
        assert told.left == (name,)

    def test_a_script_is_built_as_a_project(self, run: CommandLine) -> None:
        run.write("setup.py", "")
        assert "crossdeps build ." in run.build().err

    def test_the_library_knows_them_too(self, run: CommandLine) -> None:
        path = run.write("uv.lock", "version = 1\n")
        target = crossdeps.Target(python="3.12", arch="x86_64")
        with pytest.raises(crossdeps.InputError, match="a lock of uv"):
            crossdeps.build(str(path), target, run.folder / "out.zip")

    def test_a_project_of_such_a_name_is_one(self, run: CommandLine) -> None:
        """Where there is no such file."""
        assert "a file of Pipenv" not in run.build("Pipfile").err


class TestConfiguration:
    @pytest.fixture
    def below(self, run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
        run.write(
            "pyproject.toml",
            '[tool.crossdeps]\npython = "3.12"\narch = "arm64"\noutput = "out.zip"\n'
            'requirements = ["reqs.txt"]\nsource = "src"\n',
        )
        run.write("reqs.txt", "pure\n")
        run.write("src/app.py", "")
        run.write("deep/er/.keep", "")
        monkeypatch.chdir(run.folder / "deep/er")
        return run

    def test_it_is_found_upward_with_paths_of_its_own(self, below: CommandLine) -> None:
        told = below("build", "-v")
        assert told.code == 0, told.err
        assert "out.zip" in told.left
        assert f"using [tool.crossdeps] of {below.folder}/pyproject.toml" in told.err

    def test_the_nearest_file_with_the_table_counts(self, below: CommandLine) -> None:
        below.write("deep/er/pyproject.toml", "[tool.black]\n# no table of crossdeps\n")
        assert below("tags").code == 0
        below.write("deep/pyproject.toml", '[tool.crossdeps]\npython = "3.11"\narch = "x86_64"\n')
        told = below("tags", "--json")
        assert told.document["environment"]["python_version"] == "3.11"

    def test_a_fault_names_the_file(self, below: CommandLine) -> None:
        below.write("pyproject.toml", "[tool.crossdeps]\nnonsense = 1\n")
        told = below("tags")
        assert (told.code, str(below.folder / "pyproject.toml") in told.err) == (2, True)

    def test_a_file_of_another_user_above_is_not_used(
        self, below: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a shared directory it could name its own index."""
        monkeypatch.setattr("crossdeps.fs.belongs_to_another", lambda _: True)
        told = below("tags")
        assert (told.code, "no architecture was specified" in told.err) == (2, True)


class TestRuntimeNames:
    @pytest.mark.parametrize("name", ["3.12", "312", "py3.12", "Python3.12", "3.12.4"])
    def test_the_runtime_of_a_version_is_suggested(self, run: CommandLine, name: str) -> None:
        told = run("tags", "--runtime", name, "--arch", "arm64")
        assert (told.code, "did you mean python3.12?" in told.err) == (2, True)


class TestPip:
    def test_a_command_of_pip_download_is_understood(self, run: CommandLine) -> None:
        """As AWS documents it for Lambda."""
        told = run(
            "build", "--platform", "manylinux2014_aarch64", "--target", "package",
            "--implementation", "cp", "--python-version", "3.12", "--only-binary=:all:",
            "--upgrade", "--no-compile", "--no-deps", "native",
        )  # fmt: skip
        assert told.code == 0, told.err
        assert "CPython 3.12" in told.out
        assert "native/_native.cpython-312-aarch64-linux-gnu.so" in "\n".join(told.left)

    @pytest.mark.parametrize("version", ["312", "3.12", "3.12.4"])
    def test_python_version(self, run: CommandLine, version: str) -> None:
        told = run("tags", "--python-version", version, "--arch", "arm64", "--json")
        assert told.document["environment"]["python_version"] == "3.12"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--no-binary", ":all:"], "--allow-sdist NAME"),
            (["--no-binary=pure"], "--allow-sdist NAME"),
            (["--only-binary", "pure"], "for all projects"),
            (["--only-binary"], "--only-binary requires a value"),
            (["--python-version", "twelve"], "unknown Python version 'twelve'"),
            (["--user"], "-o PATH"),
            (["--prefix", "x"], "-o PATH"),
            (["--root=x"], "-o PATH"),
            (["-e", "."], "instead of -e PATH"),
            (["--editable", "."], "instead of -e PATH"),
            (["--compile"], "bytecode"),
        ],
        ids=" ".join,
    )
    def test_what_means_something_else_is_refused(
        self, run: CommandLine, words: list[str], says: str
    ) -> None:
        told = run("build", "pure", "--arch", "x86_64", *words)
        assert (told.code, told.left) == (2, ())
        assert says in told.err
        assert run.index.requests == ()

    def test_nothing_after_two_dashes_is_an_option(self, run: CommandLine) -> None:
        told = run.build("--bogus-option", "--", "--user")
        assert "unknown option --bogus-option" in told.err


class TestDeprecatedRuntimes:
    @pytest.mark.parametrize(
        ("name", "date"),
        [("python3.8", "2024-10-14"), ("python3.9", "2025-12-15"), ("python3.10", "2026-10-31")],
    )
    def test_their_dates_are_told(self, run: CommandLine, name: str, date: str) -> None:
        told = run("tags", "--runtime", name, "--arch", "arm64", "--json")
        assert told.document["target"]["deprecated"] == date
        if date < "2026":  # whatever the clock of the test says
            assert f"warning: {name} is deprecated since {date}, and its functions" in told.err
            assert "2027-03-03" in told.err

    def test_a_supported_one_has_dates_and_no_warning(self, run: CommandLine) -> None:
        told = run("tags", "--runtime", "python3.14", "--arch", "arm64", "--json")
        assert (told.err, told.document["target"]["updates_blocked"]) == ("", "2029-08-31")
