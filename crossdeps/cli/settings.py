"""From options to the values that the pipeline takes, and the choice of the target."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import InputError, TargetError

if TYPE_CHECKING:
    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.requirements.model import Requirements
    from crossdeps.target.model import Target

DEFAULT_REQUIREMENTS = "requirements.txt"
_IMPLEMENTATIONS = ("cp", "cpython")


def build_requirements(options: Options) -> Requirements:
    """What to package; requirements.txt where nothing is specified.

    :raises InputError: if nothing is specified, and there is no such file
    """
    from crossdeps.pipeline.request import pick_options
    from crossdeps.requirements.model import Requirements

    files = options.requirement_files
    if not (options.requirements or files or options.groups):
        files = ("pyproject.toml" if options.extras else DEFAULT_REQUIREMENTS,)
        if not options.extras and not Path(DEFAULT_REQUIREMENTS).exists():
            raise InputError(
                f"there is no {DEFAULT_REQUIREMENTS} here, and no requirement was given",
                hint="name requirements, or a file of them: -r FILE",
            )
    return pick_options(Requirements, options, requirement_files=files)


def choose_target(options: Options, console: Console) -> Target:
    """The one target of a command.

    :raises TargetError: if none or several were named
    """
    targets = choose_targets(options, console)
    if len(targets) > 1:
        raise TargetError(
            f"{options.verb} accepts one target; {len(targets)} were given",
            context=tuple(target.describe() for target in targets),
            hint="give one --arch and one --runtime; lock accepts several",
        )
    return targets[0]


def choose_targets(options: Options, console: Console) -> tuple[Target, ...]:
    """Every target named: each runtime on each architecture.

    :raises TargetError: if no architecture is specified anywhere, or anything is unknown
    """
    from crossdeps.target.model import Target
    from crossdeps.target.platforms import platform_architecture

    if options.implementation and options.implementation.lower() not in _IMPLEMENTATIONS:
        raise TargetError(
            f"unknown implementation {options.implementation!r}",
            hint="crossdeps packages for CPython, cp",
        )
    archs = options.archs or tuple(map(platform_architecture, options.platforms))
    if (target := _find_locked_target(options)) is not None:
        console.say(f"assuming {target.describe()}, which the lock was made for")
        return (target,)
    if not archs:
        raise TargetError(
            "no architecture was specified",
            hint="--arch x86_64 (Intel and AMD) or --arch arm64 (Graviton); or `arch` under"
            " [tool.crossdeps] in pyproject.toml",
        )
    if not options.runtimes:
        python = options.python or _find_python(console)
        abi, platforms = options.abi or "", options.platforms
        targets = [
            Target(python=python, arch=arch, abi=abi, platforms=platforms)
            for arch in dict.fromkeys(archs)
        ]
    elif options.platforms or options.abi:
        raise TargetError(
            "--runtime already determines the platform and the ABI",
            hint="leave out --platform and --abi, or describe the machine with --python,"
            " --arch and --platform instead of --runtime",
        )
    else:
        pairs = itertools.product(options.runtimes, archs)
        targets = [Target.runtime(name, arch=arch, python=options.python) for name, arch in pairs]
    return tuple(dict.fromkeys(targets))


def _find_locked_target(options: Options) -> Target | None:
    """The only target of the lock that is named, where the options do not describe it in full.

    :raises TargetError: if the lock has several that the options may mean, and none says which
        architecture
    """
    if options.platforms or (options.archs and (options.runtimes or options.python)):
        return None
    from crossdeps.requirements.pylock import is_pylock, read_pylock

    named = map(Path, (*options.requirements, *options.requirement_files))
    path = next(filter(is_pylock, named), None)
    if path is None or not path.is_file():
        return None
    from crossdeps.resolution.lock.recorded import read_recorded_targets
    from crossdeps.target.model import canonical_architecture

    archs = tuple(map(canonical_architecture, options.archs))
    targets = [
        target
        for target in read_recorded_targets(read_pylock(path))
        if target.runtime_name in (options.runtimes or (target.runtime_name,))
        and f"{target.python}.".startswith(f"{options.python or target.python}.")
        and target.abi == (options.abi or target.abi)
        and target.arch in (archs or (target.arch,))
    ]
    if len(targets) > 1 and archs:
        return None
    if len(targets) > 1:
        raise TargetError(
            f"{path} is for {len(targets)} targets",
            context=tuple(target.describe() for target in targets),
            hint="choose one of them with --arch, and --runtime or --python",
        )
    return targets[0] if targets else None


def _find_python(console: Console) -> str:
    """The version in .python-version, else the running Python's minor version.

    It is the one question that the host is asked, and the user is told of it.
    """
    file = Path(".python-version")
    if file.is_file() and (version := read_python_version(file)):
        return version
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    console.say(
        f"assuming Python {running}, which runs crossdeps; specify --python or --runtime to choose"
    )
    return running


def read_python_version(path: Path) -> str | None:
    """Return the first version that a ``.python-version`` names, such as ``3.12`` or ``3.12.4``.

    None where it names nothing. ``python-3.12`` and ``cpython-3.12`` mean the same.

    :raises InputError: if the file cannot be read, or its first entry is another implementation or
        the name of an environment
    """
    from crossdeps.requirements.files import decode, read_bytes
    from crossdeps.text import escape

    for number, line in enumerate(decode(read_bytes(path, str(path))).splitlines(), start=1):
        version = line.partition("#")[0].strip()
        if not version:
            continue
        if found := re.fullmatch(r"(?:(?:c?python)-?)?(3\.\d{1,2}(?:\.\d{1,2})?)", version):
            return found[1]
        raise InputError(
            f"{escape(version)} is not a version of CPython",
            context=(f"{path}:{number}",),
            hint="specify the Python of the package with --python, such as --python 3.12",
        )
    return None
