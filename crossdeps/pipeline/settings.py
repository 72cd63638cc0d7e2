"""How to go about it, beside what is asked, for which target, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crossdeps.bundle import Layout
from crossdeps.inputs import ConnectionOptions, FileOptions
from crossdeps.resolution import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.verify import Ignore


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How to go about it. Every field has a default that is right for most.

    :param index: which indexes to ask and which files to take, above what requirements files and
        pip's configuration say
    :param project_indexes: project -> URL of the only index that it may come from
    :param connection: how to reach an index, above what pip's configuration says
    :param isolated: ignore what this machine says of indexes: pip's configuration files,
        ``PIP_*`` variables, netrc and keyring; proxies and certificates still count
    :param offline: never connect; what isn't in the cache is an error
    :param cache: directory of the cache; None is the user's own, ``crossdeps`` in the platform's
        cache folder
    :param no_cache: neither read nor keep a cache
    :param policy: what the resolver may choose
    :param layout: shape of the artifact; kind and output are set from the output path
    :param ignore: findings that are silenced
    :param strict: treat warnings as errors
    :param provided: leave what the runtime has to the runtime, and resolve the rest against it
    :param provided_versions: what is known better than by the table of runtimes: project ->
        version, ``unknown`` or ``absent``
    :param layers: directories and zips of the function's layers
    :param handler: the function that the host calls, such as ``app.handler``; None checks no source
    :param force: replace an output that crossdeps didn't make
    :param dry_run: do everything but write
    """

    index: FileOptions = field(default_factory=FileOptions)
    project_indexes: Mapping[str, str] = field(default_factory=dict)
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    isolated: bool = False
    offline: bool = False
    cache: Path | None = None
    no_cache: bool = False
    policy: Policy = field(default_factory=Policy)
    layout: Layout = field(default_factory=Layout)
    ignore: tuple[Ignore, ...] = ()
    strict: bool = False
    provided: bool = False
    provided_versions: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    handler: str | None = None
    force: bool = False
    dry_run: bool = False
