"""From options to the values that the pipeline takes, and the choice of the target."""

from __future__ import annotations

import itertools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.config.options import Options
from crossdeps.errors import InputError, TargetError
from crossdeps.requirements.other_tools import find_other_formats
from crossdeps.requirements.pylock import DEFAULT_LOCK
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.cli.output import Console
    from crossdeps.requirements.model import Requirements
    from crossdeps.target.model import Target

DEFAULT_INPUTS = (DEFAULT_LOCK, "requirements.txt", "pyproject.toml")
"""What is packaged where nothing is specified: the first of these files that is there."""
_IMPLEMENTATIONS = ("cp", "cpython")


def configure(options: Options, console: Console) -> Options:
    """Complete *options* by ``[tool.crossdeps]`` of the nearest pyproject.toml that has it.

    It is searched in the current directory and those above it. Above, a file of another user is not
    used: whoever may write to a shared directory would choose the indexes.

    :raises InputError: if that file is not valid
    """
    try:
        directory = os.getcwd()  # noqa: PTH109 - without pathlib
    except OSError:
        return options
    path = "pyproject.toml"
    while True:
        if os.path.isfile(path) and _mentions_crossdeps(path):  # noqa: PTH113
            from crossdeps.config.configuration import merge_options, read_project_file
            from crossdeps.fs import belongs_to_another

            file = Path(path)
            is_safe = path == "pyproject.toml" or not belongs_to_another(file)
            if is_safe and (found := read_project_file(file)) is not None:
                if file.is_absolute():
                    console.detail(f"using [tool.crossdeps] of {file}")
                return merge_options(options, found)
        parent = os.path.dirname(directory)  # noqa: PTH120
        if parent == directory:
            return options
        directory, path = parent, os.path.join(parent, "pyproject.toml")  # noqa: PTH118


def _mentions_crossdeps(path: str) -> bool:
    """Whether a project file may have the table; what cannot be read is left to the reader."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - without pathlib
            return b"crossdeps" in file.read()
    except OSError:
        return path == "pyproject.toml"


def choose_inputs(options: Options, console: Console) -> Options:
    """Name the input where none is specified: the first of :data:`DEFAULT_INPUTS` that is here.

    A lock is none for ``crossdeps lock``, nor beside constraints; a pyproject.toml is one if it
    describes a project. The user is told which, and which other files are not read.

    :raises InputError: if there is none; its hint names what could be made into one
    """
    if options.requirements or options.requirement_files or options.groups:
        return options
    if options.extras:
        return Options(options.verb, **options.specified, requirement_files=("pyproject.toml",))
    alone = options.verb != "lock" and not (options.constraint_files or options.override_files)
    names = DEFAULT_INPUTS if alone else DEFAULT_INPUTS[1:]
    found = [name for name in names if os.path.isfile(name) and _is_input(name)]  # noqa: PTH113
    if not found:
        raise _no_input_error(names)
    others = f", not {join_words(found[1:])}" if found[1:] else ""
    console.say(f"using {found[0]}{others}")
    if found[0] != DEFAULT_LOCK:
        for error in find_other_formats(os.path.isfile):
            if error.message.partition(" ")[0].endswith(".lock"):
                console.note(f"{error.message}; {error.hint}")
    return Options(options.verb, **options.specified, requirement_files=(found[0],))


def _is_input(name: str) -> bool:
    if name != "pyproject.toml":
        return True
    try:
        with open(name, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a short read
            return re.search(r"^\s*\[\s*project\s*\]", file.read(), re.MULTILINE) is not None
    except OSError:  # reading it as an input tells the reason
        return True


def _no_input_error(names: Sequence[str]) -> InputError:
    others = find_other_formats(os.path.isfile)
    hint = "name requirements, or a file of them: -r FILE"
    if others:
        hint = f"{others[0].message}; {others[0].hint}"
    return InputError(
        f"there is no {join_words(names, 'or')} here, and no requirement was given", hint=hint
    )


def build_requirements(options: Options) -> Requirements:
    """What to package."""
    from crossdeps.pipeline.request import pick_options
    from crossdeps.requirements.model import Requirements

    return pick_options(Requirements, options)


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
        _warn_of_deprecated(targets, console)
    return tuple(dict.fromkeys(targets))


def _warn_of_deprecated(targets: Sequence[Target], console: Console) -> None:
    """Warn of runtimes whose support has ended; what is written does not depend on the clock."""
    import datetime

    today = datetime.datetime.now(datetime.timezone.utc).date()
    runtimes = {facts.name: facts for each in targets if (facts := each.runtime_facts)}
    for runtime in runtimes.values():
        if runtime.deprecated and runtime.deprecated <= today:
            console.warn(runtime.describe_end())


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
