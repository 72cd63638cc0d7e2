"""What ``[tool.crossdeps]`` says, where the command line is silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.config.project_file import ProjectConfiguration, read_configuration
from crossdeps.errors import InputError

if TYPE_CHECKING:
    from crossdeps.cli.options import (
        AskOptions,
        IndexArguments,
        Options,
        OutputOptions,
        TargetOptions,
    )


def project_configuration() -> ProjectConfiguration:
    """The configuration of the project in the current directory.

    :raises InputError: if there is one and it is wrong
    """
    file = Path("pyproject.toml")
    return read_configuration(file) if file.is_file() else ProjectConfiguration()


def complete(options: Options, project: ProjectConfiguration) -> Options:
    """*options* with what *project* says wherever the command line didn't.

    :raises InputError: if a value of the project can't be understood
    """
    return replace(
        options,
        target=_target(options.target, project),
        ask=_ask(options.ask, project),
        index=_index(options.index, project),
        output=_output(options.output, project, options.verb),
        ignores=options.ignores or project.ignore,
        # What is checked may be anything; what is built is the project's own function.
        handler=options.handler or (project.handler if options.verb == "build" else None),
        layers=options.layers or (project.with_layer if options.verb == "build" else ()),
    )


def _target(said: TargetOptions, project: ProjectConfiguration) -> TargetOptions:
    silent = not (said.python or said.runtimes)
    plain = silent and not (said.platforms or said.abi)
    # A runtime names a platform: one that the command line described another way is let go.
    runtimes = project.runtime if plain else said.runtimes
    described = not runtimes
    return replace(
        said,
        archs=said.archs or (() if said.platforms else project.arch),
        python=project.python if silent else said.python,
        runtimes=runtimes,
        platforms=said.platforms or (project.platform if described else ()),
        abi=said.abi or (project.abi if described else None),
        implementation=said.implementation or project.implementation,
    )


def _ask(said: AskOptions, project: ProjectConfiguration) -> AskOptions:
    asked = said.requirements or said.requirement_files or said.groups or said.extras
    return replace(
        said,
        requirement_files=said.requirement_files if asked else project.requirements,
        constraint_files=said.constraint_files or project.constraints,
        override_files=said.override_files or project.overrides,
        groups=said.groups if asked else project.groups,
        extras=said.extras if asked else project.extras,
        no_deps=said.no_deps or bool(project.no_deps),
        require_hashes=said.require_hashes or bool(project.require_hashes),
        pre=said.pre or bool(project.pre),
        exclude_newer=said.exclude_newer or project.exclude_newer,
        allow_sdist=said.allow_sdist or project.allow_sdist,
    )


def _index(said: IndexArguments, project: ProjectConfiguration) -> IndexArguments:
    strategy = said.index_strategy or project.index_strategy
    if strategy not in {None, "safe", "first"}:
        raise InputError(f"unknown index strategy {strategy!r}", hint="safe or first")
    return replace(
        said,
        index_url=said.index_url or project.index_url,
        extra_index_urls=said.extra_index_urls or project.extra_index_url,
        find_links=said.find_links or project.find_links,
        no_index=said.no_index or bool(project.no_index),
        index_strategy="first" if strategy == "first" else "safe",
    )


def _output(said: OutputOptions, project: ProjectConfiguration, verb: str) -> OutputOptions:
    if verb in {"lock", "why"}:
        # What a project says of its output is meant for builds: a lock has another name.
        return replace(said, provided=said.provided or bool(project.provided))
    if verb != "build":
        return said
    return replace(
        said,
        output=said.output or project.output,
        layer=said.layer or bool(project.layer),
        versioned_layer=said.versioned_layer or (bool(project.versioned_layer) and not said.layer),
        sources=said.sources or project.source,
        includes=said.includes or project.include,
        excludes=said.excludes or project.exclude,
        excluded_projects=said.excluded_projects or project.exclude_project,
        slim=said.slim or bool(project.slim),
        provided=said.provided or bool(project.provided),
        scripts=project.scripts if said.scripts is None else said.scripts,
    )
