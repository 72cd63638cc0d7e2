"""What a run works with: the merged index options, the index, the store and the builder.

Whatever a run may not need is loaded and opened by its first use: a build of a lock whose wheels
are all in the store loads no resolver and opens no connection.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crossdeps.config.configuration import ConfiguredOptions, read_configured_options
from crossdeps.config.index_options import (
    gather_index_options,
    merge_selection_options,
    pip_variables,
)
from crossdeps.config.pip_config import process_environment, read_pip_configuration
from crossdeps.errors import UsageError
from crossdeps.fs import current_directory
from crossdeps.pipeline.process import RecordingEnvironment, find_cache, read_standard_input
from crossdeps.pipeline.request import Lock
from crossdeps.requirements.model import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crossdeps.config.index_options import IndexOptions
    from crossdeps.index.client import IndexClient
    from crossdeps.index.page_states import PageState
    from crossdeps.pipeline.request import Request, Settings
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import Requirements
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.wheels.download_queue import DownloadQueue
    from crossdeps.wheels.model import Wheel
    from crossdeps.wheels.sdists import SourceBuilder
    from crossdeps.wheels.store import Store


class Session:
    """Everything that a run needs beside its request.

    :param configured: the options in pip's configuration
    :param environ: environment variables of this process
    :param stack: closes what the session opens
    :ivar downloads: of the pins of a search, once they were begun
    :ivar recalled_pages: pages that results of earlier runs were made from, which this run uses
    :ivar other_warnings: those of the index in these runs, and those about the lock that is built
    """

    def __init__(
        self,
        request: Request,
        settings: Settings,
        configured: ConfiguredOptions,
        progress: Progress,
        environ: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        self.request = request
        self.settings = settings
        self.configured = configured
        self.progress = progress
        self.environment: RecordingEnvironment = RecordingEnvironment(environ)
        self._stack = stack
        self.downloads: DownloadQueue | None = None
        self.recalled_pages: list[PageState] = []
        self.other_warnings: list[str] = []
        self._cache_warnings: list[str] = []
        self.cache: Path | None = find_cache(settings, self._cache_warnings)

    @cached_property
    def store(self) -> Store:
        """The store of wheels."""
        from crossdeps.wheels.store import Store  # noqa: PLC0415 - see the module

        store = Store.temporary() if self.cache is None else Store(self.cache)
        self._stack.callback(store.close)
        return store

    @cached_property
    def _gathered(self) -> Inputs:
        """What the request names, with the options of requirements files alone."""
        if isinstance(self.request, Lock):
            return Inputs(files=self.request.hash())
        return _gather(self.request, self.configured, self.environment)

    @cached_property
    def inputs(self) -> Inputs:
        """What the request names, with the selection options of every source merged.

        :raises InputError: if a file is invalid
        """
        selection = merge_selection_options(
            command_line=self.settings.index,
            files=self._gathered.options,
            configured=self.configured.options,
        )
        return replace(self._gathered, options=selection)

    @cached_property
    def options(self) -> IndexOptions:
        """The index options of every source merged.

        :raises InputError: if a value is invalid
        """
        return gather_index_options(
            self.environment.variables,
            command_line=self.settings.index,
            connection=self.settings.connection,
            files=self._gathered.options,
            configured=self.configured,
            isolated=self.settings.isolated,
        )

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
            named, self.environment.variables, keyring=options.keyring, isolated=settings.isolated
        )
        return self._stack.enter_context(
            open_index(
                options,
                cache=self.cache,
                offline=settings.offline,
                refresh=settings.refresh,
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
            environ=self.environment.variables,
            pip_settings=pip_variables(self.options, offline=offline),
            offline=offline,
            progress=self.progress,
        )

    def prefetch(self) -> None:
        """Begin to fetch the pages that will be needed, while the resolver is loaded."""
        self.index.prefetch(self.inputs.unconditional_projects)

    def begin_downloads(self, runtime_packages: RuntimePackages) -> None:
        """Let the search that follows download the wheels of its pins while it goes on.

        Not those that are left to the runtime, and none while the pins exceed its limit.
        """
        from crossdeps.wheels.download_queue import DownloadQueue  # noqa: PLC0415 - see the module

        facts = runtime_packages.target.runtime_facts
        self.downloads = DownloadQueue(
            self.store,
            lambda: self.index,
            progress=self.progress,
            skipped=runtime_packages.projects.keys() if runtime_packages.used else (),
            budget=facts.limits.unzipped if facts else None,
        )
        self._stack.callback(self.downloads.close)

    def fetch(self, selected: Sequence[SelectedPackage]) -> tuple[Wheel, ...]:
        """Verified local wheels of the selected packages, in their order."""
        from crossdeps.wheels.download import fetch_wheels  # noqa: PLC0415 - see the module

        return fetch_wheels(
            selected,
            self.store,
            lambda: self.index,
            lambda: self.builder,
            progress=self.progress,
            downloads=self.downloads,
            exact_sizes=isinstance(self.request, Lock),
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
    def page_states(self) -> tuple[PageState, ...]:
        """What the pages held that were read; none if the index was not opened."""
        opened = self.__dict__.get("index")
        return opened.page_states if opened else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of inputs, options, index and store, each once."""
        opened = self.__dict__.get("index")
        warnings = (
            *self.inputs.warnings,
            *self.options.warnings,
            *self.other_warnings,
            *(opened.warnings if opened else ()),
            *self._cache_warnings,
            *self.store.warnings,
        )
        return tuple(dict.fromkeys(warnings))


@contextmanager
def open_session(request: Request, settings: Settings, progress: Progress) -> Iterator[Session]:
    """Read what *request* names, and open what a run works with.

    :raises InputError: if a file or pip's configuration is invalid
    :raises UsageError: if *settings* contradict each other
    """
    if settings.offline and settings.refresh:
        raise UsageError(
            "--refresh needs the network, which --offline disables", hint="give one of them"
        )
    environ = process_environment()
    configured = ConfiguredOptions()
    if not settings.isolated:
        configured = read_configured_options(read_pip_configuration(environ), current_directory())
    with ExitStack() as stack:
        yield Session(request, settings, configured, progress, environ, stack)


def _gather(
    requirements: Requirements, configured: ConfiguredOptions, environ: Mapping[str, str]
) -> Inputs:
    """Everything that *requirements* name, with the constraints of pip's configuration."""
    from crossdeps.requirements.gather import gather_inputs  # noqa: PLC0415 - see the module

    constraints = (*requirements.constraint_files, *configured.options.constraint_files)
    return gather_inputs(
        replace(requirements, constraint_files=constraints),
        environ=environ,
        cwd=current_directory(),
        stdin=read_standard_input,
    )
