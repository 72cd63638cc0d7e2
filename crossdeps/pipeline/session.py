"""What a run works with: the merged index options, the index, the store and the builder.

Whatever a run may not need is loaded and opened by its first use: a build of a lock whose wheels
are all in the store loads no resolver and opens no connection.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crossdeps.config.configuration import ConfiguredOptions, read_configured_options
from crossdeps.config.index_options import gather_index_options, merge_selection_options
from crossdeps.config.pip_config import process_environment, read_pip_configuration
from crossdeps.pipeline.request import Lock
from crossdeps.requirements.model import Inputs
from crossdeps.wheels.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.config.index_options import IndexOptions
    from crossdeps.index.client import IndexClient
    from crossdeps.pipeline.request import Request, Settings
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import Requirements
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.wheels.model import Wheel
    from crossdeps.wheels.sdists import SourceBuilder

CACHE_NAME = "crossdeps"


def cache_directory(path: Path | None) -> Path:
    """The cache: *path*, or ``crossdeps`` in the cache folder that the platform gives a user."""
    if path is not None:
        return path.absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - needed without --cache-dir only

    return user_cache_path(CACHE_NAME, appauthor=False)


class Session:
    """Everything that a run needs beside its request.

    :param inputs: what the request names, with the selection options of every source merged
    :param options: the index options of every source merged
    :param environ: environment variables of this process
    :param stack: closes what the session opens
    """

    def __init__(
        self,
        inputs: Inputs,
        settings: Settings,
        options: IndexOptions,
        progress: Progress,
        environ: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        self.inputs = inputs
        self.settings = settings
        self.options = options
        self.progress = progress
        self._environ = environ
        self._stack = stack
        self._cache = None if settings.no_cache else cache_directory(settings.cache)
        self.store = Store.temporary() if self._cache is None else Store(self._cache)
        stack.callback(self.store.close)

    @cached_property
    def index(self) -> IndexClient:
        """Every index and find-links location as one; nothing is requested when it is opened."""
        from crossdeps.config.credentials import Credentials  # noqa: PLC0415 - see the module
        from crossdeps.index.client import open_index  # noqa: PLC0415 - see the module

        settings, options = self.settings, self.options
        direct = [item.source.location for item in self.inputs.requirements if item.source]
        projects = settings.project_indexes
        named = [*options.index_urls, *projects.values(), *options.find_links, *direct]
        credentials = Credentials(
            named, self._environ, keyring=options.keyring, isolated=settings.isolated
        )
        return self._stack.enter_context(
            open_index(
                options,
                cache=self._cache,
                offline=settings.offline,
                credentials=credentials.find,
                project_indexes=projects,
                progress=self.progress,
            )
        )

    @cached_property
    def builder(self) -> SourceBuilder:
        """Builds source distributions, directories and repositories with pip."""
        from crossdeps.wheels.sdists import SourceBuilder  # noqa: PLC0415 - see the module

        offline = self.settings.offline
        return SourceBuilder(
            self.store,
            self.index,
            environ=self._environ,
            pip_settings=_pip_settings(self.options, offline=offline),
            offline=offline,
            progress=self.progress,
        )

    def resolve(
        self,
        runtime_packages: RuntimePackages,
        preferences: Mapping[NormalizedName, Version] | None = None,
    ) -> Resolution:
        """Choose a version of every project that is required on the target.

        :param runtime_packages: what the target's runtime provides
        :param preferences: versions to keep where they still fit
        :raises ResolutionError: if there is no solution
        """
        from crossdeps.errors import ResolutionError  # noqa: PLC0415 - see the module
        from crossdeps.resolution.resolver import resolve  # noqa: PLC0415 - see the module

        try:
            return resolve(
                runtime_packages.limit(self.inputs),
                runtime_packages.target,
                self.index,
                self.settings.policy,
                builder=self.builder,
                progress=self.progress,
                preferences=preferences,
            )
        except ResolutionError as error:
            raise runtime_packages.explain(error) from error.__cause__

    def fetch(self, selected: Sequence[SelectedPackage]) -> tuple[Wheel, ...]:
        """Verified local wheels of the selected packages, in their order."""
        from crossdeps.wheels.download import fetch_wheels  # noqa: PLC0415 - see the module

        return fetch_wheels(
            selected, self.store, lambda: self.index, lambda: self.builder, progress=self.progress
        )

    def check_metadata(self, resolution: Resolution, wheels: Sequence[Wheel]) -> None:
        """Compare the METADATA of each wheel with what the index told the resolver (PEP 658).

        :raises WheelError: if a wheel has other dependencies than the index said
        """
        from crossdeps.wheels.dist_info import check_metadata_agrees  # noqa: PLC0415 - see the module

        for wheel in wheels:
            choice = resolution.choices.get(wheel.name)
            candidate = choice.candidate if choice else None
            if candidate and candidate.file.filename == wheel.filename:
                check_metadata_agrees(wheel, self.index.metadata(candidate.file))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of inputs, options, index and store, each once."""
        opened = self.__dict__.get("index")
        warnings = (
            *self.inputs.warnings,
            *self.options.warnings,
            *(opened.warnings if opened else ()),
            *self.store.warnings,
        )
        return tuple(dict.fromkeys(warnings))


@contextmanager
def open_session(request: Request, settings: Settings, progress: Progress) -> Iterator[Session]:
    """Read what *request* names, and open what a run works with.

    :raises InputError: if a file or pip's configuration is invalid
    """
    environ = process_environment()
    configured = ConfiguredOptions()
    if not settings.isolated:
        configured = read_configured_options(read_pip_configuration(environ), Path.cwd())
    if isinstance(request, Lock):
        inputs = Inputs(files=(str(request.path),))
    else:
        inputs = _gather(request, configured, environ)
    options = gather_index_options(
        environ,
        command_line=settings.index,
        connection=settings.connection,
        files=inputs.options,
        configured=configured,
        isolated=settings.isolated,
    )
    selection = merge_selection_options(
        command_line=settings.index, files=inputs.options, configured=configured.options
    )
    inputs = replace(inputs, options=selection)
    with ExitStack() as stack:
        yield Session(inputs, settings, options, progress, environ, stack)


def _gather(
    requirements: Requirements, configured: ConfiguredOptions, environ: Mapping[str, str]
) -> Inputs:
    """Everything that *requirements* name, with the constraints of pip's configuration."""
    from crossdeps.requirements.gather import gather_inputs  # noqa: PLC0415 - see the module

    constraints = (*requirements.constraint_files, *configured.options.constraint_files)
    return gather_inputs(
        replace(requirements, constraint_files=constraints),
        environ=environ,
        cwd=Path.cwd(),
        stdin=sys.stdin.buffer.read,
    )


def _pip_settings(options: IndexOptions, *, offline: bool) -> dict[str, str]:
    """The indexes of this run as pip's own variables, for the requirements of builds."""
    settings = {
        "PIP_INDEX_URL": options.index_url,
        "PIP_EXTRA_INDEX_URL": " ".join(options.extra_index_urls),
        "PIP_FIND_LINKS": " ".join(
            location for location in options.find_links if not (offline and "://" in location)
        ),
        "PIP_TRUSTED_HOST": " ".join(options.trusted_hosts),
        "PIP_CERT": options.cert or "",
        "PIP_CLIENT_CERT": options.client_cert or "",
        "PIP_NO_INDEX": "1" if options.no_index or offline else "",
        "PIP_PROXY": options.proxies.get("https", ""),
    }
    return {name: value for name, value in settings.items() if value}
