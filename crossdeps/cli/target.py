"""Which target: the command line, the project's configuration, .python-version, this Python."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import TargetError
from crossdeps.inputs import read_python_version
from crossdeps.target import Target, platform_architecture

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options, TargetOptions

_IMPLEMENTATIONS = ("cp", "cpython")


def choose_target(options: Options, console: Console) -> Target:
    """The one target of a command.

    :raises TargetError: if none or several were named
    """
    targets = choose_targets(options, console)
    if len(targets) > 1:
        raise TargetError(
            f"{options.verb} makes one thing for one target; {len(targets)} were named",
            context=tuple(target.describe() for target in targets),
            hint="give one --arch and one --runtime; lock takes several",
        )
    return targets[0]


def choose_targets(options: Options, console: Console) -> tuple[Target, ...]:
    """Every target named: each runtime on each architecture.

    :raises TargetError: if the architecture isn't said anywhere, or anything is unknown
    """
    said = options.target
    if said.implementation and said.implementation.lower() not in _IMPLEMENTATIONS:
        raise TargetError(
            f"unknown implementation {said.implementation!r}",
            hint="crossdeps packages for CPython, cp",
        )
    archs = said.archs or _architectures_of(said.platforms)
    if not archs:
        raise TargetError(
            "no architecture was named",
            hint="--arch x86_64 (Intel and AMD) or --arch arm64 (Graviton); or `arch` under"
            " [tool.crossdeps] in pyproject.toml",
        )
    if said.runtimes:
        _check_runtime_alone(said)
        pairs = itertools.product(said.runtimes, archs)
        targets = [Target.runtime(name, arch=arch, python=said.python) for name, arch in pairs]
    else:
        python = said.python or _python_of_directory(console)
        targets = [
            Target(python=python, arch=arch, abi=said.abi or "", platforms=said.platforms)
            for arch in archs
        ]
    return tuple(dict.fromkeys(targets))


def _architectures_of(platforms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(platform_architecture(platform) for platform in platforms))


def _check_runtime_alone(said: TargetOptions) -> None:
    if said.platforms or said.abi:
        raise TargetError(
            "--runtime says the platform and the ABI itself",
            hint="leave out --platform and --abi, or describe the machine with --python,"
            " --arch and --platform instead of --runtime",
        )


def _python_of_directory(console: Console) -> str:
    """What .python-version says, else the running Python's minor version.

    It is the one question that the host is asked, and the user is told of it.
    """
    file = Path(".python-version")
    if file.is_file() and (version := read_python_version(file)):
        return version
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    console.say(
        f"Python {running} is assumed, because crossdeps runs on it: say --python or --runtime"
    )
    return running
