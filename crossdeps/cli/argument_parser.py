"""Turns command-line arguments into Options, by the table of options; prints help on the way."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from crossdeps.config.option_types import Count, Level, List, Option, Seconds, Switch, Toggle
from crossdeps.config.options import OPTIONS, Options
from crossdeps.errors import UsageError
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DESCRIPTION = "Package Python dependencies for a machine that is not the one you are on."
_EXIT_CODES = """\
exit codes:
  0 success   1 another error   2 usage or unreadable input   3 no solution
  4 index unreachable or refused   5 integrity (hash, hostile wheel)   6 sdist build
  7 the artifact is wrong for the target, collides or is too large   130 interrupted
"""
VERBS = {
    "build": (
        "Build a directory or zip from requirements or a lock.",
        "It holds the packages in the form that the target needs, and your own code if given.",
        "crossdeps build --runtime python3.12 --arch arm64 -o function.zip --source src/",
    ),
    "lock": (
        "Write a pylock.toml for one or more targets.",
        "It has the version and the hash of every wheel (PEP 751).",
        "crossdeps lock --runtime python3.12 --arch x86_64 --arch arm64",
    ),
    "check": (
        "Check whether a directory or zip is right for the target.",
        "Any tool may have made it.",
        "crossdeps check function.zip --runtime python3.12 --arch arm64",
    ),
    "why": (
        "Explain why a version of a project was chosen.",
        "Show what depends on it, and why newer versions were not used.",
        "crossdeps why numpy --runtime python3.9 --arch x86_64",
    ),
    "tags": (
        "List the wheel tags and markers of the target.",
        "The best tag comes first.",
        "crossdeps tags --platform manylinux_2_28_x86_64 --python 3.12",
    ),
    "diff": (
        "Compare two artifacts, or two locks.",
        "Show projects and their versions, sizes, architecture, glibc and files that differ.",
        "crossdeps diff old.zip new.zip",
    ),
    "report": (
        "Report the contents and sizes of a directory or zip.",
        "Any tool may have made it.",
        "crossdeps report function.zip --format html -o report.html",
    ),
    "cache": (
        "Show, prune or clear the cache.",
        "It holds wheels, index pages and metadata.",
        "crossdeps cache info",
    ),
}
"""Each verb: its summary, a sentence more, and an example."""

SHELLS = ("bash", "zsh", "tcsh")
_FILES = {"FILE", "PATH", "A", "B"}
_DIRECTORIES = {"DIR"}


def parse_arguments(arguments: Sequence[str]) -> Options:
    """Turn command-line arguments into Options.

    :raises UsageError: if they are not valid
    :raises SystemExit: after printing help, version or a completion script
    """
    verb = arguments[0] if arguments else "--help"
    if verb.startswith("-"):
        parser = build_parser(complete="--print-completion" in verb)
        parser.parse_known_args(arguments or [verb])
        raise _unknown_option(verb, "", parser)
    if verb not in VERBS:
        raise UsageError(
            f"unknown command {verb!r}", hint=f"{_suggest(verb, VERBS)}commands: {', '.join(VERBS)}"
        )
    parser = _fill(_Parser(prog=f"crossdeps {verb}", **_settings(verb)), verb)
    # Options may stand between requirements, as for pip and uv; argparse does not combine that with
    # "--", after which nothing is an option.
    mixed = "--" not in arguments
    parse = parser.parse_known_intermixed_args if mixed else parser.parse_known_args
    namespace, unknown = parse(arguments[1:])
    if unknown:
        from crossdeps.cli.pip_spellings import translate_pip_options  # noqa: PLC0415 - seldom

        namespace, unknown = parse(translate_pip_options(arguments)[1:])
    if unknown:
        raise _unknown_option(unknown[0], verb, parser)
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(namespace).items()
    }
    _check_not_empty(values)
    return Options(verb, **values)


def build_parser(*, complete: bool = False) -> argparse.ArgumentParser:
    """The parser of the command itself.

    :param complete: with the options of every verb, which only completion scripts need
    """
    parser = _Parser(prog="crossdeps", description=_DESCRIPTION, epilog=_EXIT_CODES, **_FORMAT)
    parser.add_argument(
        "--version", action="version", version=f"crossdeps {__version__}",
        help="Print the version and exit.",
    )  # fmt: skip
    parser.add_argument(
        "--print-completion", action=_PrintCompletion, choices=SHELLS, metavar="SHELL",
        help=f"Print the completion script for a shell: {', '.join(SHELLS)}.",
    )  # fmt: skip
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", dest="verb")
    for verb in VERBS:
        child = verbs.add_parser(verb, help=VERBS[verb][0], **_settings(verb))
        if complete:
            _fill(child, verb)
    return parser


def _settings(verb: str) -> dict[str, Any]:
    summary, details, example = VERBS[verb]
    return {"description": f"{summary}\n{details}", "epilog": f"example:\n  {example}", **_FORMAT}


def _fill(parser: argparse.ArgumentParser, verb: str) -> argparse.ArgumentParser:
    """Add the options that *verb* takes, in groups."""
    usage = [f"crossdeps {verb} [OPTION...]"]
    groups: dict[str, Callable[..., argparse.Action]] = {}
    for option in OPTIONS.values():
        if verb not in option.verbs or not option.usage:
            continue
        if option.group not in groups:
            group = parser.add_argument_group(option.group) if option.group else parser
            groups[option.group] = group.add_argument
        if not option.flags:
            usage.append(f"[{option.metavar}]" if isinstance(option, List) else option.metavar)
        _add(groups[option.group], option)
    parser.usage = " ".join(usage)
    return parser


def _add(add: Callable[..., argparse.Action], option: Option[Any]) -> None:
    """Add one option; values stay unset where it is not given."""
    settings: dict[str, Any] = {"default": argparse.SUPPRESS, "help": option.description}
    if isinstance(option, Switch):
        settings["action"] = "store_true"
    elif isinstance(option, Level):
        settings["action"] = "count"
    elif isinstance(option, Toggle):
        settings["action"] = argparse.BooleanOptionalAction
    else:
        settings |= {"metavar": option.metavar.removesuffix("..."), "type": _converter(option)}
        if isinstance(option, List):
            settings |= {"action": "append"} if option.flags else {"nargs": "*"}
    if option.flags:
        flags = option.flags[:1] if isinstance(option, Toggle) else option.flags
        add(*flags, dest=option.name, **settings)
    else:
        add(option.name, **settings)


def _converter(option: Option[Any]) -> Callable[[str], object] | None:
    if not (option.choices or isinstance(option, (Seconds, Count))):
        return None

    def convert(text: str) -> object:
        try:
            return option.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from None

    return convert


def _check_not_empty(values: dict[str, object]) -> None:
    """Refuse an empty value: as a default it would decide something that the user meant to specify.

    :raises UsageError: if there is one; an empty proxy means none
    """
    for name, value in values.items():
        option = OPTIONS[name]
        empty = "" in value if isinstance(value, tuple) else value == ""
        if empty and option.flags and name != "proxy":
            raise UsageError(
                f"{option.flag} is empty",
                hint="give it a value, or leave it out; is a variable of the shell unset?",
            )


def _unknown_option(text: str, verb: str, parser: argparse.ArgumentParser) -> UsageError:
    name = text.partition("=")[0]
    command = f"crossdeps {verb}".rstrip()
    more = f"'{command} --help' lists the options"
    if not name.startswith("-"):
        return UsageError(f"unexpected argument {name!r}", hint=more)
    known = parser._option_string_actions  # noqa: SLF001 - argparse has no public list of flags
    return UsageError(f"unknown option {name}", hint=f"{_suggest(name, known)}{more}")


def _suggest(text: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only where something was mistyped

    near = difflib.get_close_matches(text, list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Names the metavar of an option once; loads no module for the width of the terminal."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns or 80)
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=max(columns - 2, 20))

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


_FORMAT: dict[str, Any] = {
    "formatter_class": _Formatter, "allow_abbrev": False, "add_help": False,
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print and exit with, in plain English."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(**settings)
        self.add_argument("-h", "--help", action="help", help="Show this help and exit.")

    def error(self, message: str) -> NoReturn:
        name, colon, problem = message.removeprefix("argument ").partition(": ")
        flag = next((flag for flag in name.split("/") if flag.startswith("--")), name)
        if message.startswith("the following arguments are required"):
            text = f"{problem} is required"
        elif not colon:
            text = message
        elif problem.startswith("expected one argument"):
            text = f"{flag} requires a value"
        elif problem.startswith("ignored explicit argument"):
            text = f"{flag} takes no value"
            if flag == "--upgrade":
                raise UsageError(text, hint="upgrade one project with --upgrade-package NAME")
        else:
            text = f"invalid value for {flag}: {problem.removeprefix('invalid choice: ')}"
        raise UsageError(text, hint=f"'{self.prog} --help' lists the options")


class _PrintCompletion(argparse.Action):
    """Prints the script for a shell, and exits; shtab is loaded only for that."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the script for the shell *values*."""
        del namespace, option_string
        import shtab  # noqa: PLC0415 - only for completion scripts

        _complete_paths(parser, shtab.FILE, shtab.DIRECTORY)
        sys.stdout.write(shtab.complete(parser, shell=str(values)) + "\n")
        parser.exit()


def _complete_paths(parser: argparse.ArgumentParser, file: object, directory: object) -> None:
    """Let arguments that take paths be completed with paths; shtab reads ``action.complete``."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of arguments
        if action.metavar in _FILES:
            action.complete = file  # type: ignore[attr-defined]
        elif action.metavar in _DIRECTORIES:
            action.complete = directory  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - has no public name
            for child in dict.fromkeys(action.choices.values()):
                _complete_paths(child, file, directory)
