"""Arguments to Options, and completion scripts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from crossdeps.cli.argument_parser import parse_arguments
from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine, Told


def test_options_of_pip_are_understood() -> None:
    said = parse_arguments(
        [
            "build", "-t", "out", "-i", "https://a.invalid/", "--extra-index-url",
            "https://b.invalid/",
            "-f", "wheels", "--trusted-host", "b.invalid", "--cert", "ca.pem", "--client-cert",
            "me.pem",
            "--proxy", "http://proxy.invalid", "--keyring-provider", "subprocess", "--no-deps",
            "--pre",
            "--timeout", "5", "--retries", "0", "-r", "a.txt", "-c", "b.txt",
        ]
    )  # fmt: skip
    assert said.output == "out"
    assert said.index_url == "https://a.invalid/"
    assert said.trusted_hosts == ("b.invalid",)
    assert (said.cert, said.client_cert) == ("ca.pem", "me.pem")
    assert said.proxy == "http://proxy.invalid"
    assert said.keyring == "subprocess"
    assert (said.timeout, said.retries) == (5.0, 0)
    assert said.requirement_files == ("a.txt",)
    assert said.constraint_files == ("b.txt",)


def test_a_proxy_is_not_in_the_repr() -> None:
    """It may hold a password."""
    assert "s3cret" not in repr(parse_arguments(["build", "--proxy", "http://me:s3cret@x.invalid"]))


@pytest.mark.parametrize(
    ("arguments", "names", "everything"),
    [
        ([], (), False),
        (["-U"], (), True),
        (["-P", "a", "--upgrade-package=b"], ("a", "b"), False),
        (["-P", "a", "-U"], ("a",), True),
    ],
)
def test_an_upgrade_is_of_one_or_of_all(
    arguments: list[str], names: tuple[str, ...], *, everything: bool
) -> None:
    options = parse_arguments(["lock", *arguments])
    assert (options.upgraded_packages, options.upgrade) == (names, everything)


@pytest.mark.parametrize(
    "arguments",
    [
        ["six", "requests", "--arch", "arm64"],
        ["six", "--arch", "arm64", "requests"],
        ["--arch", "arm64", "six", "requests"],
        ["--arch", "arm64", "--", "six", "requests"],
    ],
)
def test_options_may_stand_anywhere(arguments: list[str]) -> None:
    options = parse_arguments(["lock", *arguments])
    assert (options.requirements, options.archs) == (("six", "requests"), ("arm64",))


def test_what_follows_an_upgrade_is_a_requirement() -> None:
    """As for pip and uv."""
    options = parse_arguments(["lock", "-U", "requests", "flask>=2"])
    assert (options.upgrade, options.requirements) == (True, ("requests", "flask>=2"))


@pytest.mark.parametrize("value", ["-1", "0", "nan", "inf", "soon", ""])
def test_a_timeout_is_a_time(value: str) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        parse_arguments(["build", "--timeout", value])


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_knows_the_verbs(
    run: CommandLine, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--print-completion", shell)
    assert ended.value.code == 0
    script = capsys.readouterr().out
    assert "build" in script
    assert "--runtime" in script or shell == "tcsh"


@pytest.mark.subprocess
def test_bash_completes(run: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--print-completion", "bash")
    script = capsys.readouterr().out
    asking = "COMP_WORDS=(crossdeps build --run); COMP_CWORD=2; _shtab_crossdeps; echo $COMPREPLY"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asking}"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "--runtime\n", done.stderr


def test_an_unknown_shell_is_refused(run: CommandLine) -> None:
    told: Told = run("--print-completion", "fish")
    assert told.code == 2
