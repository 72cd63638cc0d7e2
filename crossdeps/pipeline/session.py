"""Where things of this machine are: the cache folder, the current directory, standard input."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.config.credentials import Credentials
from crossdeps.config.index_options import gather_index_options, merge_selection_options
from crossdeps.config.pip_config import process_environment, read_pip_configuration
from crossdeps.config.pip_options import ConfiguredOptions, read_configured_options
from crossdeps.errors import ResolutionError
from crossdeps.index.client import open_index
from crossdeps.pipeline.request import lock_beside
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.requirements.gather import gather_inputs
from crossdeps.requirements.model import Inputs
from crossdeps.resolution.resolver import resolve
from crossdeps.wheels.download import fetch_wheels
from crossdeps.wheels.reader import check_metadata_agrees
from crossdeps.wheels.sdists import SourceBuilder
from crossdeps.wheels.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.config.index_options import IndexOptions
    from crossdeps.index.client import IndexClient
    from crossdeps.pipeline.request import Settings
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import Requirements
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel

CACHE_NAME = "crossdeps"


def cache_directory(given: Path | None) -> Path:
    """The cache: *given*, or ``crossdeps`` in the user's cache folder as the platform has it."""
    if given is not None:
        return given.absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where nothing was given

    return user_cache_path(CACHE_NAME, appauthor=False)


def read_stdin() -> bytes:
    """All of standard input."""
    return sys.stdin.buffer.read()


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Everything that a run needs beside its inputs.

    :param inputs: with the selection options of every source merged
    """

    inputs: Inputs
    settings: Settings
    options: IndexOptions
    index: IndexClient
    store: Store
    builder: SourceBuilder
    progress: Progress

    def resolve(
        self, target: Target, preferences: Mapping[NormalizedName, Version] | None = None
    ) -> Resolution:
        """Choose a version of every project needed.

        :param preferences: versions to keep where they still fit
        """
        runtime_packages = find_runtime_packages(self.settings, target)
        try:
            return resolve(
                runtime_packages.limit(self.inputs),
                target,
                self.index,
                self.settings.policy,
                builder=self.builder,
                progress=self.progress,
                preferences=preferences,
            )
        except ResolutionError as error:
            raise runtime_packages.explain(error) from error.__cause__

    def fetch(self, selected: Sequence[SelectedPackage]) -> tuple[Wheel, ...]:
        """Verified local wheels for what was selected."""
        return fetch_wheels(selected, self.store, self.index, self.builder, progress=self.progress)

    def check_metadata(self, resolution: Resolution | None, wheels: Sequence[Wheel]) -> None:
        """Compare each wheel's METADATA with what the resolver was told by the index (PEP 658).

        :param resolution: None where a lock is built, whose hashes say it all
        :raises WheelError: if a wheel needs something else than the index said
        """
        choices = resolution.choices if resolution else {}
        for wheel in wheels:
            choice = choices.get(wheel.name)
            candidate = choice.candidate if choice else None
            if candidate and candidate.file.filename == wheel.filename:
                check_metadata_agrees(wheel, self.index.metadata(candidate.file))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What inputs, options, index and store have to tell, each once."""
        told = (
            *self.inputs.warnings, *self.options.warnings, *self.index.warnings,
            *self.store.warnings,
        )  # fmt: skip
        return tuple(dict.fromkeys(told))


@contextmanager
def open_session(
    request: Requirements, settings: Settings, progress: Progress
) -> Iterator[Session]:
    """Read what *request* names, and open everything that a run works with.

    :raises InputError: if a file or pip's configuration can't be understood
    """
    environment = process_environment()
    configured = ConfiguredOptions()
    if not settings.isolated:
        configured = read_configured_options(read_pip_configuration(environment), Path.cwd())
    inputs = _gather(request, configured, environment)
    options = gather_index_options(
        environment,
        command_line=settings.index,
        connection=settings.connection,
        files=inputs.options,
        configured=configured,
        isolated=settings.isolated,
    )
    direct = [item.source.location for item in inputs.requirements if item.source]
    project_indexes = settings.project_indexes
    named = [*options.index_urls, *project_indexes.values(), *options.find_links, *direct]
    credentials = Credentials(
        named, environment, keyring=options.keyring, isolated=settings.isolated
    )
    cache = None if settings.no_cache else cache_directory(settings.cache)
    with ExitStack() as stack:
        index = stack.enter_context(
            open_index(
                options,
                cache=cache,
                offline=settings.offline,
                credentials=credentials.find,
                project_indexes=project_indexes,
                progress=progress,
            )
        )
        store = Store.temporary() if cache is None else Store(cache)
        stack.callback(store.close)
        builder = SourceBuilder(
            store,
            index,
            environ=environment,
            pip_settings=_pip_settings(options, offline=settings.offline),
            offline=settings.offline,
            progress=progress,
        )
        yield Session(
            inputs=_with_merged_selection(inputs, settings, configured),
            settings=settings,
            options=options,
            index=index,
            store=store,
            builder=builder,
            progress=progress,
        )


def _gather(
    request: Requirements, configured: ConfiguredOptions, environment: Mapping[str, str]
) -> Inputs:
    """Everything that *request* names, with the constraints of pip's configuration."""
    if locked := lock_beside(request):
        return Inputs(files=(str(locked),))
    constraints = (*request.constraint_files, *configured.constraint_files)
    return gather_inputs(
        replace(request, constraint_files=constraints),
        environ=environment,
        cwd=Path.cwd(),
        stdin=read_stdin,
    )


def _with_merged_selection(
    inputs: Inputs, settings: Settings, configured: ConfiguredOptions
) -> Inputs:
    selection = merge_selection_options(
        command_line=settings.index, files=inputs.options, configured=configured.options
    )
    return replace(inputs, options=selection)


def _pip_settings(options: IndexOptions, *, offline: bool) -> dict[str, str]:
    """The indexes of this run, as pip's own variables: for the requirements of builds."""
    settings = {
        "PIP_INDEX_URL": options.index_url,
        "PIP_EXTRA_INDEX_URL": " ".join(options.extra_index_urls),
        "PIP_FIND_LINKS": " ".join(
            place for place in options.find_links if not (offline and "://" in place)
        ),
        "PIP_TRUSTED_HOST": " ".join(options.trusted_hosts),
        "PIP_CERT": options.cert or "",
        "PIP_CLIENT_CERT": options.client_cert or "",
        "PIP_NO_INDEX": "1" if options.no_index or offline else "",
        "PIP_PROXY": options.proxies.get("https", ""),
    }
    return {name: value for name, value in settings.items() if value}
