"""The projects and metadata that the search chooses from, each evaluated or read once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.derived import DerivedCache
from crossdeps.errors import InputError, ResolutionError
from crossdeps.requirements.core_metadata import UnusableMetadataError
from crossdeps.resolution.candidates import CandidateEvaluator
from crossdeps.resolution.evaluations import Matches
from crossdeps.resolution.file_rules import FileRules
from crossdeps.resolution.model import Unusable
from crossdeps.resolution.rejections import Reason
from crossdeps.resolution.release_metadata import ReleaseReader
from crossdeps.text import first_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.index.model import Index, ProjectFile, ProjectPage
    from crossdeps.requirements.model import FileOptions
    from crossdeps.resolution.evaluations import Candidates, Evaluation
    from crossdeps.resolution.model import Builder, BuiltWheel, Candidate, Pin
    from crossdeps.resolution.rejections import Rejections
    from crossdeps.resolution.release_metadata import ReleaseMetadata
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project's page, evaluated for the target."""

    page: ProjectPage
    evaluation: Evaluation

    @property
    def rejections(self) -> Rejections:
        """All files that are not candidates, in page order."""
        return self.evaluation.rejections

    @property
    def versions(self) -> Candidates:
        """The best candidate of each version, newest first."""
        return self.evaluation.versions


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
        derived: DerivedCache | None = None,
    ) -> None:
        self._index = index
        self._roots = roots
        self._only_binary = _names(options.only_binary)
        self._no_binary = _names(options.no_binary)
        self._builder = builder
        self.target = target
        self._evaluator = CandidateEvaluator(target, derived)
        self._reader = ReleaseReader(target, derived or DerivedCache(None))
        self._build_lock = threading.Lock()
        self._project_locks: dict[NormalizedName, threading.Lock] = {}
        self._projects: dict[NormalizedName, Project] = {}
        self._matching: dict[tuple[NormalizedName, str], Matches] = {}
        self._seen: dict[tuple[NormalizedName, int], tuple[SpecifierSet, Matches]] = {}
        self._metadata: dict[str, ReleaseMetadata | Unusable] = {}
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

    def matching(self, name: NormalizedName, specifier: SpecifierSet) -> Matches:
        """The best candidate of each version that *specifier* and the constraints admit.

        As in ``packaging``, pre-releases are left out while a final release satisfies, unless the
        specifier names one (version specifiers, "Handling of pre-releases").
        """
        # The same few objects are asked for again and again, and their texts are slow to make.
        seen = self._seen.get((name, id(specifier)))
        if seen is not None:
            return seen[1]
        found = self._find_matching(name, specifier)
        self._seen[name, id(specifier)] = (specifier, found)
        return found

    def _find_matching(self, name: NormalizedName, specifier: SpecifierSet) -> Matches:
        limit = self._roots.limits.get(name)
        combined = specifier if limit is None else specifier & limit
        key = (name, str(combined))
        known = self._matching.get(key)
        if known is None:
            versions = self.project(name).versions
            found = combined.filter(
                range(len(versions)),
                prereleases=self._roots.allows_pre_releases(name),
                key=versions.version,
            )
            known = self._matching.setdefault(key, Matches(versions, iter(found)))
        return known

    def is_at_hand(self, name: NormalizedName) -> bool:
        """Whether :meth:`project` answers without a request to an index."""
        return name in self._projects or self._index.is_at_hand(name)

    def metadata(self, candidate: Candidate) -> ReleaseMetadata | Unusable:
        """A candidate's core metadata, or why it cannot be used.

        :raises IndexAccessError: if it cannot be fetched
        :raises IntegrityError: if what was fetched doesn't match its hash
        :raises SdistBuildError: if an allowed sdist cannot be built
        """
        known = self.known_metadata(candidate)
        if known is None:
            file = candidate.file if candidate.is_wheel else None
            data = self._index.metadata(file) if file else self.built(candidate).metadata
            known = self._read(data, candidate, file)
            self._metadata[candidate.file.url] = known
        return known

    def known_metadata(self, candidate: Candidate) -> ReleaseMetadata | Unusable | None:
        """The same, if it was read in this run or is kept from another; else None."""
        file = candidate.file
        known = self._metadata.get(file.url)
        if known is None and candidate.is_wheel:
            kept = self._reader.read_kept(file)
            if kept is not None:
                self._index.mark_metadata_used(file)
                known = self._metadata[file.url] = self._check_python(kept, candidate)
        return known

    def pin_metadata(self, pin: Pin) -> ReleaseMetadata | Unusable:
        """A pin's core metadata; see :meth:`metadata`."""
        if pin.candidate is not None:
            return self.metadata(pin.candidate)
        known = self._metadata.get(pin.name)
        if known is None:
            data = pin.built.metadata if pin.built is not None else b""
            known = self._metadata[pin.name] = self._read(data, pin, None)
        return known

    def known_problem(self, candidate: Candidate) -> Unusable | None:
        """Why a candidate cannot be used, if its metadata has been read and says so."""
        known = self._metadata.get(candidate.file.url)
        return known if isinstance(known, Unusable) else None

    def built(self, candidate: Candidate, *, build: bool = False) -> BuiltWheel:
        """What is known of an allowed sdist, which is built if *build*, or if nothing is static.

        :raises SdistBuildError: if it cannot be built, or gives a native wheel
        """
        with self._build_lock:
            known = self._built.get(candidate.file.url)
            if known is None or (build and not known.filename):
                obtain = self._builder.from_sdist if build else self._builder.read_sdist
                known = self._built[candidate.file.url] = obtain(candidate.name, candidate.file)
            return known

    def _read(
        self, data: bytes, release: Candidate | Pin, file: ProjectFile | None
    ) -> ReleaseMetadata | Unusable:
        name, version = release.name, release.version
        try:
            metadata = self._reader.read(data, name=name, version=version, file=file)
        except UnusableMetadataError as error:
            return Unusable(name=name, version=version, reason=Reason.METADATA, detail=str(error))
        return self._check_python(metadata, release)

    def _check_python(
        self, metadata: ReleaseMetadata, release: Candidate | Pin
    ) -> ReleaseMetadata | Unusable:
        """Check Requires-Python, which the page may have omitted."""
        python = metadata.requires_python
        if not python or self._evaluator.accepts_python(python):
            return metadata
        return Unusable(
            name=release.name,
            version=release.version,
            reason=Reason.REQUIRES_PYTHON,
            detail=python,
        )

    def _evaluate_project(self, name: NormalizedName) -> Project:
        policy = self._roots.policy
        self._check_source_only(name)
        page = self._index.page(name)
        rules = FileRules(
            allow_sdist=name in policy.allow_sdist,
            exclude_newer=policy.exclude_newer,
            hashes=self._roots.hashes.get(name),
            pinned=self._roots.pinned.get(name, frozenset()),
            indexes=page.found_on,
        )
        if policy.index_strategy == "first" and len(page.found_on) > 1:
            files = [file for file in page.files if file.index == page.found_on[0]]
            evaluation = self._evaluator.evaluate(name, files, rules)
        else:
            evaluation = self._evaluator.evaluate_page(page, rules)
        if policy.index_strategy == "safe" and len(page.found_on) > 1:
            _check_indexes(name, self._within_bounds(name, evaluation.own_versions()))
        return Project(page=page, evaluation=evaluation)

    def _within_bounds(
        self, name: NormalizedName, alone: Mapping[str, Sequence[Version]]
    ) -> Mapping[str, Sequence[Version]]:
        """What the user's requirements admit: other versions may differ between indexes."""
        bound = self._roots.bounds.get(name)
        if bound is None:
            return alone
        admitted = {
            index: list(bound.filter(versions, prereleases=True))
            for index, versions in alone.items()
        }
        return {index: versions for index, versions in admitted.items() if versions}

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


def _check_indexes(name: str, alone: Mapping[str, Sequence[Version]]) -> None:
    """Refuse a project that two indexes offer with different files for the target.

    Otherwise anyone who can publish under the name on one index could replace the project of the
    other. An index that has no files of its own, such as a partial mirror, is no conflict.

    :param alone: the versions, newest first, that only one index has a file of, by index
    :raises ResolutionError: naming these versions
    """
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


def _names(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(text if text == ":all:" else canonicalize_name(text) for text in texts)
