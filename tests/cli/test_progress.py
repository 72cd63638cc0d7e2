"""What a terminal shows while work goes on, and that nothing of it stays."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import pytest

from crossdeps.cli.progress_display import LiveProgress, LoggedProgress

if TYPE_CHECKING:
    from crossdeps.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def work(progress: Progress) -> None:
    """Every event of a build, in its order."""
    progress.resolving(2)
    progress.considered("numpy", "2.0", 1)
    progress.backtracking("numpy", 3)
    progress.resolved(4)
    progress.building("local")
    progress.build_output("compiling [bold]nothing[/bold]\n")
    progress.fetching(2, 300)
    threads = [threading.Thread(target=progress.fetched, args=("a.whl", 150)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.writing("out.zip", 1234)
    progress.wrote("out.zip", 99)


def wait_for(text: str, terminal: Terminal) -> None:
    """Wait until the line has appeared."""
    end = time.monotonic() + 20
    while text not in terminal.getvalue():
        assert time.monotonic() < end, terminal.getvalue()
        time.sleep(0.005)


def shown_progress(terminal: Terminal, *, color: bool) -> LiveProgress:
    """A live line that has appeared, whatever the delay of others."""
    progress = LiveProgress(terminal, color=color, delay=0)
    progress.resolving(1)
    wait_for("Resolving", terminal)
    return progress


def test_each_step_is_shown(terminal: Terminal) -> None:
    progress = shown_progress(terminal, color=False)
    work(progress)
    shown = terminal.getvalue()
    steps = ("Resolving 2 requirements", "Building", "[bold]", "Downloading 2 wheels", "Verifying")
    places = [shown.find(text) for text in (*steps, "Writing 1,234 files")]
    assert -1 not in places
    assert places == sorted(places)


def test_nothing_stays(terminal: Terminal) -> None:
    """The line is erased and the cursor shown again, also when an error ended the work."""
    progress = shown_progress(terminal, color=False)
    progress.fetching(1, 10)
    progress.close()
    progress.close()
    shown = terminal.getvalue()
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert shown.endswith("\x1b[2K")


def test_no_colour_where_none_is_wanted(terminal: Terminal) -> None:
    work(shown_progress(terminal, color=False))
    assert "Writing" in terminal.getvalue()
    assert "\x1b[3" not in terminal.getvalue()


def test_events_out_of_order_are_no_error(terminal: Terminal) -> None:
    """Threads that end late may tell of what is over."""
    for progress in (LiveProgress(terminal, color=True), shown_progress(terminal, color=True)):
        progress.wrote("out.zip", 0)
        progress.fetched("a.whl", 10)
        progress.build_output("late")
        progress.fetching(0, 0)
        progress.wrote("out.zip", 0)


def test_a_short_run_shows_nothing(terminal: Terminal) -> None:
    """It would flicker, and load rich, which takes longer than the work."""
    progress = LiveProgress(terminal, color=True, delay=3600)
    work(progress)
    progress.close()
    assert terminal.getvalue() == ""


def test_what_is_over_does_not_appear(terminal: Terminal) -> None:
    """The work may end while rich is being loaded."""
    before = set(threading.enumerate())
    progress = LiveProgress(terminal, color=True, delay=0)
    progress.resolving(2)
    progress.close()
    for timer in set(threading.enumerate()) - before:
        timer.join()
    shown = terminal.getvalue()
    assert shown == "" or shown.endswith("\x1b[2K")


def test_the_line_appears_with_what_was_done_before(terminal: Terminal) -> None:
    progress = LiveProgress(terminal, color=False, delay=0.5)
    progress.resolving(2)
    progress.fetching(2, 300)
    progress.fetched("a.whl", 150)
    wait_for("150/300", terminal)
    progress.close()
    assert "Resolving" not in terminal.getvalue()
    assert "Downloading 2 wheels" in terminal.getvalue()


@pytest.mark.parametrize(("detailed", "lines"), [(False, 7), (True, 9)])
def test_a_log_has_a_line_for_each_step(*, detailed: bool, lines: int) -> None:
    said: list[str] = []
    work(LoggedProgress(said.append, detailed=detailed))
    assert len(said) == lines
    assert not any("\n" in line for line in said)
    assert "downloading, wheels: 2, bytes: 300" in said
