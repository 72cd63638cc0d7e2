"""Completion scripts for shells, made from the parser itself."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh", "tcsh")
_FILES = {"FILE", "PATH", "A", "B"}
_FOLDERS = {"DIR"}


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and ends; shtab is loaded only for that."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the script for the shell *values*."""
        del namespace, option_string
        import shtab  # noqa: PLC0415 - only for who asks for a script

        _complete_paths(parser, shtab.FILE, shtab.DIRECTORY)
        sys.stdout.write(shtab.complete(parser, shell=str(values)) + "\n")
        parser.exit()


def _complete_paths(parser: argparse.ArgumentParser, file: object, folder: object) -> None:
    """Let arguments that take paths be completed with paths; shtab reads ``action.complete``."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of arguments
        if action.metavar in _FILES:
            action.complete = file  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = folder  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - has no public name
            for child in dict.fromkeys(action.choices.values()):
                _complete_paths(child, file, folder)
