"""The bundle, its target, and the indexes of both that the rules share."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import VERSIONED_ROOT, import_roots
from crossdeps.errors import ArtifactReadError
from crossdeps.requirements.requires_dist import Conditions, expand_tag, take_apart
from crossdeps.target.runtimes import provided_projects
from crossdeps.verify.loader import Loader
from crossdeps.verify.model import RuntimeContext
from crossdeps.verify.native import NativeFile, classify_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from typing_extensions import Self

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject
    from crossdeps.derived import DerivedCache
    from crossdeps.finding import Finding
    from crossdeps.requirements.requires_dist import RequiresDist
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import ProvidedProject
    from crossdeps.verify.followed_imports import SourceFile
    from crossdeps.verify.model import Ignore
    from crossdeps.verify.modules import ModuleIndex
    from crossdeps.verify.search_path import PathChange

_RUNTIMES_WITH_PTH = ("python3.10", "python3.11")
"""Those whose ``bootstrap.py`` calls ``site.addsitedir`` for the function and the layers."""


class CheckContext:
    """What the rules check, and indexes of it, each built when a rule first needs it.

    A context manager: archives stay open while rules read from them.

    :param expected_missing: normalized names of projects that will be on the target although they
        are not in the bundle, besides those of the runtime
    :param runtime_context: what else will be on the target
    :param ignored: patterns of findings that will be left out
    :param cache: keeps what the code of a wheel uses
    """

    def __init__(
        self,
        bundle: Bundle,
        target: Target,
        *,
        expected_missing: frozenset[str],
        runtime_context: RuntimeContext | None = None,
        ignored: Sequence[Ignore] = (),
        cache: DerivedCache | None = None,
    ) -> None:
        self.bundle = bundle
        self.target = target
        self.expected_missing = expected_missing
        self.runtime_context: RuntimeContext = runtime_context or RuntimeContext()
        self.cache = cache
        self._ignored = ignored
        self._requirements: dict[tuple[str, tuple[str, ...]], tuple[RequiresDist, ...]] = {}
        self._reader = ContentReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._reader.__exit__(*exception)

    def ignores(self, finding: Finding) -> bool:
        """Whether *finding* will be left out, so that its advice need not be worked out."""
        return any(item.matches(finding) for item in self._ignored)

    def describe(self, bundle: Bundle) -> str:
        """Name *bundle*, which is the artifact or a layer, in a message."""
        return "the artifact" if bundle is self.bundle else bundle.path or "a layer"

    def requirements(self, project: InstalledProject) -> tuple[RequiresDist, ...]:
        """The Requires-Dist lines of *project*, taken apart once."""
        wheel = self.bundle.wheels.get(project.name)
        if wheel is not None and self.layer_projects.get(project.name) is not project:
            return wheel.project.requires
        key = (project.dist_info, project.requires)
        known = self._requirements.get(key)
        if known is None:
            known = self._requirements[key] = tuple(map(take_apart, project.requires))
        return known

    def wheel_tags(self, project: InstalledProject) -> set[str]:
        """The tags that the Tag lines of *project* stand for."""
        wheel = self.bundle.wheels.get(project.name)
        lines = project.wheel_tags if wheel is None else wheel.expanded_tags
        return {tag for line in lines for tag in expand_tag(line)}

    @cached_property
    def conditions(self) -> Conditions:
        """Evaluates the conditions of requirements on the target."""
        return Conditions(self.target.environment)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every entry by path."""
        return {entry.path: entry for entry in self.bundle.entries}

    @cached_property
    def package_files(self) -> dict[str, Entry]:
        """The entries on the import path, by path relative to the first root that has it."""
        roots = import_roots(self.bundle.prefix, self.target.python_version)
        return list_package_files(self.bundle, roots)

    @cached_property
    def projects(self) -> dict[str, InstalledProject]:
        """The projects of the bundle, by normalized name."""
        return {project.name: project for project in self.bundle.projects}

    @cached_property
    def layer_projects(self) -> dict[str, InstalledProject]:
        """The projects of the layers that are imported, by normalized name."""
        return {name: project for name, (project, _) in self.located_layer_projects.items()}

    @cached_property
    def located_layer_projects(self) -> dict[str, tuple[InstalledProject, Bundle]]:
        """The projects of the layers that are imported, each with its layer.

        Layers are unpacked into one directory, the later over the earlier ones (AWS Lambda
        developer guide, "Managing Lambda dependencies with layers").
        """
        roots = reversed(import_roots("python/", self.target.python_version))
        return {
            project.name: (project, layer)
            for root in roots
            for layer in self.runtime_context.layers
            for project in layer.projects
            if project.dist_info.rpartition("/")[0] == root.rstrip("/")
        }

    @cached_property
    def provided(self) -> Mapping[NormalizedName, ProvidedProject]:
        """The projects that the runtime provides."""
        provided = self.runtime_context.provided
        return provided_projects(self.target.runtime_name) if provided is None else provided

    @cached_property
    def available_projects(self) -> frozenset[str]:
        """The normalized names of projects that will be on the target, besides the bundle's."""
        named = self.expected_missing | self.runtime_context.left_out
        return named | self.provided.keys() | self.layer_projects.keys()

    @cached_property
    def modules(self) -> ModuleIndex:
        """The modules that can be imported on the target, when the user's source was run."""
        return self.index_modules()

    def index_modules(self) -> ModuleIndex:
        """Index the modules that can be imported before any source is run."""
        from crossdeps.verify.modules import ModuleIndex  # noqa: PLC0415 - checks of source only

        runtime_context = self.runtime_context
        modules = ModuleIndex(
            self.bundle,
            runtime_context.layers,
            target=self.target,
            provided=self.provided,
            available_projects=self.available_projects,
            read=self.read,
        )
        for change in self._read_pth_files():
            modules.change_path(change)
        return modules

    def _read_pth_files(self) -> Iterator[PathChange]:
        """Yield what the .pth files beside the modules of function and layers add to ``sys.path``.

        Where it was not seen that the runtime reads them, it is not known what they add.
        """
        from crossdeps.verify.search_path import (  # noqa: PLC0415 - checks of source only
            FUNCTION_ROOT,
            LAYER_ROOT,
            PathChange,
            read_pth_file,
        )

        is_read = self.target.runtime_name in _RUNTIMES_WITH_PTH
        for bundle in (self.bundle, *self.runtime_context.layers):
            in_layer = bundle is not self.bundle or bool(bundle.prefix)
            place = LAYER_ROOT if in_layer else FUNCTION_ROOT
            roots = import_roots("python/" if in_layer else "", self.target.python_version)
            for entry in bundle.entries:
                folder, slash, name = entry.path.rpartition("/")
                if not name.endswith(".pth") or folder + slash not in roots:
                    continue
                for change in read_pth_file(self.read_text(entry), f"{place}/{folder}".rstrip("/")):
                    inside = f"{change.directory}/".removeprefix(f"{place}/")
                    if change.directory is None or any(
                        each.path.startswith(inside) for each in bundle.entries
                    ):
                        yield change if is_read else PathChange(directory=None)

    @cached_property
    def sources(self) -> tuple[SourceFile, ...]:
        """The user's source, parsed; files that the handler imports at startup come first."""
        handler = self.runtime_context.handler
        if handler is None:
            return ()
        from crossdeps.verify.followed_imports import (  # noqa: PLC0415 - checks of source only
            read_sources,
        )

        # Without projects, nothing says which files are the user's, apart from those imported.
        return read_sources(self.modules, handler=handler, imported_only=not self.bundle.projects)

    @cached_property
    def native_files(self) -> tuple[NativeFile, ...]:
        """Every native binary of the bundle and the layers, with its load status."""
        return classify_binaries(
            self.bundle, self.runtime_context.layers, self.target, self.read_head
        )

    @cached_property
    def compatible_files(self) -> tuple[NativeFile, ...]:
        """The native binaries that load on the target's machine."""
        return tuple(native for native in self.native_files if native.load_status == "compatible")

    @cached_property
    def loader(self) -> Loader:
        """The searches of the dynamic loader."""
        return Loader(self.native_files, self.target)

    @cached_property
    def build_command(self) -> str:
        """The command that builds for this target."""
        target = self.target
        if target.runtime_name:
            return f"crossdeps build --runtime {target.runtime_name} --arch {target.arch}"
        platform = target.libc.platform_tag(target.arch)
        return (
            f"crossdeps build --python {target.python} --arch {target.arch} --platform {platform}"
        )

    @property
    def build_hint(self) -> str:
        """The hint of findings about content that was made for another target."""
        return f"build for the target: {self.build_command}"

    @property
    def rebuild_hint(self) -> str:
        """The hint of findings about content that is damaged or incomplete."""
        return f"rebuild the package: {self.build_command}"

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of *entry*.

        :raises ArtifactReadError: if they cannot be read
        """
        try:
            return self._reader.read(entry.content)
        except OSError as error:
            raise ArtifactReadError(
                f"a file cannot be read: {error}", context=(entry.path,)
            ) from error

    def read_head(self, entry: Entry) -> bytes:
        """Return the first bytes of *entry*; nothing if it cannot be read."""
        with suppress(OSError, ArtifactReadError):
            return next(iter(self._reader.iterate(entry.content)), b"")
        return b""

    def read_text(self, entry: Entry) -> str:
        """Return the text of *entry*; empty if it cannot be read."""
        try:
            return self.read(entry).decode("utf-8", "replace")
        except ArtifactReadError:
            return ""


def list_package_files(bundle: Bundle, roots: Sequence[str]) -> dict[str, Entry]:
    """Map paths relative to *roots* to entries, those of the first root that has the path.

    :param roots: directories on ``sys.path``, in order: the root of a function, or those of a layer
    """
    if roots == ("",):
        return {entry.path: entry for entry in bundle.entries}
    files: dict[str, Entry] = {}
    for root in reversed(roots):
        is_plain = not re.match(VERSIONED_ROOT, root)
        for entry in bundle.entries:
            path = entry.path
            if path.startswith(root) and not (is_plain and re.match(VERSIONED_ROOT, path)):
                files[path[len(root) :]] = entry
    return files
