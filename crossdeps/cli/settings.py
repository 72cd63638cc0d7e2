"""From options to the values that the pipeline takes, and the choice of the target."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from crossdeps.config.options import OPTIONS
from crossdeps.errors import InputError, TargetError, UsageError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Layout
    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.pipeline.request import Settings
    from crossdeps.requirements.model import PreReleases, Requirements
    from crossdeps.resolution.model import Policy
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Ignore

_T = TypeVar("_T")

DEFAULT_REQUIREMENTS = "requirements.txt"
_IMPLEMENTATIONS = ("cp", "cpython")


def build_requirements(options: Options) -> Requirements:
    """What to package; requirements.txt where nothing is specified.

    :raises InputError: if nothing is specified, and there is no such file
    """
    from crossdeps.requirements.model import Requirements

    files = options.requirement_files
    if not (options.requirements or files or options.groups):
        files = ("pyproject.toml" if options.extras else DEFAULT_REQUIREMENTS,)
        if not options.extras and not Path(DEFAULT_REQUIREMENTS).exists():
            raise InputError(
                f"there is no {DEFAULT_REQUIREMENTS} here, and no requirement was given",
                hint="name requirements, or a file of them: -r FILE",
            )
    return _pick(Requirements, options, requirement_files=files)


def build_settings(options: Options, target: Target | None = None) -> Settings:
    """The settings of the library.

    :param target: needed for the directory of a layer; None where nothing is laid out
    :raises UsageError: if a value is not valid
    """
    from crossdeps.bundle.model import Layout
    from crossdeps.config.index_options import ConnectionOptions
    from crossdeps.pipeline.request import Settings
    from crossdeps.requirements.model import FileOptions

    return _pick(
        Settings,
        options,
        index=_pick(FileOptions, options),
        connection=_pick(ConnectionOptions, options),
        cache=Path(options.cache_dir) if options.cache_dir else None,
        policy=_policy(options),
        layout=_layout(options, target) if target else Layout(),
        ignore=_ignores(options.ignores) if options.ignores else (),
        layers=tuple(map(Path, options.layers)),
    )


def _pick(kind: Callable[..., _T], options: Options, **others: object) -> _T:
    """A value of *kind*: *others*, and its fields that have the name of an option."""
    names = kind.__annotations__.keys() & OPTIONS.keys() - others.keys()
    return kind(**{name: getattr(options, name) for name in names}, **others)


def _ignores(texts: tuple[str, ...]) -> tuple[Ignore, ...]:
    from crossdeps.verify.model import Ignore
    from crossdeps.verify.registry import RULES

    return tuple(Ignore.parse(text, RULES) for text in texts)


def _policy(options: Options) -> Policy:
    from crossdeps.resolution.model import Policy

    when = options.exclude_newer
    return Policy(
        pre_releases="allow" if options.pre else "if-necessary",
        pre_releases_of=cast("Mapping[NormalizedName, PreReleases]", options.pre_releases),
        exclude_newer=parse_timestamp(when) if when else None,
        allow_sdist=frozenset(_normalize(options.allow_sdist)),
        index_strategy="first" if options.index_strategy == "first" else "safe",
        no_deps=options.no_deps,
        require_hashes=options.require_hashes,
    )


def _layout(options: Options, target: Target) -> Layout:
    from crossdeps.bundle.model import Layout, layer_prefix

    layered = options.layer or options.versioned_layer
    return Layout(
        prefix=layer_prefix(target, versioned=options.versioned_layer) if layered else "",
        scripts=options.scripts,
        sources=tuple(map(Path, options.sources)),
        exclude=options.excludes,
        include=options.includes,
        slim=options.slim,
        excluded_projects=_normalize(options.excluded_projects),
    )


def _normalize(names: tuple[str, ...]) -> tuple[NormalizedName, ...]:
    if not names:
        return ()
    from packaging.utils import canonicalize_name

    return tuple(map(canonicalize_name, names))


def parse_timestamp(text: str, *, now: datetime.datetime | None = None) -> datetime.datetime:
    """Read ``2026-11-01``, ``2026-11-01T12:00:00Z``, ``7 days`` or ``P7D``.

    A date means its first moment, and everything is UTC where no zone is given.

    >>> parse_timestamp("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    :param now: what durations count back from; the clock's by default
    :returns: an aware datetime
    :raises UsageError: if it is none of these
    """
    import datetime

    stripped = text.strip()
    if ago := _parse_duration(stripped):
        return (now or datetime.datetime.now(datetime.timezone.utc)) - datetime.timedelta(**ago)
    try:
        # Python 3.10's parser rejects the Z of RFC 3339.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", stripped))
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a date nor a duration",
            hint="such as 2026-11-01, 2026-11-01T12:00:00Z, '7 days' or P7D",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _parse_duration(text: str) -> dict[str, int] | None:
    """The units of a duration, as arguments of timedelta; None if it is none."""
    match = re.fullmatch(
        r"(?P<count>\d{1,5})\s*(?P<unit>minute|hour|day|week)s?(?:\s+ago)?", text, re.IGNORECASE
    )
    if match:
        return {match["unit"].lower() + "s": int(match["count"])}
    match = re.fullmatch(
        r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
        r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?)?",
        text,
    )
    if match and any(match.groups()):
        return {unit: int(number) for unit, number in match.groupdict("0").items()}
    return None


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
