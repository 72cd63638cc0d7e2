"""Reading moments: a date, a time, or how long ago."""

from __future__ import annotations

import datetime
import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle.model import Layout, layer_prefix
from crossdeps.config.pip_options import ConnectionOptions
from crossdeps.config.project_file import read_python_version
from crossdeps.errors import InputError, TargetError, UsageError
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions, Requirements
from crossdeps.resolution.model import Policy
from crossdeps.target.model import Target
from crossdeps.target.platforms import platform_architecture
from crossdeps.verify.model import Ignore
from crossdeps.verify.registry import RULES

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from crossdeps.cli.options import (
        AskOptions,
        IndexArguments,
        Options,
        OutputOptions,
        TargetOptions,
    )
    from crossdeps.cli.output import Console
    from crossdeps.config.project_file import ProjectConfiguration
    from crossdeps.requirements.model import PreReleases

_DURATION = re.compile(
    r"(?P<count>\d{1,5})\s*(?P<unit>minute|hour|day|week)s?(?:\s+ago)?", re.IGNORECASE
)
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?)?"
)


def parse_timestamp(text: str, *, now: datetime.datetime | None = None) -> datetime.datetime:
    """Read ``2026-11-01``, ``2026-11-01T12:00:00Z``, ``7 days`` or ``P7D``.

    A date means its first moment, and everything is UTC where no zone is given.

    >>> parse_moment("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    :param now: what durations count back from; the clock's by default
    :returns: an aware datetime
    :raises UsageError: if it is none of these
    """
    said = text.strip()
    ago = _duration(said)
    if ago is not None:
        return (now or datetime.datetime.now(datetime.timezone.utc)) - ago
    try:
        # Python 3.10's parser doesn't know the Z of RFC 3339.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", said))
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a date nor a duration",
            hint="such as 2026-11-01, 2026-11-01T12:00:00Z, '7 days' or P7D",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _duration(text: str) -> datetime.timedelta | None:
    if match := _DURATION.fullmatch(text):
        return datetime.timedelta(**{match["unit"].lower() + "s": int(match["count"])})
    match = _ISO_DURATION.fullmatch(text)
    if match and any(match.groups()):
        return datetime.timedelta(**{unit: int(n) for unit, n in match.groupdict("0").items()})
    return None


DEFAULT_REQUIREMENTS = "requirements.txt"


def build_request(ask: AskOptions) -> Requirements:
    """What is asked; requirements.txt where nothing is said.

    :raises InputError: if nothing is said, and there is none
    """
    named = ask.requirements or ask.requirement_files or ask.groups
    files = ask.requirement_files
    if ask.extras and not named:
        files = ("pyproject.toml",)
    elif not named:
        files = (DEFAULT_REQUIREMENTS,)
        if not Path(DEFAULT_REQUIREMENTS).exists():
            raise InputError(
                f"there is no {DEFAULT_REQUIREMENTS} here, and nothing else was asked for",
                hint="name requirements, or a file of them: -r FILE",
            )
    return Requirements(
        requirements=ask.requirements,
        requirement_files=files,
        constraint_files=ask.constraint_files,
        override_files=ask.override_files,
        extras=ask.extras,
        groups=ask.groups,
    )


def build_settings(
    options: Options, project: ProjectConfiguration, target: Target | None = None
) -> Settings:
    """How to go about it.

    :param target: needed for a layer's folder; None where nothing is laid out
    :raises UsageError: if a value can't be understood
    """
    return Settings(
        index=_index(options),
        project_indexes=project.project_index,
        connection=_connection(options.index),
        isolated=options.index.isolated,
        offline=options.index.offline,
        cache=Path(options.index.cache_dir) if options.index.cache_dir else None,
        no_cache=options.index.no_cache,
        policy=_policy(options, project),
        layout=_layout(options.output, target) if target else Layout(),
        ignore=ignores(options),
        strict=options.strict,
        provided=options.output.provided,
        provided_versions=project.provided_versions,
        layers=tuple(Path(layer) for layer in options.layers),
        handler=options.handler,
        force=options.output.force,
        dry_run=options.output.dry_run,
    )


def ignores(options: Options) -> tuple[Ignore, ...]:
    """The findings to silence.

    :raises UsageError: if a rule doesn't exist
    """
    return tuple(Ignore.parse(text, RULES) for text in options.ignores)


def _index(options: Options) -> FileOptions:
    said = options.index
    return FileOptions(
        index_url=said.index_url,
        extra_index_urls=said.extra_index_urls,
        find_links=said.find_links,
        no_index=said.no_index,
        trusted_hosts=said.trusted_hosts,
        pre=options.ask.pre,
        require_hashes=options.ask.require_hashes,
    )


def _connection(said: IndexArguments) -> ConnectionOptions:
    return ConnectionOptions(
        cert=said.cert,
        client_cert=said.client_cert,
        proxy=said.proxy,
        timeout=said.timeout,
        retries=said.retries,
        keyring=said.keyring,
    )


def _policy(options: Options, project: ProjectConfiguration) -> Policy:
    ask = options.ask
    return Policy(
        pre_releases="allow" if ask.pre else "if-necessary",
        pre_releases_of=_pre_releases_of(project),
        exclude_newer=parse_timestamp(ask.exclude_newer) if ask.exclude_newer else None,
        allow_sdist=frozenset(canonicalize_name(name) for name in ask.allow_sdist),
        index_strategy=options.index.index_strategy or "safe",
        no_deps=ask.no_deps,
        require_hashes=ask.require_hashes,
    )


def _pre_releases_of(project: ProjectConfiguration) -> dict[NormalizedName, PreReleases]:
    return {canonicalize_name(name): choice for name, choice in project.pre_releases.items()}


def _layout(said: OutputOptions, target: Target) -> Layout:
    return Layout(
        prefix=_prefix(said, target),
        scripts=said.scripts,
        sources=tuple(Path(source) for source in said.sources),
        exclude=said.excludes,
        include=said.includes,
        slim=said.slim,
        excluded_projects=tuple(canonicalize_name(name) for name in said.excluded_projects),
    )


def _prefix(said: OutputOptions, target: Target) -> str:
    if not (said.layer or said.versioned_layer):
        return ""
    return layer_prefix(target, versioned=said.versioned_layer)


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
