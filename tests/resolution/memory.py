"""An index in memory, and inputs from text: resolver cases are data."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import threading
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.index.model import ProjectFile, ProjectPage
from crossdeps.requirements.model import DirectSource, FileOptions, Inputs, Origin, Requirement
from crossdeps.requirements.syntax import Markers
from crossdeps.resolution.model import BuiltWheel, Policy, Resolution
from crossdeps.resolution.repository import Repository
from crossdeps.resolution.resolver import resolve
from crossdeps.resolution.root_requirements import read_root_requirements
from crossdeps.target.model import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.derived import DerivedCache

Projects = dict[str, dict[str, Any]]
"""Project -> version -> its Requires-Dist lines, or a table of what is special about it."""

ROOT = "https://index.example/simple"
LINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"


def sha(text: str) -> str:
    """The hash that the index states for a file of this name."""
    return hashlib.sha256(text.encode()).hexdigest()


class MemoryIndex:
    """An index whose pages are made from :data:`Projects`; notes what is asked of it."""

    def __init__(
        self, projects: Mapping[str, Projects], *, shuffle: int = 0, hashes: bool = True
    ) -> None:
        self._projects = projects
        self._shuffle = shuffle
        self._hashes = hashes
        self._lock = threading.Lock()
        self._metadata: dict[str, bytes] = {}
        self.pages: list[str] = []
        self.read: list[str] = []

    def page(self, project: NormalizedName) -> ProjectPage:
        with self._lock:
            self.pages.append(project)
            files: list[ProjectFile] = []
            found_on: list[str] = []
            for root, projects in self._projects.items():
                if project in projects:
                    found_on.append(root)
                    for version, about in projects[project].items():
                        files += self._files(root, project, version, about)
        if self._shuffle:
            files.sort(key=lambda file: sha(f"{self._shuffle}{file.url}"))
        return ProjectPage(
            project=project, files=files, searched=tuple(self._projects), found_on=tuple(found_on)
        )

    def is_at_hand(self, project: NormalizedName) -> bool:
        """Threads read ahead, as they do with an index that is far away."""
        del project
        return False

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Nothing is slow here."""

    def metadata(self, file: ProjectFile) -> bytes:
        with self._lock:
            self.read.append(file.filename)
            return self._metadata[file.url]

    def mark_metadata_used(self, file: ProjectFile) -> None:
        """Nothing is pruned here."""

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Nothing is slow here."""

    def _files(self, root: str, project: str, version: str, about: object) -> list[ProjectFile]:
        table: dict[str, Any] = about if isinstance(about, dict) else {"requires": about}
        stem = f"{project.replace('-', '_')}-{version}"
        names = list(table.get("files", ()))
        names += [f"{stem}-{tags}.whl" for tags in table.get("wheels", ())]
        if not names and not table.get("sdist"):
            names = [f"{stem}-py3-none-any.whl"]
        if table.get("sdist"):
            names.append(f"{stem}.tar.gz")
        uploaded = table.get("uploaded")
        files: list[ProjectFile] = []
        for name in names:
            url = f"{root}/files/{name}"
            self._metadata[url] = candidate_metadata(project, version, table)
            files.append(
                ProjectFile(
                    filename=name,
                    url=url,
                    hashes={"sha256": sha(table.get("content", "") + name)} if self._hashes else {},
                    size=1000,
                    requires_python=table.get("python"),
                    upload_time=datetime.datetime.fromisoformat(uploaded) if uploaded else None,
                    yanked=table.get("yanked"),
                    index=root,
                )
            )
        return files


def candidate_metadata(project: str, version: str, table: Mapping[str, Any]) -> bytes:
    """METADATA of a version; ``stated`` replaces fields, ``python_inside`` adds one."""
    requires = list(table.get("requires", ()))
    stated = {"Name": project, "Version": version, **table.get("stated", {})}
    lines = ["Metadata-Version: 2.1", *(f"{key}: {value}" for key, value in stated.items())]
    python = table.get("python_inside", table.get("python"))
    if python:
        lines.append(f"Requires-Python: {python}")
    lines += [f"Provides-Extra: {extra}" for extra in table.get("extras", ())]
    lines += [f"Requires-Dist: {line}" for line in requires]
    return "\n".join((*lines, "", "A description: with a colon", "")).encode()


class MemoryBuilder:
    """Builds what the case says; notes what it was asked for."""

    def __init__(self, results: Mapping[str, tuple[str, str, Sequence[str]]] | None = None) -> None:
        self._results = results or {}
        self.asked: list[str] = []

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        assert requirement.source is not None
        return self._built(requirement.source.location)

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        del name
        return self._built(file.filename)

    read_source, read_sdist = from_source, from_sdist

    def _built(self, key: str) -> BuiltWheel:
        self.asked.append(key)
        filename, python, requires = self._results[key]
        name, version = filename.split("-")[:2]
        return BuiltWheel(
            name=canonicalize_name(name),
            version=Version(version),
            filename=filename,
            metadata=candidate_metadata(name, version, {"requires": requires, "python": python}),
            sha256=sha(filename),
        )


def requirement(text: str, line: int = 1, file: str = "requirements.txt") -> Requirement:
    """A line of a requirements file: ``NAME... [; MARKER] [--hash=ALGORITHM:DIGEST]...``."""
    spec, *hashes = text.split(" --hash=")
    parsed = ParsedRequirement(spec)
    source = None
    if parsed.url:
        kind = "wheel" if parsed.url.endswith(".whl") else "archive"
        source = DirectSource(kind="wheel" if kind == "wheel" else "archive", location=parsed.url)
    return Requirement(
        name=canonicalize_name(parsed.name),
        extras=frozenset(canonicalize_name(extra) for extra in parsed.extras),
        specifier=parsed.specifier,
        marker=parsed.marker,
        source=source,
        hashes=frozenset(hashes),
        origin=Origin(file=file, line=line),
        text=spec,
    )


def lines(texts: Sequence[str], file: str = "requirements.txt") -> tuple[Requirement, ...]:
    return tuple(requirement(text, number, file) for number, text in enumerate(texts, start=1))


TARGETS = {
    "3.12": Target(python="3.12", arch="x86_64"),
    "3.12-arm64": Target(python="3.12", arch="aarch64"),
    "3.12-glibc2.28": Target(python="3.12", arch="x86_64", glibc="2.28"),
    "3.9": Target(python="3.9", arch="x86_64"),
    "3.9.0": Target(python="3.9.0", arch="x86_64"),
    "3.9-arm64": Target(python="3.9", arch="aarch64"),
    "3.13t": Target(python="3.13", arch="x86_64", abi="cp313t"),
    "3.14t": Target(python="3.14", arch="x86_64", abi="cp314t"),
    "musl": Target(python="3.12", arch="x86_64", musl="1.2"),
    "two-platforms": Target(
        python="3.12",
        arch="x86_64",
        platforms=("manylinux_2_17_x86_64", "manylinux_2_28_x86_64"),
    ),
    "linux": Target(python="3.12", arch="x86_64", platforms=("linux_x86_64",)),
    "lambda-3.11": Target.runtime("python3.11", arch="x86_64"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One resolver case: what there is, what is asked, and what must come of it.

    :param index: the projects of the one index, unless *indexes* tells of several
    :param pins: the whole answer, as ``NAME==VERSION`` words
    :param wheels: file names chosen, of those projects that matter
    :param rejected: file name -> reason
    :param error: class and fragments of message, context or hint, instead of an answer
    :param pages: every project that was asked for, where the case is about that
    :param read: every file whose metadata was read, where the case is about that
    :param warnings: fragments, each of which some warning has
    """

    id: str
    index: Projects = dataclasses.field(default_factory=dict)
    indexes: Mapping[str, Projects] | None = None
    ask: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    target: str = "3.12"
    policy: Policy = dataclasses.field(default_factory=Policy)
    options: FileOptions = dataclasses.field(default_factory=FileOptions)
    prefer: Mapping[str, str] = dataclasses.field(default_factory=dict)
    builds: Mapping[str, tuple[str, str, Sequence[str]]] | None = None
    hashes: bool = True
    pins: str | None = None
    wheels: tuple[str, ...] = ()
    rejected: Mapping[str, str] = dataclasses.field(default_factory=dict)
    error: tuple[str, ...] = ()
    pages: tuple[str, ...] | None = None
    read: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()

    def memory_index(self, shuffle: int = 0) -> MemoryIndex:
        projects = self.indexes if self.indexes is not None else {ROOT: self.index}
        return MemoryIndex(projects, shuffle=shuffle, hashes=self.hashes)

    def inputs(self) -> Inputs:
        return Inputs(
            requirements=lines(self.ask),
            constraints=lines(self.constraints, "constraints.txt"),
            overrides=lines(self.overrides, "overrides.txt"),
            options=self.options,
        )

    def resolve(
        self,
        index: MemoryIndex | None = None,
        *,
        inputs: Inputs | None = None,
        derived: DerivedCache | None = None,
        ahead: bool = False,
    ) -> Resolution:
        return resolve(
            inputs or self.inputs(),
            TARGETS[self.target],
            index or self.memory_index(),
            self.policy,
            builder=MemoryBuilder(self.builds),
            preferences={
                canonicalize_name(name): Version(version) for name, version in self.prefer.items()
            },
            derived=derived,
            ahead=ahead,
        )

    def rejections(self, names: Iterable[NormalizedName]) -> dict[str, str]:
        """Why each file of these projects that is no candidate is none, by name."""
        target = TARGETS[self.target]
        repository = Repository(
            index=self.memory_index(),
            target=target,
            roots=read_root_requirements(self.inputs(), Markers(target), self.policy),
            options=self.options,
            builder=MemoryBuilder(self.builds),
        )
        return {
            rejection.file.filename: rejection.reason
            for name in names
            for rejection in repository.project(name).rejections
        }


def pins_of(resolution: Resolution) -> str:
    return " ".join(
        f"{name}=={choice.version}" for name, choice in sorted(resolution.choices.items())
    )
