"""Standard output for data, standard error for talk."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from crossdeps.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crossdeps.cli.options import TellOptions
    from crossdeps.errors import CrossdepsError

_STYLES = {"error": "1;31", "warning": "1;33", "hint": "1;36"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """Where a command prints.

    :param out: for what the command was asked for
    :param err: for everything else
    :param color: whether *err* gets colour; no meaning is in colour alone
    """

    out: TextIO
    err: TextIO
    color: bool
    quiet: bool
    verbose: int
    wants_progress: bool

    @classmethod
    def of_process(cls, tell: TellOptions, environ: Mapping[str, str]) -> Console:
        """The console of this process, by its streams, options, NO_COLOR and FORCE_COLOR."""
        terminal = sys.stderr.isatty() and environ.get("TERM") != "dumb"
        color = tell.color == "always" or (
            tell.color == "auto"
            and not environ.get("NO_COLOR")
            and (terminal or bool(environ.get("FORCE_COLOR")))
        )
        return cls(
            out=sys.stdout,
            err=sys.stderr,
            color=color,
            quiet=tell.quiet,
            verbose=tell.verbose,
            wants_progress=tell.progress and not tell.quiet and terminal,
        )

    def data(self, text: str) -> None:
        """Print what was asked for."""
        self.out.write(_printable(text, self.out))
        self.out.flush()

    def say(self, text: str) -> None:
        """Print a line of talk, unless quiet."""
        if not self.quiet:
            self._line(text)

    def warn(self, text: str) -> None:
        """Print a warning, unless quiet."""
        if not self.quiet:
            self._line(f"{self._styled('warning')}: {text}")

    def error(self, error: CrossdepsError) -> None:
        """Print an error: what, where, and after a blank line what to do."""
        self._line(f"{self._styled('error')}: {error.message}")
        for line in error.context:
            self._line(f"  {line}")
        if error.hint:
            self._line(f"\n{self._styled('hint')}: {error.hint}")

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A reporter for long work: a live one on a terminal, else a silent one."""
        if not self.wants_progress:
            yield Progress()
            return
        from crossdeps.cli.progress import LiveProgress  # noqa: PLC0415 - loads rich

        live = LiveProgress(self.err, color=self.color)
        try:
            yield live
        finally:
            live.close()

    def _line(self, text: str) -> None:
        self.err.write(_printable(text, self.err) + "\n")
        self.err.flush()

    def _styled(self, word: str) -> str:
        return f"\x1b[{_STYLES[word]}m{word}\x1b[0m" if self.color else word


def _printable(text: str, stream: TextIO) -> str:
    """*text* as *stream* can encode it (LANG=C), the rest escaped."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
