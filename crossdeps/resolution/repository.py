"""The projects and metadata that the search chooses from, each evaluated or read once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import InputError, ResolutionError
from crossdeps.requirements.core_metadata import CoreMetadata, MetadataReader, UnusableMetadataError
from crossdeps.resolution.candidates import CandidateEvaluator, FileRules, accepts_python
from crossdeps.resolution.model import Unusable
from crossdeps.resolution.rejections import Reason
from crossdeps.text import first_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from crossdeps.index.model import Index, ProjectFile, ProjectPage
    from crossdeps.requirements.model import FileOptions
    from crossdeps.resolution.model import Builder, BuiltWheel, Candidate, Pin
    from crossdeps.resolution.rejections import Rejections
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project's page, evaluated for the target.

    :param versions: the best candidate of each version, newest first
    """

    page: ProjectPage
    rejections: Rejections
    versions: tuple[Candidate, ...]


class Repository:
    """Projects and metadata for the search. Thread-safe."""

    def __init__(
        self,
        *,
        index: Index,
        target: Target,
        roots: RootRequirements,
        options: FileOptions,
        builder: Builder,
    ) -> None:
        self._index = index
        self._roots = roots
        self._only_binary = _names(options.only_binary)
        self._no_binary = _names(options.no_binary)
        self._builder = builder
        self.target = target
        self._python = Version(target.python)
        self._evaluator = CandidateEvaluator(target)
        self._reader = MetadataReader()
        self._build_lock = threading.Lock()
        self._project_locks: dict[NormalizedName, threading.Lock] = {}
        self._projects: dict[NormalizedName, Project] = {}
        self._matching: dict[tuple[NormalizedName, str], tuple[Candidate, ...]] = {}
        self._metadata: dict[str, CoreMetadata | Unusable] = {}
        self._built: dict[str, BuiltWheel] = {}

    def prefetch(self, names: Sequence[NormalizedName]) -> None:
        """Start to fetch the pages of *names*."""
        unknown = [name for name in names if name not in self._projects]
        if unknown:
            self._index.prefetch(unknown)

    def prefetch_metadata(self, candidates: Sequence[Candidate]) -> None:
        """Start to fetch the metadata of *candidates*."""
        unknown = [
            found.file
            for found in candidates
            if found.is_wheel and found.file.url not in self._metadata
        ]
        if unknown:
            self._index.prefetch_metadata(unknown)

    def project(self, name: NormalizedName) -> Project:
        """A project's files, evaluated; an empty project if no index has it.

        :raises IndexAccessError: if an index cannot be reached or understood
        :raises ResolutionError: if two indexes offer different files under this name
        :raises InputError: if --no-binary refuses its wheels
        """
        known = self._projects.get(name)
        if known is None:
            with self._project_locks.setdefault(name, threading.Lock()):
                known = self._projects.get(name)
                if known is None:
                    known = self._projects[name] = self._evaluate_project(name)
        return known

    def matching(self, name: NormalizedName, specifier: SpecifierSet) -> tuple[Candidate, ...]:
        """The best candidate of each version that *specifier* and the constraints admit.

        As in ``packaging``, pre-releases are left out while a final release satisfies, unless the
        specifier names one (version specifiers, "Handling of pre-releases").
        """
        limit = self._roots.limits.get(name)
        combined = specifier if limit is None else specifier & limit
        key = (name, str(combined))
        known = self._matching.get(key)
        if known is None:
            found = combined.filter(
                self.project(name).versions,
                prereleases=self._roots.allows_pre_releases(name),
                key=lambda candidate: candidate.version,
            )
            known = self._matching[key] = tuple(found)
        return known

    def metadata(self, candidate: Candidate) -> CoreMetadata | Unusable:
        """A candidate's core metadata, or why it cannot be used.

        :raises IndexAccessError: if it cannot be fetched
        :raises IntegrityError: if what was fetched doesn't match its hash
        :raises SdistBuildError: if an allowed sdist cannot be built
        """
        known = self._metadata.get(candidate.file.url)
        if known is None:
            if candidate.is_wheel:
                data = self._index.metadata(candidate.file)
            else:
                data = self.built(candidate).metadata
            known = self._read(data, candidate.name, candidate.version)
            self._metadata[candidate.file.url] = known
        return known

    def pin_metadata(self, pin: Pin) -> CoreMetadata | Unusable:
        """A pin's core metadata; see :meth:`metadata`."""
        if pin.candidate is not None:
            return self.metadata(pin.candidate)
        known = self._metadata.get(pin.name)
        if known is None:
            data = pin.built.metadata if pin.built is not None else b""
            known = self._metadata[pin.name] = self._read(data, pin.name, pin.version)
        return known

    def known_problem(self, candidate: Candidate) -> Unusable | None:
        """Why a candidate cannot be used, if its metadata has been read and says so."""
        known = self._metadata.get(candidate.file.url)
        return known if isinstance(known, Unusable) else None

    def built(self, candidate: Candidate) -> BuiltWheel:
        """The wheel built from an allowed sdist.

        :raises SdistBuildError: if it cannot be built, or gives a native wheel
        """
        with self._build_lock:
            known = self._built.get(candidate.file.url)
            if known is None:
                known = self._builder.from_sdist(candidate.name, candidate.file)
                self._built[candidate.file.url] = known
            return known

    def _read(self, data: bytes, name: NormalizedName, version: Version) -> CoreMetadata | Unusable:
        """Read METADATA, and check Requires-Python, which the page may have omitted."""
        try:
            metadata = self._reader.read(data, name=name, version=version)
        except UnusableMetadataError as error:
            return Unusable(name=name, version=version, reason=Reason.METADATA, detail=str(error))
        python = metadata.requires_python
        if python is not None and not accepts_python(python, self._python):
            return Unusable(
                name=name, version=version, reason=Reason.REQUIRES_PYTHON, detail=python
            )
        return metadata

    def _evaluate_project(self, name: NormalizedName) -> Project:
        policy = self._roots.policy
        self._check_source_only(name)
        page = self._index.page(name)
        files = page.files
        if policy.index_strategy == "first" and len(page.found_on) > 1:
            files = [file for file in files if file.index == page.found_on[0]]
        rules = FileRules(
            allow_sdist=name in policy.allow_sdist,
            exclude_newer=policy.exclude_newer,
            hashes=self._roots.hashes.get(name),
            pinned=self._roots.pinned.get(name, frozenset()),
            indexes=page.found_on,
        )
        evaluation = self._evaluator.evaluate(name, files, rules)
        if policy.index_strategy == "safe":
            _check_indexes(name, self._within_bounds(name, evaluation.candidates), page)
        best: dict[Version, Candidate] = {}
        for candidate in evaluation.candidates:
            best.setdefault(candidate.version, candidate)
        return Project(page=page, rejections=evaluation.rejections, versions=tuple(best.values()))

    def _within_bounds(
        self, name: NormalizedName, candidates: Sequence[Candidate]
    ) -> Sequence[Candidate]:
        """Those that the user's requirements admit: the others may differ between indexes."""
        bound = self._roots.bounds.get(name)
        if bound is None:
            return candidates
        return [found for found in candidates if bound.contains(found.version, prereleases=True)]

    def _check_source_only(self, name: NormalizedName) -> None:
        """Apply --no-binary: a project's own name precedes ``:all:``, as in pip."""
        everything = ":all:" in self._no_binary and name not in self._only_binary
        allowed = name in self._roots.policy.allow_sdist
        if allowed or not (everything or name in self._no_binary):
            return
        raise InputError(
            f"--no-binary forbids the wheels of {name}, and only wheels can be packaged",
            hint=f"remove that --no-binary, or allow building its sdist: --allow-sdist {name}",
            rule="no-binary",
        )


def _check_indexes(name: str, candidates: Sequence[Candidate], page: ProjectPage) -> None:
    """Refuse a project that two indexes offer with different files for the target.

    Otherwise anyone who can publish under the name on one index could replace the project of the
    other. Files with the same sha256 are the same, whatever their indexes say of them; an index
    that has no files of its own, such as a partial mirror, is no conflict.

    :raises ResolutionError: naming the versions that each index alone has
    """
    if len(page.found_on) < 2:
        return
    alone = _own_versions(candidates, page)
    if len(alone) < 2:
        return
    raise ResolutionError(
        f"{len(alone)} indexes offer different files of {name}",
        context=tuple(
            f"only {url}: {first_words([str(version) for version in alone[url]], 3)}"
            for url in sorted(alone)
        ),
        hint="choose one: --index-strategy first uses the first index that has the project; pin a"
        " version that only one of them has; or remove one of them",
        rule="index-conflict",
    )


def _own_versions(
    candidates: Sequence[Candidate], page: ProjectPage
) -> Mapping[str, Sequence[Version]]:
    """The versions, newest first, that only one index has a file of, by index."""
    names = {candidate.file.filename for candidate in candidates}
    holders: dict[str, set[str]] = {}
    for file in page.files:
        if file.filename in names:
            holders.setdefault(_file_key(file), set()).add(file.index)
    alone: dict[str, set[Version]] = {}
    for candidate in candidates:
        if len(holders[_file_key(candidate.file)]) == 1:
            alone.setdefault(candidate.file.index, set()).add(candidate.version)
    return {root: sorted(versions, reverse=True) for root, versions in alone.items()}


def _file_key(file: ProjectFile) -> str:
    return file.hashes.get("sha256") or f"{file.filename} {file.url}"


def _names(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(text if text == ":all:" else canonicalize_name(text) for text in texts)
