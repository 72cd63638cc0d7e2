"""A bundle seen from its target: what every rule asks, worked out once."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from crossdeps.bundle.content import ContentReader
from crossdeps.errors import ArtifactReadError
from crossdeps.target.runtimes import provided_projects
from crossdeps.verify.model import RuntimeContext
from crossdeps.verify.modules import ModuleIndex, SourceFile, read_sources
from crossdeps.verify.native import NativeFile, judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from packaging.utils import NormalizedName
    from typing_extensions import Self

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import ProvidedProject


class CheckContext:
    """A bundle and its target, with the indexes that rules share.

    A context manager: it keeps an archive open while rules read from it.

    :param assumed: normalised names of projects that will be on the target although they aren't
        in the bundle, besides those of the runtime
    :param runtime_context: what else will be there
    """

    def __init__(
        self,
        bundle: Bundle,
        target: Target,
        *,
        assumed: frozenset[str],
        runtime_context: RuntimeContext | None = None,
    ) -> None:
        self.bundle = bundle
        self.target = target
        self.assumed = assumed
        self.runtime_context = runtime_context or RuntimeContext()
        self._reader = ContentReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.__exit__(kind, error, traceback)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every entry by its path."""
        return {entry.path: entry for entry in self.bundle.entries}

    @cached_property
    def projects(self) -> dict[str, InstalledProject]:
        """Every project by its normalised name."""
        return {project.name: project for project in self.bundle.projects}

    @cached_property
    def layered(self) -> dict[str, InstalledProject]:
        """Every project of the layers by its normalised name."""
        layers = self.runtime_context.layers
        return {project.name: project for layer in reversed(layers) for project in layer.projects}

    @cached_property
    def provided(self) -> Mapping[NormalizedName, ProvidedProject]:
        """What the runtime has beside the standard library."""
        provided = self.runtime_context.provided
        return provided_projects(self.target) if provided is None else provided

    @cached_property
    def modules(self) -> ModuleIndex:
        """What an import finds."""
        runtime_context = self.runtime_context
        there = self.assumed | runtime_context.left_out | self.provided.keys() | self.layered.keys()
        return ModuleIndex(
            self.bundle,
            runtime_context.layers,
            provided=self.provided,
            elsewhere=there,
            python=self.target.python_version,
            read=self.read,
        )

    @cached_property
    def sources(self) -> tuple[SourceFile, ...]:
        """The user's own source, each file read; what the handler imports at the start first."""
        return read_sources(
            self.modules,
            handler=self.runtime_context.handler,
            used_only=not self.bundle.projects,
            python=self.target.python,
            read=self.read,
        )

    @cached_property
    def natives(self) -> tuple[NativeFile, ...]:
        """Every native binary where Python imports from, each judged."""
        return judge(self.bundle, self.target)

    @cached_property
    def natives_by_owner(self) -> dict[str | None, list[NativeFile]]:
        """The native binaries of each project."""
        owned: dict[str | None, list[NativeFile]] = defaultdict(list)
        for native in self.natives:
            owned[native.entry.owner].append(native)
        return owned

    @cached_property
    def libraries(self) -> frozenset[str]:
        """Names under which a fitting binary of the bundle can stand in for DT_NEEDED.

        A file's own name and its DT_SONAME: packages load their libraries before the modules that
        need them, so where in the bundle the library lies doesn't decide.
        """
        names = set()
        for native in self.natives:
            if native.standing == "fits":
                names.add(posixpath.basename(native.entry.path))
                if native.facts.soname:
                    names.add(posixpath.basename(native.facts.soname))
        for layer in self.runtime_context.layers:
            names |= {posixpath.basename(entry.path) for entry in layer.entries if entry.binary}
        return frozenset(names)

    @cached_property
    def build_command(self) -> str:
        """The command that builds for this target."""
        target = self.target
        if target.runtime_name:
            return f"crossdeps build --runtime {target.runtime_name} --arch {target.arch}"
        platform = target.libc.platform(target.arch)
        return (
            f"crossdeps build --python {target.python} --arch {target.arch} --platform {platform}"
        )

    def inside(self, path: str) -> str | None:
        """*path* relative to where packages lie, or None where it lies outside."""
        prefix = self.bundle.prefix
        return path[len(prefix) :] if path.startswith(prefix) else None

    def read(self, entry: Entry) -> bytes:
        """The bytes of *entry*.

        :raises ArtifactReadError: if they can't be read
        """
        try:
            return self._reader.read(entry.content)
        except OSError as error:
            raise ArtifactReadError(
                f"a file can't be read: {error}", context=(entry.path,)
            ) from error
