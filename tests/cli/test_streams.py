"""Standard output is data, standard error is talk; each is as it was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

import pytest

from crossdeps.cli.output import Console
from crossdeps.config.options import Options
from tests.support.command import REPOSITORY, crossdeps
from tests.support.command_line import TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.command_line import CommandLine

FINDING = {"rule", "severity", "path", "paths", "owner", "message", "hint", "details"}
TARGET_KEYS = {
    "description", "runtime", "implementation", "python", "abi", "arch", "libc", "platforms",
    "deprecated", "updates_blocked",
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "version": None,
    "crossdeps": None,
    "target": TARGET_KEYS,
    "artifact": {
        "path", "kind", "entries", "size", "unzipped", "sha256", "code_sha256", "estimated",
        "planned_path",
    },
    "limits": {"unzipped", "direct_upload"},
    "packages": {
        "name", "version", "wheel", "sha256", "tags", "size", "requested", "passed_over",
    },
    "findings": FINDING,
    "removed": {"rule", "owner", "size"},
    "source_left_out": {"reason", "path"},
    "provided": {"name", "version", "certainty", "seen", "source"},
    "layers": {"path", "unzipped"},
    "total_unzipped": None,
    "indexes": None,
    "warnings": None,
    "notes": None,
}  # fmt: skip


class TestJson:
    def test_a_build_has_the_keys_of_the_contract(self, run: CommandLine) -> None:
        """A key may be added; none goes away or changes its meaning within version 1."""
        told = run("build", "native", "--runtime", "python3.12", "--arch", "arm64", "--json")
        document = told.document
        assert document["version"] == 1
        _check_keys(document, CONTRACT)
        (package,) = document["packages"]
        assert package["name"] == "native"
        assert package["version"] == "1.1"
        assert document["target"]["arch"] == "aarch64"
        assert document["artifact"]["path"] == str(run.folder / "package")

    def test_what_the_target_forced_is_told(self, run: CommandLine) -> None:
        (package,) = run.build("native", "--json").document["packages"]
        (skipped_versions,) = package["passed_over"]
        assert skipped_versions == {
            "version": "1.1",
            "reason": "glibc",
            "detail": "2.28",
            "forced_by_target": True,
        }

    def test_a_check_has_the_keys_of_the_contract(self, run: CommandLine) -> None:
        run.build("native")
        told = run("check", "package", "--python", "3.12", "--arch", "arm64", "--json")
        assert told.code == 7
        _check_keys(
            told.document,
            {
                "version": None,
                "crossdeps": None,
                "target": TARGET_KEYS,
                "path": None,
                "findings": FINDING,
            },
        )
        assert [each["rule"] for each in told.document["findings"]] == ["wrong-machine"]

    def test_an_error_has_the_fields_of_its_text(self, run: CommandLine) -> None:
        told = run.build("purr", "--json")
        assert set(told.document) == {"version", "crossdeps", "error"}
        error = told.document["error"]
        assert set(error) == {"id", "rule", "exit_code", "message", "context", "hint"}
        assert error["exit_code"] == told.code == 3
        assert f"error: {error['message']}\n" in told.err
        assert f"hint: {error['hint']}\n" in told.err

    def test_a_build_that_would_fail_there_has_its_findings(self, run: CommandLine) -> None:
        """Nothing is written, and the reasons are in the document of the error."""
        run.write("src/native.so", run_elf("aarch64"))
        told = run.build("pure", "--source", "src", "--json")
        assert (told.code, told.left) == (7, ("src/native.so",))
        assert told.document["error"]["id"] == "findings"
        (finding,) = told.document["findings"]
        assert set(finding) == FINDING
        assert finding["path"] == "native.so"

    def test_it_is_the_only_thing_on_standard_output(self, run: CommandLine) -> None:
        for verb in (["build", "pure"], ["tags"], ["lock", "pure"]):
            told = run(*verb, "--json", "--force" if verb[0] == "build" else "-q", *TARGET)
            assert told.code == 0
            assert isinstance(told.document, dict)


class TestReportFile:
    def test_it_is_the_document_of_json(self, run: CommandLine) -> None:
        told = run.build("pure", "--json", "--report", "report.json")
        assert json.loads((run.folder / "report.json").read_text()) == told.document

    def test_text_is_printed_beside_it(self, run: CommandLine) -> None:
        told = run.build("pure", "--report", "report.json")
        assert told.out.startswith("Target ")
        assert "report.json" in told.left

    def test_an_error_is_reported_too(self, run: CommandLine) -> None:
        told = run.build("purr", "--report", "report.json")
        assert told.left == ("report.json",)
        document = json.loads((run.folder / "report.json").read_text())
        assert document["error"]["id"] == "project-not-found"

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("requirements.txt", "the command reads it"),
            ("./requirements.txt", "the command reads it"),
            ("out.zip", "it is the output"),
            ("src/app.py", "it is a file that is not a report"),
            ("notes.md", "it is a file that is not a report"),
        ],
    )
    def test_it_replaces_nothing_but_a_report(
        self, run: CommandLine, path: str, reason: str
    ) -> None:
        for name in ("requirements.txt", "src/app.py", "notes.md"):
            run.write(name, "pure\n" if "req" in name else "mine\n")
        before = {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()}
        for wrong in ([], ["--bogus"]):
            told = run.build(
                "-r", "requirements.txt", "--source", "src", "-o", "out.zip", "--report", path,
                *wrong,
            )  # fmt: skip
            assert told.code == 2
            if not wrong:
                assert f"error: the report cannot be written to {path}: {reason}\n" in told.err
            assert {p: p.read_bytes() for p in before} == before
        assert run.index.requests == ()

    def test_it_is_never_inside_the_output(self, run: CommandLine) -> None:
        assert run.build("pure").code == 0
        told = run.build("pure", "--report", "package/report.json")
        assert (told.code, "package/report.json" in told.left) == (2, False)
        assert "it is inside the output" in told.err

    def test_it_replaces_an_earlier_report_or_an_empty_file(self, run: CommandLine) -> None:
        run.write("report.json", "")
        for _ in range(2):
            assert run("tags", "--report", "report.json", *TARGET).code == 0
        assert "tags" in json.loads((run.folder / "report.json").read_text())

    def test_the_configured_output_is_known_too(self, run: CommandLine) -> None:
        run.write("pyproject.toml", '[tool.crossdeps]\noutput = "out.zip"\n')
        told = run.build("pure", "--report", "out.zip")
        assert (told.code, told.left) == (2, ("pyproject.toml",))

    @pytest.mark.parametrize("form", [["--report", "r.json"], ["--report=r.json"]])
    def test_a_usage_error_is_reported_too(self, run: CommandLine, form: list[str]) -> None:
        told = run.build("pure", *form, "--bogus")
        assert (told.code, told.left) == (2, ("r.json",))
        document = json.loads((run.folder / "r.json").read_text())
        assert document["error"]["message"] == "unknown option --bogus"

    @pytest.mark.parametrize("path", ["nowhere/report.json", "folder"])
    def test_one_that_cannot_be_written_is_refused_before_the_work(
        self, run: CommandLine, path: str
    ) -> None:
        (run.folder / "folder").mkdir()
        told = run.build("pure", "--report", path)
        assert (told.code, told.left) == (2, ())
        assert told.err.count("error: ") == 1
        assert path in told.err
        assert run.index.requests == ()


class TestQuiet:
    def test_a_build_says_nothing(self, run: CommandLine) -> None:
        run.write("requirements.txt", "")
        told = run("build", "-q", *TARGET)
        assert (told.code, told.out, told.err) == (0, "", "")

    def test_errors_are_said(self, run: CommandLine) -> None:
        assert "error: no project 'purr'" in run.build("purr", "-q").err

    def test_data_that_was_asked_for_is_printed(self, run: CommandLine) -> None:
        assert run("tags", "-q", *TARGET).out


class TestVerbose:
    def test_steps_are_lines(self, run: CommandLine) -> None:
        told = run.build("tree", "-v")
        assert "resolving, requirements: 1\n" in told.err
        assert "downloading, wheels: 4" in told.err
        assert told.err.index("resolved, projects: 4") < told.err.index("writing ")
        assert "\x1b" not in told.err

    def test_twice_tells_each_choice(self, run: CommandLine) -> None:
        assert "native 1.0" in run.build("tree", "-vv").err
        assert "native 1.0" not in run.build("tree", "-v", "--force").err


class TestNothingAskedFor:
    @pytest.mark.parametrize("text", ["", "# nothing\n", "pure; sys_platform == 'win32'\n"])
    def test_it_is_told_and_the_check_says_that_it_is_empty(
        self, run: CommandLine, text: str
    ) -> None:
        run.write("requirements.txt", text)
        told = run("build", "-o", "out.zip", *TARGET)
        assert told.code == 0
        assert "0 packages" in told.out
        told = run("check", "out.zip", *TARGET)
        assert (told.code, "it is empty" in told.out) == (7, True)


class TestColor:
    @pytest.mark.parametrize(
        ("option", "environ", "colored"),
        [
            ("auto", {}, False),
            ("auto", {"FORCE_COLOR": "1"}, True),
            ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            ("auto", {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
            ("always", {"NO_COLOR": "1"}, True),
            ("never", {"FORCE_COLOR": "1"}, False),
        ],
    )
    def test_the_option_then_the_variables_then_the_terminal(
        self,
        option: Literal["auto", "always", "never"],
        environ: Mapping[str, str],
        *,
        colored: bool,
    ) -> None:
        console = Console(Options(color=option), environ)
        assert console.color is colored

    def test_an_error_is_the_same_without(self, run: CommandLine) -> None:
        plain = run.build("purr").err
        colored = run.build("purr", "--color", "always").err
        assert "\x1b[1;31merror\x1b[0m: no project" in colored
        for code in ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m"):
            colored = colored.replace(code, "")
        assert colored == plain


def test_what_could_move_the_cursor_is_escaped(run: CommandLine) -> None:
    """A name from a file or an index can't hide text, recolour it or turn it around."""
    told = run("check", "no\x1b[2Jsuch\u202epath", *TARGET)
    assert told.code == 2
    assert "\x1b" not in told.err
    assert "\u202e" not in told.err
    assert "no\\x1b[2Jsuch\\u202epath" in told.err


@pytest.mark.subprocess
class TestProcess:
    def test_a_reader_that_goes_is_no_error_to_tell(self, tmp_path: Path) -> None:
        """As with ``crossdeps tags | head -1``: no traceback, no message."""
        for arguments in (["tags", *TARGET], ["--help"], ["build", "--help"]):
            process = subprocess.Popen(
                [sys.executable, "-m", "crossdeps", *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""
            process.stderr.close()
            assert process.wait() in {0, 1}

    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_a_full_disk_under_standard_output_is_an_error(
        self, tmp_path: Path, form: list[str]
    ) -> None:
        with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
            done = subprocess.run(
                [sys.executable, "-m", "crossdeps", "tags", *form, *TARGET],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr == "error: standard output cannot be written: No space left on device\n"

    @pytest.mark.parametrize(
        ("arguments", "closed"),
        [("tags", "<&-"), ("tags", "2>&-"), ("build -r empty.txt -o out.zip", ">&-")],
    )
    def test_a_closed_stream_that_is_not_needed_is_no_error(
        self, tmp_path: Path, arguments: str, closed: str
    ) -> None:
        done = _run_in_shell(arguments, closed, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        "arguments", ["tags", "tags --json", "build -r empty.txt -o out.zip --json"]
    )
    def test_a_closed_standard_output_loses_no_result_in_silence(
        self, tmp_path: Path, arguments: str
    ) -> None:
        done = _run_in_shell(arguments, ">&-", tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: standard output is closed\n")
        assert not (tmp_path / "out.zip").exists()

    def test_a_closed_standard_input_has_no_requirements(self, tmp_path: Path) -> None:
        done = _run_in_shell("build -r - -o out.zip", "<&-", tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: standard input cannot be read: it is closed\n")

    def test_an_ascii_terminal_gets_escapes(self, tmp_path: Path) -> None:
        """LANG=C: what it can't show is escaped, and nothing fails."""
        ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = crossdeps("check", "caf\u00e9", *TARGET, cwd=tmp_path, environment=ascii_only)
        assert done.code == 2
        assert "caf" in done.err
        assert done.err.isascii()
        assert "Traceback" not in done.err

    def test_without_a_home(self, run: CommandLine, tmp_path: Path) -> None:
        nothing = {"HOME": "/nonexistent", "XDG_CACHE_HOME": ""}
        done = crossdeps("build", "pure", *TARGET, cwd=tmp_path, environment=nothing)
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        del run


def _run_in_shell(
    arguments: str, redirection: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    (folder / "empty.txt").write_text("pure; sys_platform == 'win32'\n")
    line = f'"{sys.executable}" -m crossdeps {arguments} {" ".join(TARGET)} {redirection}'
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def run_elf(machine: str) -> bytes:
    from tests.support.wheel_factory import make_elf

    return make_elf(machine=machine)


def _check_keys(document: Mapping[str, Any], contract: Mapping[str, set[str] | None]) -> None:
    """Every key is there; for values that are objects, or lists of them, their keys too."""
    assert set(document) >= set(contract)
    for key, keys in contract.items():
        value = document[key]
        for each in value if isinstance(value, list) else [value]:
            if keys is not None:
                assert set(each) == keys, key


@pytest.mark.parametrize(
    "arguments",
    [("tags", "--python", "3.12", "--arch", "x86_64"), ("cache", "info")],
    ids=["tags", "cache info"],
)
def test_the_report_file_has_the_document_of_json(
    run: CommandLine, arguments: tuple[str, ...]
) -> None:
    """``--report`` writes what ``--json`` prints, for the verbs that ask no index too."""
    printed = run(*arguments, "--json")
    told = run(*arguments, "--report", "report.json")
    assert told.code == 0
    assert json.loads((run.folder / "report.json").read_text()) == printed.document
