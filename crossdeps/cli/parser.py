"""Arguments to Options."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from crossdeps.cli.options import (
    AskOptions,
    IndexArguments,
    Options,
    OutputOptions,
    TargetOptions,
    TellOptions,
)
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_Part = TypeVar("_Part", TargetOptions, AskOptions, IndexArguments, OutputOptions, TellOptions)

_EXIT_CODES = """\
exit codes:
  0 done   1 another error   2 usage or unreadable input   3 no solution
  4 index unreachable or refused   5 integrity (hash, hostile wheel)   6 sdist build
  7 the artifact is wrong for the target, collides or is too large   130 interrupted
"""


def parse_arguments(arguments: Sequence[str]) -> Options:
    """Turn command-line arguments into Options.

    :raises SystemExit: after printing help, version or what was wrong with the arguments
    """
    namespace = build_parser().parse_args(arguments)
    return Options(
        verb=namespace.verb,
        subject=getattr(namespace, "subject", ""),
        strict=getattr(namespace, "strict", False),
        ignores=tuple(getattr(namespace, "ignores", ())),
        target=_pick(TargetOptions, namespace),
        ask=_pick(AskOptions, namespace),
        index=_pick(IndexArguments, namespace),
        output=_pick(OutputOptions, namespace),
        tell=_pick(TellOptions, namespace),
    )


def _pick(part: type[_Part], namespace: argparse.Namespace) -> _Part:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        if hasattr(namespace, field.name):
            value = getattr(namespace, field.name)
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return part(**values)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="crossdeps",
        description="Package Python dependencies for a machine that is not the one you are on.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"crossdeps {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_build(verbs)
    _add_lock(verbs)
    _add_check(verbs)
    _add_why(verbs)
    _add_tags(verbs)
    _add_cache(verbs)
    return parser


if TYPE_CHECKING:
    _Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - has no public name


def _verb(verbs: _Verbs, name: str, summary: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name, help=summary, description=summary, epilog=_EXIT_CODES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _add_build(verbs: _Verbs) -> None:
    parser = _verb(verbs, "build", "requirements or a lock -> a directory or zip for the target")
    _ask_arguments(parser)
    _target_arguments(parser)
    _output_arguments(parser)
    _index_arguments(parser)
    _check_arguments(parser)
    _tell_arguments(parser)


def _add_lock(verbs: _Verbs) -> None:
    parser = _verb(verbs, "lock", "requirements -> pylock.toml (PEP 751)")
    _ask_arguments(parser)
    _target_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="default: pylock.toml; - writes to standard output"
    )
    _index_arguments(parser)
    _tell_arguments(parser)


def _add_check(verbs: _Verbs) -> None:
    parser = _verb(verbs, "check", "is a directory or zip, made by any tool, right for the target?")
    parser.add_argument("subject", metavar="PATH", help="a package directory, zip or layer")
    _target_arguments(parser)
    _check_arguments(parser)
    _tell_arguments(parser)


def _add_why(verbs: _Verbs) -> None:
    parser = _verb(verbs, "why", "why this version of a project, and why no newer one")
    parser.add_argument("subject", metavar="NAME", help="project name")
    _ask_arguments(parser, positional=False)
    _target_arguments(parser)
    _index_arguments(parser)
    _tell_arguments(parser)


def _add_tags(verbs: _Verbs) -> None:
    parser = _verb(verbs, "tags", "the target's wheel tags, best first, and its markers")
    _target_arguments(parser)
    _tell_arguments(parser)


def _add_cache(verbs: _Verbs) -> None:
    parser = _verb(verbs, "cache", "look at, or empty, the cache of wheels and pages")
    parser.add_argument("subject", metavar="ACTION", choices=("dir", "info", "prune", "clear"),
                        help="dir, info, prune or clear")  # fmt: skip
    parser.add_argument("--cache-dir", metavar="DIR", help="where the cache lies")
    _tell_arguments(parser)


def _ask_arguments(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    group = parser.add_argument_group("requirements")
    add = group.add_argument
    if positional:
        add("requirements", nargs="*", default=[], metavar="REQUIREMENT",
            help="such as 'requests>=2'; a pylock.toml is built without resolving")  # fmt: skip
    add("-r", "--requirement", dest="requirement_files", action="append", default=[],
        metavar="FILE", help="requirements.txt, pyproject.toml or pylock.toml; - is standard input"
        " (default: requirements.txt)")  # fmt: skip
    add("-c", "--constraint", dest="constraint_files", action="append", default=[], metavar="FILE",
        help="versions to stay within, for what is installed anyway")  # fmt: skip
    add("--override", dest="override_files", action="append", default=[], metavar="FILE",
        help="requirements that replace all others on the same project")  # fmt: skip
    add("--group", dest="groups", action="append", default=[], metavar="NAME",
        help="a dependency group of pyproject.toml (PEP 735)")  # fmt: skip
    add("--extra", dest="extras", action="append", default=[], metavar="NAME",
        help="an extra of pyproject.toml's own project")  # fmt: skip
    add("--no-deps", action="store_true", help="take exactly what is named")
    add("--require-hashes", action="store_true", help="everything must be pinned and hashed")
    add("--pre", action="store_true", help="allow pre-releases of every project")
    add("--exclude-newer", metavar="WHEN",
        help="leave out files uploaded after a date, a time or a duration ago ('7 days')")  # fmt: skip
    add("--allow-sdist", action="append", default=[], metavar="NAME",
        help="may be built from source, if the result is pure Python")  # fmt: skip


def _target_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("target").add_argument
    add("--arch", dest="archs", action="append", default=[], metavar="ARCH",
        help="x86_64 (amd64) or aarch64 (arm64); repeatable for lock")  # fmt: skip
    add("--python", metavar="VERSION", help="such as 3.9, or 3.9.19 to be exact")
    add("--runtime", dest="runtimes", action="append", default=[], metavar="NAME",
        help="a Lambda runtime, such as python3.12; repeatable for lock")  # fmt: skip
    add("--platform", dest="platforms", action="append", default=[], metavar="TAG",
        help="such as manylinux_2_28_x86_64; repeatable (default: manylinux2014)")  # fmt: skip
    add("--abi", metavar="ABI", help="such as cp313t for the free-threaded build")
    add("--implementation", metavar="NAME", help="cp (CPython), the only one")


def _output_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("output").add_argument
    add("-o", "--output", "-t", "--target", dest="output", metavar="PATH",
        help="a name ending in .zip makes a zip (default: package)")  # fmt: skip
    add("--layer", action="store_true", help="put everything under python/, as a Lambda layer has it")
    add("--source", dest="sources", action="append", default=[], metavar="PATH",
        help="your own code: a directory's content, or a file, placed at the root")  # fmt: skip
    add("--exclude", dest="excludes", action="append", default=[], metavar="GLOB",
        help="leave out matching paths, by gitignore's rules")  # fmt: skip
    add("--include", dest="includes", action="append", default=[], metavar="GLOB",
        help="keep matching paths whatever else would leave them out")  # fmt: skip
    add("--slim", action="store_true", help="leave out tests, type stubs, C sources and docs")
    add("--scripts", action=argparse.BooleanOptionalAction, default=None,
        help="lay out console scripts (default: in directories, not in zips and layers)")  # fmt: skip
    add("--force", action="store_true", help="replace an output that crossdeps didn't make")
    add("--dry-run", action="store_true", help="do everything but write")


def _index_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("index").add_argument
    add("-i", "--index-url", metavar="URL", help="the index (default: pip's configuration, or PyPI)")
    add("--extra-index-url", dest="extra_index_urls", action="append", default=[], metavar="URL",
        help="another index")  # fmt: skip
    add("-f", "--find-links", action="append", default=[], metavar="PATH",
        help="a directory or page of wheels")  # fmt: skip
    add("--no-index", action="store_true", help="only --find-links")
    add("--index-strategy", choices=("safe", "first"),
        help="a project on two indexes: refuse if they differ (safe, the default),"
        " or take the first index that has it")  # fmt: skip
    add("--offline", action="store_true", help="use the cache only")
    add("--cache-dir", metavar="DIR", help="where the cache lies")
    add("--no-cache", action="store_true", help="neither read nor keep a cache")
    add("--isolated", action="store_true", help="ignore pip's configuration and PIP_* variables")
    add("--timeout", type=float, metavar="SECONDS", help="of one silent connection")
    add("--retries", type=int, metavar="N", help="of one request")


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("checks").add_argument
    add("--ignore", dest="ignores", action="append", default=[], metavar="RULE[:GLOB]",
        help="silence a rule, everywhere or for matching paths")  # fmt: skip
    add("--strict", action="store_true", help="warnings fail too")


def _tell_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("telling").add_argument
    add("--json", action="store_true", help="one JSON document on standard output")
    add("--report", metavar="FILE", help="write the same JSON document to a file")
    add("-q", "--quiet", action="store_true", help="say nothing but errors")
    add("-v", "--verbose", action="count", default=0, help="say more; repeatable")
    add("--no-progress", dest="progress", action="store_false", help="no progress on the terminal")
    add("--color", choices=("auto", "always", "never"), default="auto", help="NO_COLOR is respected")
