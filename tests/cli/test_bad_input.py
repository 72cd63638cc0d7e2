"""What can't be used: told with its place, a code and a hint; nothing written, nothing lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.support.command import REPOSITORY
from tests.support.command_line import TARGET
from tests.support.faults import status
from tests.support.index_server import Settings
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.command_line import CommandLine, Told
    from tests.support.index_server import IndexServer


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command that can't be carried out.

    :param says: parts of what and where, in this order
    :param hint: part of the hint, which every one of them has
    """

    arguments: tuple[str, ...] = ()
    files: dict[str, str | bytes] = field(default_factory=dict)
    code: int
    says: tuple[str, ...]
    hint: str


LINES = "pure\n\n==1.0\nfoo bar\n--index-ulr x\n"

CASES = {
    # What is asked
    "no requirements.txt": Case(
        code=2,
        says=("there is no pylock.toml, requirements.txt or pyproject.toml here",),
        hint="-r FILE",
    ),
    "missing file": Case(
        arguments=("-r", "dev.txt"),
        code=2,
        says=("no such file: dev.txt",),
        hint="check the path",
    ),
    "a directory for a file": Case(
        arguments=("-r", "folder"),
        files={"folder/x": ""},
        code=2,
        says=("folder",),
        hint="give the requirements file in it",
    ),
    "lines that can't be parsed": Case(
        files={"requirements.txt": LINES},
        code=2,
        says=(
            "3 lines are not valid",
            "requirements.txt:3: ==1.0",
            "requirements.txt:4: two requirements on one line",
            "requirements.txt:5: --index-ulr",
            "did you mean --index-url?",
        ),
        hint="correct each of these lines",
    ),
    "an included file that isn't there": Case(
        files={"requirements.txt": "pure\n-r more.txt\n"},
        code=2,
        says=("more.txt", "requirements.txt:2"),
        hint="relative to that file",
    ),
    "an unset variable": Case(
        files={"requirements.txt": "--index-url https://${NOBODY_SET_THIS}@x.invalid/\n"},
        code=2,
        says=("NOBODY_SET_THIS", "requirements.txt:1"),
        hint="set the environment variable",
    ),
    "not UTF-8": Case(
        files={"requirements.txt": b"pure # caf\xe9\n"},
        code=2,
        says=("requirements.txt is not utf-8 text: byte 0xe9 at offset 10, in line 1",),
        hint="coding",
    ),
    "NUL bytes": Case(
        files={"requirements.txt": b"pu\0re\n"},
        code=2,
        says=("requirements.txt",),
        hint="save the file as UTF-8",
    ),
    "a name that looks like another": Case(
        arguments=("p\u0443re",), code=2, says=("\\u0443",), hint="ASCII"
    ),
    "a name that turns the text around": Case(
        arguments=("pure\u202ee",), code=2, says=("\\u202e",), hint="ASCII"
    ),
    "hashes on some lines only": Case(
        files={"requirements.txt": f"pure==1.0 --hash=sha256:{'0' * 64}\nleaf\n"},
        code=2,
        says=("leaf",),
        hint="hash",
    ),
    "MD5 only": Case(
        files={"requirements.txt": f"pure==1.0 --hash=md5:{'0' * 32}\n"},
        code=2,
        says=("md5",),
        hint="sha256",
    ),
    "plain http without a hash": Case(
        arguments=("pure @ http://files.invalid/pure-1.0-py3-none-any.whl",),
        code=2,
        says=("http://",),
        hint="https://",
    ),
    "a lock beside something else": Case(
        arguments=("pylock.toml", "pure"),
        files={"pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'},
        code=2,
        says=("a lock file cannot be combined with other requirements: pylock.toml", "pure"),
        hint="crossdeps lock",
    ),
    "a lock that isn't one": Case(
        arguments=("pylock.toml",),
        files={"pylock.toml": "lock-version = 1"},
        code=2,
        says=("pylock.toml", "lock-version"),
        hint="create it again",
    ),
    # For which machine
    "unknown architecture": Case(
        arguments=("pure", "--arch", "sparc"), code=2, says=("'sparc'",), hint="x86_64"
    ),
    "unknown runtime": Case(
        arguments=("pure", "--runtime", "python3.81"),
        code=2,
        says=("unknown runtime 'python3.81'",),
        hint="python3.8",
    ),
    "several targets": Case(
        arguments=("pure", "--arch", "arm64"),
        code=2,
        says=("build accepts one target; 2 were given", "aarch64"),
        hint="lock accepts several",
    ),
    "PyPy": Case(
        arguments=("pure", "--implementation", "pp"), code=2, says=("'pp'",), hint="CPython"
    ),
    "a runtime with a platform": Case(
        arguments=("pure", "--runtime", "python3.12", "--platform", "manylinux2014_x86_64"),
        code=2,
        says=("--runtime already determines the platform",),
        hint="--platform",
    ),
    # What exists
    "no such project": Case(
        arguments=("purr",), code=3, says=("no project 'purr'", "command line"), hint="spelling"
    ),
    "no wheel for the target": Case(
        files={"requirements.txt": "pure\nwindowed\n"},
        code=3,
        says=(
            "no file of windowed is compatible with CPython 3.12",
            "requirements.txt:2",
            "Windows",
        ),
        hint="sys_platform == 'win32'",
    ),
    "only an sdist": Case(
        arguments=("sourced",), code=3, says=("sourced",), hint="--allow-sdist sourced"
    ),
    "no such version": Case(
        arguments=("pure==9",), code=3, says=("no version of pure", "2.0, 1.1, 1.0"), hint="exist"
    ),
    "pins that contradict each other": Case(
        files={"requirements.txt": "pure==1.0\n\npure==2.0\n"},
        code=3,
        says=("requirements.txt:1: pure==1.0", "requirements.txt:3: pure==2.0"),
        hint="one of these lines",
    ),
    "a pin that a dependency contradicts": Case(
        arguments=("leaf", "pure>=2"), code=3, says=("leaf 1.0 requires pure<2",), hint="pure 1.1"
    ),
    "offline, and nothing is known": Case(
        arguments=("pure", "--offline"), code=4, says=("pure",), hint="--offline"
    ),
    # How to go about it
    "unknown option": Case(
        arguments=("pure", "--requirment", "x"),
        code=2,
        says=("unknown option --requirment",),
        hint="did you mean --requirement?",
    ),
    "unknown rule": Case(
        arguments=("pure", "--ignore", "wrong-lib"),
        code=2,
        says=("unknown rule: 'wrong-lib'",),
        hint="did you mean wrong-libc?",
    ),
    "unknown moment": Case(
        arguments=("pure", "--exclude-newer", "soon"), code=2, says=("'soon'",), hint="7 days"
    ),
    "a certificate that isn't there": Case(
        arguments=("pure", "--cert", "ca.pem"), code=2, says=("ca.pem", "--cert"), hint="PEM file"
    ),
    "negative patience": Case(
        arguments=("pure", "--timeout", "-1"), code=2, says=("--timeout", "-1"), hint="--help"
    ),
    "a source that isn't there": Case(
        arguments=("pure", "--source", "src"),
        code=2,
        says=("src",),
        hint="takes a directory or a file",
    ),
    "an unknown key of the project": Case(
        arguments=("pure",),
        files={"pyproject.toml": '[tool.crossdeps]\nrun-time = "python3.12"\n'},
        code=2,
        says=("no key run-time", "pyproject.toml"),
        hint="did you mean runtime?",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused_with_its_place_and_a_hint(run: CommandLine, case: Case) -> None:
    for name, content in case.files.items():
        run.write(name, content)
    told = run("build", *case.arguments, *TARGET)
    check(told, case)
    assert told.left == tuple(sorted(case.files))


def check(told: Told, case: Case) -> None:
    assert told.code == case.code, told.err
    assert told.out == ""
    error = told.err[told.err.index("error: ") :]
    what, _, hint = error.partition("\n\nhint: ")
    rest = what
    for part in case.says:
        _, found, rest = rest.partition(part)
        assert found, f"{part!r} isn't told, or not in its order:\n{told.err}"
    assert case.hint in hint, told.err
    assert "Traceback" not in told.err


class TestNoTarget:
    def test_the_architecture_is_never_guessed(self, run: CommandLine) -> None:
        told = run("build", "pure", "--python", "3.12")
        assert (told.code, told.left) == (2, ())
        assert "error: no architecture was specified" in told.err
        assert "--arch x86_64" in told.err
        assert "--arch arm64" in told.err

    def test_the_running_python_is_assumed_aloud(self, run: CommandLine) -> None:
        """The one question to the host is told, with the way to answer it."""
        told = run("build", "pure", "--arch", "arm64")
        assert told.code == 0
        assert ", which runs crossdeps; specify --python or --runtime to choose" in told.err

    def test_the_python_of_the_folder_comes_first(self, run: CommandLine) -> None:
        run.write(".python-version", "3.9\n")
        told = run("build", "pure", "--arch", "arm64")
        assert "CPython 3.9." in told.out
        assert "assuming" not in told.err


class TestArguments:
    def test_a_mistyped_verb(self, run: CommandLine) -> None:
        told = run("biuld", "pure")
        assert told.code == 2
        assert told.err.startswith("error: unknown command 'biuld'\n\nhint: did you mean build?")

    def test_no_verb(self, run: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
        """As with pip, help is printed."""
        with pytest.raises(SystemExit) as ended:
            run()
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith("usage: crossdeps [-h]")

    def test_in_json_too(self, run: CommandLine) -> None:
        told = run("build", "--no-such-option", "--json")
        assert told.code == 2
        assert told.document["error"]["id"] == "usage"

    def test_options_are_not_guessed_from_their_beginnings(self, run: CommandLine) -> None:
        assert run.build("pure", "--forc").code == 2


class TestIndexTroubles:
    @pytest.mark.parametrize("code", [401, 403, 451])
    def test_one_that_refuses(self, run: CommandLine, code: int) -> None:
        run.index.script("/simple/pure/", [status(code)], repeat=True)
        told = run.build("pure")
        assert (told.code, told.out, told.left) == (4, "", ())
        assert str(code) in told.err
        assert run.index.url in told.err
        assert "\nhint: " in told.err

    @pytest.mark.parametrize("body", [b"", b'{"meta": {"api-version": "1.0"}, "name": "other"}'])
    def test_one_that_answers_nonsense(self, run: CommandLine, body: bytes) -> None:
        run.index.serve("/simple/pure/", body, "application/vnd.pypi.simple.v1+json")
        told = run.build("pure", "--no-cache")
        assert (told.code, told.out, told.left) == (4, "", ())
        assert "pure" in told.err
        assert "\nhint: " in told.err

    def test_one_that_is_down(self, run: CommandLine) -> None:
        url = run.index.url
        run.index.close()
        told = run.build("pure", "--retries", "0")
        assert (told.code, told.out, told.left) == (4, "", ())
        assert "Connection refused" in told.err
        assert url in told.err
        assert "\nhint: " in told.err

    def test_a_wheel_with_another_hash(self, run: CommandLine) -> None:
        pure = "pure-2.0-py3-none-any.whl"
        run.index.serve(f"/files/{pure}", b"PK\x03\x04 something else", "application/zip")
        told = run.build("pure", "-o", "out.zip")
        assert (told.code, told.out, told.left) == (5, "", ())
        assert pure in told.err

    def test_credentials_are_never_shown(self, run: CommandLine) -> None:
        url = run.index.url.replace("http://", "http://me:s3cret@")
        for arguments in (["pure"], ["purr"], ["pure", "-v", "-v"]):
            told = run.build(*arguments, "--index-url", url, "--json", "--force")
            assert "s3cret" not in told.out + told.err
        told = run("lock", "pure", "--index-url", url, "-o", "-", *TARGET)
        assert told.code == 0
        assert "s3cret" not in told.out + told.err


class TestOutputOfOthers:
    def test_a_directory_with_files_of_others(self, run: CommandLine) -> None:
        run.write("package/mine.txt", "mine")
        told = run.build("pure")
        assert (told.code, told.left) == (2, ("package/mine.txt",))
        assert "package" in told.err
        assert "--force" in told.err
        assert run.index.requests == ()

    def test_an_empty_directory_is_fine(self, run: CommandLine) -> None:
        (run.folder / "package").mkdir()
        told = run.build("pure")
        assert told.code == 0
        assert "package/pure/__init__.py" in told.left

    def test_a_file_where_the_zip_goes(self, run: CommandLine) -> None:
        run.write("out.zip", "mine")
        told = run.build("pure", "-o", "out.zip")
        assert (told.code, told.left) == (2, ("out.zip",))
        assert (run.folder / "out.zip").read_text() == "mine"

    @pytest.mark.parametrize("output", [".", "/"])
    def test_the_current_directory_and_the_root(self, run: CommandLine, output: str) -> None:
        """Not even with --force."""
        told = run.build("pure", "-o", output, "--force")
        assert (told.code, told.left) == (2, ())

    def test_our_own_output_is_replaced(self, run: CommandLine) -> None:
        assert run.build("pure==1.0").code == 0
        told = run.build("pure==2.0")
        assert told.code == 0
        assert not any("pure-1.0" in name for name in told.left)

    def test_an_error_keeps_the_last_output(self, run: CommandLine) -> None:
        """A run that fails leaves what the one before it made (I122)."""
        before = run.build("pure==1.0").left
        assert run.build("purr").left == before

    def test_a_folder_that_is_not_there_is_made(self, run: CommandLine, tmp_path: Path) -> None:
        del tmp_path
        assert run.build("pure", "-o", "deep/er/out.zip").left == ("deep/er/out.zip",)


@pytest.mark.subprocess
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no directory that is in use")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["tags"], 0, ""),
        (["build", "pure", "-o", "PARENT/out.zip"], 0, ""),
        (["check", "PARENT/good.zip"], 0, "is right for"),
        (["lock", "pure", "-o", "PARENT/pylock.toml"], 0, "1 package"),
        (["build", "pure", "-o", "out.zip"], 2, "error: the current directory cannot be used"),
        (["check", "good.zip"], 2, "error: good.zip"),
        (["tags", "--report", "r.json"], 2, "error: the report cannot be written to r.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_directory_that_was_removed_matters_where_it_is_needed(
    run: CommandLine, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    """By a relative path; never as "No such file or directory" with no file named."""
    assert run.build("pure", "-o", tmp_path / "good.zip").code == 0
    gone = tmp_path / "gone"
    gone.mkdir()
    script = "import os, sys; os.rmdir(os.getcwd())\n"
    script += "from crossdeps.cli.main import main; sys.exit(main(sys.argv[1:]))"
    named = [word.replace("PARENT", str(tmp_path)) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", script, *named, *TARGET],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_takes_the_place_of_a_lock_only(run: CommandLine) -> None:
    """``lock -r requirements.txt -o requirements.txt`` is a slip of the hand."""
    file = run.write("requirements.txt", "pure\n")
    told = run("lock", "-o", "requirements.txt", *TARGET)
    assert told.code == 2
    assert "requirements.txt exists and is not a lock" in told.err
    assert file.read_text() == "pure\n"
    assert run("lock", "-o", "pylock.other.toml", *TARGET).code == 0
    assert run("lock", "-o", "pylock.other.toml", *TARGET).code == 0
    run.write("pylock.toml", "<<<<<<< a merge that went wrong")
    assert run("lock", *TARGET).code == 0


def test_a_lock_is_whole_or_as_it_was(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run("lock", "pure<2", *TARGET)
    before = (run.folder / "pylock.toml").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told = run("lock", "pure", *TARGET)
    assert told.code == 1
    assert "No space left on device" in told.err
    assert (run.folder / "pylock.toml").read_bytes() == before
    assert told.left == ("pylock.toml",)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-r", "https://me:hunter2@index.example/requirements.txt"),
        ("pure", "-c", "https://me:hunter2@index.example/constraints.txt"),
        ("pure", "-i", "me:hunter2@index.example/simple"),
        ("pure", "-i", "https:/me:hunter2@index.example/simple"),
        ("pure", "--timeout", "https://me:hunter2@index.example"),
    ],
    ids=["-r URL", "-c URL", "no scheme", "one slash", "wrong option"],
)
def test_no_error_tells_a_password(run: CommandLine, arguments: tuple[str, ...]) -> None:
    """Wherever it was put by mistake: text, JSON and report (C45)."""
    told = run.build(*arguments, "--json", "--report", "report.json")
    assert told.code == 2
    assert "hunter2" not in told.out + told.err
    report = run.folder / "report.json"
    assert not report.exists() or "hunter2" not in report.read_text()


@pytest.mark.parametrize("proxy", ["http://[:1", "http://x:99999999/", "socks5://127.0.0.1:1/"])
def test_a_proxy_that_is_none_is_said_to_be(run: CommandLine, proxy: str) -> None:
    told = run.build("pure", "-i", "http://index.example/simple", "--proxy", proxy, "--no-cache")
    assert told.code in {2, 4}
    assert "proxy" in told.err


def test_a_login_in_a_direct_url_is_used_and_not_locked(
    run: CommandLine, make_index: Callable[..., IndexServer]
) -> None:
    """And what was fetched to be read is not fetched again to be laid out (C45)."""
    private = make_index(Settings(credentials=("me", "hunter2")))
    url = private.add(make_wheel("secluded", "1.0")).replace("://", "://me:hunter2@")
    digest = make_wheel("secluded", "1.0").sha256
    run.write("requirements.txt", f"secluded @ {url} --hash=sha256:{digest}\n")
    assert run("lock", *TARGET).code == 0
    assert "hunter2" not in (run.folder / "pylock.toml").read_text()
    private.forget_requests()
    built = run.build("-r", "requirements.txt", "--no-cache", "-v", "--report", "report.json")
    assert built.code == 0
    assert len(private.requests) == 1
    assert "hunter2" not in built.err + (run.folder / "report.json").read_text()


def test_what_was_left_out_is_told_where_nothing_remains(run: CommandLine) -> None:
    """A project whose files are all refused is not one without files."""
    run.index.add(make_wheel("astray", "1.0"), url="file:///etc/astray-1.0-py3-none-any.whl")
    told = run.build("astray", "--no-cache")
    assert told.code == 3
    assert "no file of 'astray'" in told.err
    assert "skipped astray-1.0-py3-none-any.whl" in told.err
    assert "file:" in told.err


@pytest.mark.parametrize("option", ["-o", "--python", "-r", "--cache-dir", "--source", "--report"])
def test_an_empty_value_is_no_value(run: CommandLine, option: str) -> None:
    """``-o "$UNSET"`` isn't the wish for the default."""
    told = run("build", "pure", "--arch", "x86_64", option, "")
    assert told.code == 2
    assert "is empty" in told.err
    assert told.left == ()


@pytest.mark.subprocess
def test_builds_are_offline_too(run: CommandLine) -> None:
    """A build would fetch what it requires, and git clone, where no connection was promised."""
    run.write(
        "project/pyproject.toml",
        '[build-system]\nrequires = ["pure"]\n[project]\nname = "local"\nversion = "1"\n',
    )
    run.index.forget_requests()
    built = run.build("./project", "--offline")
    assert built.code == 6
    cloned = run.build(f"git+{run.index.origin}/project.git", "--offline")
    assert cloned.code == 4
    assert "a repository cannot be cloned without network access" in cloned.err
    assert run.index.requests == ()
