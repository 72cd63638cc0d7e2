"""What nobody foresaw is told as an error too: whose fault it is, and what to do."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

import pytest

from crossdeps.cli.main import build_failure, describe_traceback

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.command_line import CommandLine

SECRET = "https://me:s3cret@index.invalid/simple/"


def failing(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let every build fail with an error."""

    def plant(error: Exception) -> None:
        import crossdeps.pipeline.build

        monkeypatch.setattr(crossdeps.pipeline.build, "build", failing(error))

    return plant


class TestFaultOfOurs:
    def test_it_says_so_and_how_to_report_it(
        self, run: CommandLine, fault: Callable[[Exception], None]
    ) -> None:
        fault(KeyError("numpy"))
        told = run.build("pure")
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("error: this is a bug in crossdeps: KeyError: 'numpy'\n")
        assert "  crossdeps/cli/verbs.py:" in told.err
        assert "hint: run the same command with -v, and report its output" in told.err
        assert "Traceback" not in told.err

    def test_the_traceback_is_for_v_only(
        self, run: CommandLine, fault: Callable[[Exception], None]
    ) -> None:
        fault(ValueError(f"no such page: {SECRET}"))
        told = run.build("pure", "-v")
        assert "Traceback (most recent call last)" in told.err
        assert "s3cret" not in told.err

    def test_in_json_too(self, run: CommandLine, fault: Callable[[Exception], None]) -> None:
        fault(RecursionError())
        error = run.build("pure", "--json").document["error"]
        assert (error["id"], error["rule"], error["exit_code"]) == ("error", "internal", 1)


class TestWhatTheSystemRefuses:
    @pytest.mark.parametrize(
        ("number", "says", "hint"),
        [
            (errno.ENOSPC, "No space left on device", "free some space"),
            (errno.EACCES, "Permission denied", "another location"),
            (errno.EROFS, "Read-only file system", "another location"),
            (errno.EMFILE, "Too many open files", "ulimit -n"),
        ],
    )
    def test_it_names_the_file_and_what_to_do(
        self,
        run: CommandLine,
        fault: Callable[[Exception], None],
        number: int,
        says: str,
        hint: str,
    ) -> None:
        fault(OSError(number, says, "/cache/wheels"))
        told = run.build("pure")
        assert told.code == 1
        head, _, rest = told.err.partition("\n\nhint: ")
        assert head == f"error: {says}\n  /cache/wheels"
        assert hint in rest

    def test_no_memory_is_no_fault_of_ours(self) -> None:
        assert build_failure(MemoryError()).rule == "operating-system"

    def test_an_oserror_of_our_own_making_is(self) -> None:
        assert build_failure(OSError("odd")).rule == "internal"


def test_a_traceback_hides_secrets() -> None:
    with pytest.raises(ValueError, match="index") as caught:
        failing(ValueError(SECRET))()
    assert "Traceback" in describe_traceback(caught.value)
    assert "s3cret" not in describe_traceback(caught.value)
