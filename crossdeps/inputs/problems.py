"""Everything that is wrong with the inputs, collected and then raised once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.inputs.display import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.inputs.model import Origin

_MOST_SHOWN = 50  # a file of another format has a problem on every line


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong.

    :param origin: where
    :param message: what, as :class:`~crossdeps.errors.CrossdepsError` has it
    :param hint: what to do
    :param line: the line as it stands in the file; None where that doesn't help
    """

    origin: Origin
    message: str
    hint: str | None = None
    line: str | None = None


class Problems:
    """Collects problems, and raises one :class:`InputError` for all of them."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, error: InputError, origin: Origin, line: str | None = None) -> None:
        """Note *error*, which was found at *origin*."""
        self._found.append(
            Problem(origin=origin, message=error.message, hint=error.hint, line=line)
        )

    @contextlib.contextmanager
    def collect(self, origin: Origin, line: str | None = None) -> Iterator[None]:
        """Note the :class:`InputError` that the block raises, and go on after the block."""
        try:
            yield
        except InputError as error:
            self.add(error, origin, line)

    def check(self) -> None:
        """Raise what has been collected, if anything.

        :raises InputError: one problem: its message, with the line in the context; several: one
            line of context for each
        """
        if not self._found:
            return
        first = self._found[0]
        if len(self._found) == 1:
            place = str(first.origin)
            where = place if first.line is None else f"{place}: {shown(first.line)}"
            raise InputError(first.message, context=(where,), hint=first.hint)
        hints = {problem.hint for problem in self._found}
        same = len(hints) == 1
        raise InputError(
            f"{len(self._found)} lines can't be used",
            context=tuple(self._lines(with_hints=not same)),
            hint=hints.pop() if same else "correct these lines, as is said beside each",
        )

    def _lines(self, *, with_hints: bool) -> list[str]:
        lines = []
        for problem in self._found[:_MOST_SHOWN]:
            advice = f" ({problem.hint})" if with_hints and problem.hint else ""
            lines.append(f"{problem.origin}: {problem.message}{advice}")
        if more := len(self._found) - len(lines):
            lines.append(f"and {more} more")
        return lines
