"""The groups of arguments that verbs share, each with one spelling: pip's where it has one."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def add_requirements(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    """What is asked."""
    group = parser.add_argument_group("requirements")
    add = group.add_argument
    if positional:
        add(
            "requirements",
            nargs="*",
            default=[],
            metavar="REQUIREMENT",
            help="such as 'requests>=2'; a pylock.toml is built without resolving",
        )
    add(
        "-r",
        "--requirement",
        dest="requirement_files",
        action="append",
        default=[],
        metavar="FILE",
        help="requirements.txt, pyproject.toml or pylock.toml; - is standard input"
        " (default: requirements.txt)",
    )
    add(
        "-c",
        "--constraint",
        dest="constraint_files",
        action="append",
        default=[],
        metavar="FILE",
        help="versions to stay within, for what is installed anyway",
    )
    add(
        "--override",
        dest="override_files",
        action="append",
        default=[],
        metavar="FILE",
        help="requirements that replace all others on the same project",
    )
    add(
        "--group",
        dest="groups",
        action="append",
        default=[],
        metavar="NAME",
        help="a dependency group of pyproject.toml (PEP 735)",
    )
    add(
        "--extra",
        dest="extras",
        action="append",
        default=[],
        metavar="NAME",
        help="an extra of pyproject.toml's own project",
    )
    add("--no-deps", action="store_true", help="take exactly what is named")
    add("--require-hashes", action="store_true", help="everything must be pinned and hashed")
    add("--pre", action="store_true", help="allow pre-releases of every project")
    add(
        "--exclude-newer",
        metavar="WHEN",
        help="leave out files uploaded after a date, a time or a duration ago ('7 days')",
    )
    add(
        "--allow-sdist",
        action="append",
        default=[],
        metavar="NAME",
        help="may be built from source, if the result is pure Python",
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """For which machine."""
    add = parser.add_argument_group("target").add_argument
    add(
        "--arch",
        dest="archs",
        action="append",
        default=[],
        metavar="ARCH",
        help="x86_64 (amd64) or aarch64 (arm64); repeatable for lock",
    )
    add("--python", metavar="VERSION", help="such as 3.9, or 3.9.19 to be exact")
    add(
        "--runtime",
        dest="runtimes",
        action="append",
        default=[],
        metavar="NAME",
        help="a Lambda runtime, such as python3.12; repeatable for lock",
    )
    add(
        "--platform",
        dest="platforms",
        action="append",
        default=[],
        metavar="TAG",
        help="such as manylinux_2_28_x86_64; repeatable (default: manylinux2014)",
    )
    add("--abi", metavar="ABI", help="such as cp313t for the free-threaded build")
    add("--implementation", metavar="NAME", help="cp (CPython), the only one")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where it goes, and what it looks like."""
    add = parser.add_argument_group("output").add_argument
    add(
        "-o",
        "--output",
        "-t",
        "--target",
        dest="output",
        metavar="PATH",
        help="a name ending in .zip makes a zip (default: package)",
    )
    add(
        "--layer",
        action="store_true",
        help="put everything under python/, as a Lambda layer has it",
    )
    add(
        "--versioned-layer",
        action="store_true",
        help="a layer for this Python alone: everything under python/lib/python3.X/site-packages/",
    )
    add(
        "--source",
        dest="sources",
        action="append",
        default=[],
        metavar="PATH",
        help="your own code: a directory's content, or a file, placed at the root",
    )
    add(
        "--exclude",
        dest="excludes",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out matching paths, by gitignore's rules",
    )
    add(
        "--include",
        dest="includes",
        action="append",
        default=[],
        metavar="GLOB",
        help="keep matching paths whatever else would leave them out",
    )
    add(
        "--exclude-project",
        dest="excluded_projects",
        action="append",
        default=[],
        metavar="NAME",
        help="leave out a project that will be there anyway, such as in a layer",
    )
    add("--slim", action="store_true", help="leave out tests, type stubs, C sources and docs")
    add_provided(add)
    add(
        "--scripts",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="lay out console scripts (default: in directories, not in zips and layers)",
    )
    add("--force", action="store_true", help="replace an output that crossdeps didn't make")
    add("--dry-run", action="store_true", help="do everything but write")


def add_provided(add: Callable[..., object]) -> None:
    """Whether the runtime's own packages are relied on."""
    add(
        "--provided",
        action="store_true",
        help="leave boto3 and the like to the runtime, and resolve the rest against its versions",
    )


def add_index(parser: argparse.ArgumentParser) -> None:
    """Where to look, and how patiently."""
    add = parser.add_argument_group("index").add_argument
    add(
        "-i", "--index-url", metavar="URL", help="the index (default: pip's configuration, or PyPI)"
    )
    add(
        "--extra-index-url",
        dest="extra_index_urls",
        action="append",
        default=[],
        metavar="URL",
        help="another index",
    )
    add(
        "-f",
        "--find-links",
        action="append",
        default=[],
        metavar="PATH",
        help="a directory or page of wheels",
    )
    add("--no-index", action="store_true", help="only --find-links")
    add(
        "--index-strategy",
        choices=("safe", "first"),
        help="a project on two indexes: refuse if they differ (safe, the default),"
        " or take the first index that has it",
    )
    add("--offline", action="store_true", help="use the cache only")
    add("--cache-dir", metavar="DIR", help="where the cache lies")
    add("--no-cache", action="store_true", help="neither read nor keep a cache")
    add(
        "--isolated",
        action="store_true",
        help="ignore what this machine says of indexes: pip's configuration, PIP_* variables,"
        " netrc and keyring (proxies and certificates still count)",
    )
    add(
        "--trusted-host",
        dest="trusted_hosts",
        action="append",
        default=[],
        metavar="HOST",
        help="don't check the certificate of HOST or HOST:PORT",
    )
    add("--cert", metavar="FILE", help="CA certificates to trust, as a PEM file")
    add("--client-cert", metavar="FILE", help="certificate and key of this client, as a PEM file")
    add("--proxy", metavar="URL", help="reach every index through this proxy")
    add(
        "--keyring-provider",
        dest="keyring",
        choices=("disabled", "subprocess"),
        help="whether the keyring program is asked for passwords (default: pip's setting, or"
        " disabled)",
    )
    add("--timeout", type=_seconds, metavar="SECONDS", help="of one silent connection")
    add("--retries", type=_count, metavar="N", help="of one request")


def add_checks(parser: argparse.ArgumentParser) -> None:
    """Which findings count."""
    add = parser.add_argument_group("checks").add_argument
    add(
        "--ignore",
        dest="ignores",
        action="append",
        default=[],
        metavar="RULE[:GLOB]",
        help="silence a rule, everywhere or for matching paths",
    )
    add("--strict", action="store_true", help="warnings fail too")
    add(
        "--handler",
        metavar="NAME",
        help="such as app.handler: check that it is there, and every import of the source",
    )
    add(
        "--with-layer",
        dest="layers",
        action="append",
        default=[],
        metavar="PATH",
        help="a layer of the function: counts towards its size, and has modules; repeatable",
    )


def add_telling(parser: argparse.ArgumentParser) -> None:
    """How much to tell, and in which form."""
    add = parser.add_argument_group("telling").add_argument
    add("--json", action="store_true", help="one JSON document on standard output")
    add("--report", metavar="FILE", help="write the same JSON document to a file")
    add("-q", "--quiet", action="store_true", help="say nothing but errors")
    add("-v", "--verbose", action="count", default=0, help="say more; repeatable")
    add("--no-progress", dest="progress", action="store_false", help="no progress on the terminal")
    add(
        "--color", choices=("auto", "always", "never"), default="auto", help="NO_COLOR is respected"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 up")
    return value


# argparse names the function of a value that can't be read: "invalid number of seconds value".
_seconds.__name__ = "number of seconds"
_count.__name__ = "number"
