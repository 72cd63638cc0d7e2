"""Options to the values that the pipeline works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle import Layout, layer_prefix
from crossdeps.cli.moments import parse_moment
from crossdeps.errors import InputError
from crossdeps.inputs import ConnectionOptions, FileOptions, InputRequest
from crossdeps.pipeline import Settings
from crossdeps.resolution import Policy
from crossdeps.verify import RULES, Ignore

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from crossdeps.cli.options import AskOptions, IndexArguments, Options, OutputOptions
    from crossdeps.inputs import PreReleases, ProjectConfiguration
    from crossdeps.target import Target

DEFAULT_REQUIREMENTS = "requirements.txt"


def request_of(ask: AskOptions) -> InputRequest:
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
    return InputRequest(
        requirements=ask.requirements,
        requirement_files=files,
        constraint_files=ask.constraint_files,
        override_files=ask.override_files,
        extras=ask.extras,
        groups=ask.groups,
    )


def settings_of(
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
        exclude_newer=parse_moment(ask.exclude_newer) if ask.exclude_newer else None,
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
