"""Completion scripts for shells, made from the parser itself."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from crossdeps.cli.arguments import (
    add_checks,
    add_index,
    add_output,
    add_provided,
    add_requirements,
    add_target,
    add_telling,
)
from crossdeps.cli.options import (
    AskOptions,
    FormOptions,
    IndexArguments,
    LockOptions,
    Options,
    OutputOptions,
    TargetOptions,
    TellOptions,
)
from crossdeps.errors import UsageError
from crossdeps.version import __version__

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


_Part = TypeVar(
    "_Part", TargetOptions, AskOptions, IndexArguments, OutputOptions, TellOptions, FormOptions
)

FORMS = ("text", "json", "sbom", "html", "licences")
_EXIT_CODES = """\
exit codes:
  0 done   1 another error   2 usage or unreadable input   3 no solution
  4 index unreachable or refused   5 integrity (hash, hostile wheel)   6 sdist build
  7 the artifact is wrong for the target, collides or is too large   130 interrupted
"""


def parse_arguments(arguments: Sequence[str]) -> Options:
    """Turn command-line arguments into Options.

    :raises UsageError: if they can't be understood
    :raises SystemExit: after printing help, version or a completion script
    """
    parser = build_parser()
    namespace, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise _unknown(unknown[0], namespace.verb, _known_options(namespace.parser))
    _check_not_empty(namespace)
    return Options(
        verb=namespace.verb,
        subject=getattr(namespace, "subject", ""),
        strict=getattr(namespace, "strict", False),
        ignores=tuple(getattr(namespace, "ignores", ())),
        handler=getattr(namespace, "handler", None),
        layers=tuple(getattr(namespace, "layers", ())),
        target=_pick(TargetOptions, namespace),
        ask=_pick(AskOptions, namespace),
        index=_pick(IndexArguments, namespace),
        output=_pick(OutputOptions, namespace),
        tell=_pick(TellOptions, namespace),
        form=_pick(FormOptions, namespace),
        lock=_lock_options(namespace),
    )


def _check_not_empty(namespace: argparse.Namespace) -> None:
    """Refuse an empty value: as a default it would decide something that the user meant to say.

    :raises UsageError: if there is one; an empty proxy is none, and stays
    """
    for action in namespace.parser._actions:  # noqa: SLF001 - argparse has no public list
        value = getattr(namespace, action.dest, None)
        empty = "" in value if isinstance(value, list) else value == ""
        means_something = action.const == "" or action.dest == "proxy"
        if empty and action.option_strings and not means_something:
            raise UsageError(
                f"{action.option_strings[-1]} is empty",
                hint="give it a value, or leave it out; is a variable of the shell unset?",
            )


def _lock_options(namespace: argparse.Namespace) -> LockOptions:
    upgrades = getattr(namespace, "upgrades", [])
    return LockOptions(
        upgrades=tuple(name for name in upgrades if name),
        upgrade_all="" in upgrades,
        check=getattr(namespace, "check", False),
    )


def _pick(part: type[_Part], namespace: argparse.Namespace) -> _Part:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        if hasattr(namespace, field.name):
            value = getattr(namespace, field.name)
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return part(**values)


def _known_options(parser: argparse.ArgumentParser) -> list[str]:
    return sorted(set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", parser.format_help())))


def _unknown(text: str, verb: str, known: Sequence[str]) -> UsageError:
    name = text.partition("=")[0]
    near = difflib.get_close_matches(name, known, n=1) if name.startswith("-") else []
    meant = f"did you mean {near[0]}? " if near else ""
    kind = "option" if name.startswith("-") else "argument"
    return UsageError(
        f"{verb} takes no {kind} {name}", hint=f"{meant}crossdeps {verb} --help lists what it takes"
    )


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print and exit with."""

    known_verbs: tuple[str, ...] = ()

    def error(self, message: str) -> NoReturn:
        verb = re.match(r"argument VERB: invalid choice: '(.*?)'", message)
        if verb:
            near = difflib.get_close_matches(verb[1], self.known_verbs, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"there is no verb {verb[1]!r}",
                hint=f"{meant}the verbs are {', '.join(self.known_verbs)}",
            )
        raise UsageError(message, hint=f"{self.prog} --help tells more")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="crossdeps",
        description="Package Python dependencies for a machine that is not the one you are on.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"crossdeps {__version__}")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, metavar="SHELL",
        help=f"print the completion script for a shell: {', '.join(SHELLS)}",
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_build(verbs)
    _add_lock(verbs)
    _add_check(verbs)
    _add_why(verbs)
    _add_tags(verbs)
    _add_diff(verbs)
    _add_report(verbs)
    _add_cache(verbs)
    parser.known_verbs = tuple(verbs.choices)
    return parser


if TYPE_CHECKING:
    _Verbs = argparse._SubParsersAction[_Parser]  # noqa: SLF001 - has no public name


def _verb(verbs: _Verbs, name: str, summary: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name, help=summary, description=summary, epilog=_EXIT_CODES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(parser=parser)
    return parser


def _add_build(verbs: _Verbs) -> None:
    parser = _verb(verbs, "build", "requirements or a lock -> a directory or zip for the target")
    add_requirements(parser)
    add_target(parser)
    add_output(parser)
    add_index(parser)
    add_checks(parser)
    add_telling(parser)


def _add_lock(verbs: _Verbs) -> None:
    parser = _verb(verbs, "lock", "requirements -> pylock.toml (PEP 751)")
    add_requirements(parser)
    add_target(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH",
        help="default: pylock.toml; a name ending in .txt gets requirements with hashes;"
        " - writes to standard output",
    )  # fmt: skip
    parser.add_argument(
        "-U", "--upgrade", dest="upgrades", action="append", nargs="?", const="", default=[],
        metavar="NAME", help="choose NAME anew, or without it everything; repeatable (default:"
        " what an existing pylock.toml pins is kept)",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 if the lock isn't up to date"
    )
    parser.add_argument("--dry-run", action="store_true", help="do everything but write")
    add_provided(parser.add_argument)
    add_index(parser)
    add_telling(parser)


def _add_check(verbs: _Verbs) -> None:
    parser = _verb(verbs, "check", "is a directory or zip, made by any tool, right for the target?")
    parser.add_argument("subject", metavar="PATH", help="a package directory, zip or layer")
    add_target(parser)
    add_checks(parser)
    add_telling(parser)


def _add_why(verbs: _Verbs) -> None:
    parser = _verb(verbs, "why", "why this version of a project, and why no newer one")
    parser.add_argument("subject", metavar="NAME", help="project name")
    add_requirements(parser, positional=False)
    add_target(parser)
    add_provided(parser.add_argument)
    add_index(parser)
    add_telling(parser)


def _add_tags(verbs: _Verbs) -> None:
    parser = _verb(verbs, "tags", "the target's wheel tags, best first, and its markers")
    add_target(parser)
    add_telling(parser)


def _add_diff(verbs: _Verbs) -> None:
    parser = _verb(verbs, "diff", "what differs between two artifacts, or two locks")
    parser.add_argument("subject", metavar="A", help="a package directory, zip, layer or lock")
    parser.add_argument("other", metavar="B", help="what it is compared with")
    parser.add_argument("--markdown", action="store_true", help="for a comment on a pull request")
    parser.add_argument("--exit-code", action="store_true", help="1 if they differ")
    add_telling(parser)


def _add_report(verbs: _Verbs) -> None:
    parser = _verb(verbs, "report", "what a directory or zip, made by any tool, holds and weighs")
    parser.add_argument("subject", metavar="PATH", help="a package directory, zip or layer")
    parser.add_argument(
        "--format",
        dest="form",
        choices=FORMS,
        default="text",
        help="text (default), json, sbom (CycloneDX), html or licences",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument("--lock", metavar="FILE",
                        help="the lock it was made from: its hashes go into the SBOM")  # fmt: skip
    add_target(parser)
    add_telling(parser)


def _add_cache(verbs: _Verbs) -> None:
    parser = _verb(verbs, "cache", "look at, or empty, the cache of wheels and pages")
    parser.add_argument("subject", metavar="ACTION", choices=("dir", "info", "prune", "clear"),
                        help="dir, info, prune or clear")  # fmt: skip
    parser.add_argument("--cache-dir", metavar="DIR", help="where the cache lies")
    add_telling(parser)
