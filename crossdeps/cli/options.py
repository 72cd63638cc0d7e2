"""What the command line said, as values; the argparse namespace doesn't leave the parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetOptions:
    """Which machine, or machines where a verb takes several."""

    archs: tuple[str, ...] = ()
    python: str | None = None
    runtimes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    abi: str | None = None
    implementation: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AskOptions:
    """What is asked."""

    requirements: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    constraint_files: tuple[str, ...] = ()
    override_files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    no_deps: bool = False
    require_hashes: bool = False
    pre: bool = False
    exclude_newer: str | None = None
    allow_sdist: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexArguments:
    """Where to look, and how patiently."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    index_strategy: Literal["safe", "first"] | None = None
    offline: bool = False
    cache_dir: str | None = None
    no_cache: bool = False
    isolated: bool = False
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)  # it may hold a password
    keyring: Literal["disabled", "subprocess"] | None = None
    timeout: float | None = None
    retries: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputOptions:
    """Where it goes, and what it looks like."""

    output: str | None = None
    layer: bool = False
    versioned_layer: bool = False
    sources: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    excluded_projects: tuple[str, ...] = ()
    slim: bool = False
    provided: bool = False
    scripts: bool | None = None
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TellOptions:
    """How much to tell, and in which form."""

    json: bool = False
    report: str | None = None
    quiet: bool = False
    verbose: int = 0
    progress: bool = True
    color: Literal["auto", "always", "never"] = "auto"


@dataclass(frozen=True, kw_only=True, slots=True)
class FormOptions:
    """What diff and report show, and in which form.

    :param other: the second of two paths that are compared
    :param form: text, json, sbom, html or licences
    :param exit_code: whether the exit code tells that two things differ
    :param lock: the lock that the artifact was made from, for the hashes of its wheels
    """

    other: str = ""
    markdown: bool = False
    exit_code: bool = False
    form: str = "text"
    lock: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LockOptions:
    """What of the lock that is there stays.

    :param upgrades: projects to choose anew
    :param upgrade_all: choose every version anew
    :param check: write nothing, and tell by the exit code whether the lock is up to date
    """

    upgrades: tuple[str, ...] = ()
    upgrade_all: bool = False
    check: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """One command line.

    :param verb: which verb
    :param subject: the path or name that check, why, diff, report and cache are about
    """

    verb: str
    subject: str = ""
    strict: bool = False
    ignores: tuple[str, ...] = ()
    handler: str | None = None
    layers: tuple[str, ...] = ()
    target: TargetOptions
    ask: AskOptions
    index: IndexArguments
    output: OutputOptions
    tell: TellOptions
    form: FormOptions = field(default_factory=FormOptions)
    lock: LockOptions = field(default_factory=LockOptions)
