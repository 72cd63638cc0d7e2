"""What is there to choose from: judged projects and metadata, each asked for once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import InputError, ResolutionError
from crossdeps.requirements.core_metadata import CoreMetadata, MetadataReader, UnusableMetadataError
from crossdeps.resolution.candidates import (
    CandidateEvaluator,
    Evaluation,
    FileRules,
    accepts_python,
)
from crossdeps.resolution.model import Unusable
from crossdeps.text import first_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from crossdeps.index.model import Index, ProjectFile, ProjectPage
    from crossdeps.requirements.model import FileOptions
    from crossdeps.resolution.model import Builder, BuiltWheel, Candidate, Pin
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project's page, judged for the target.

    :param versions: the best candidate of each version, newest first
    """

    page: ProjectPage
    judged: Evaluation
    versions: tuple[Candidate, ...]


class Repository:
    """Projects and metadata as the search asks for them. Safe to use from several threads."""

    def __init__(
        self,
        *,
        index: Index,
        target: Target,
        asked: RootRequirements,
        options: FileOptions,
        builder: Builder,
    ) -> None:
        self._index = index
        self._asked = asked
        self._only_binary = _names(options.only_binary)
        self._no_binary = _names(options.no_binary)
        self._builder = builder
        self.target = target
        self._python = Version(target.python)
        self._judge = CandidateEvaluator(target)
        self._reader = MetadataReader()
        self._building = threading.Lock()
        self._making: dict[NormalizedName, threading.Lock] = {}
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
            if found.file.url not in self._metadata and found.file.filename.endswith(".whl")
        ]
        if unknown:
            self._index.prefetch_metadata(unknown)

    def project(self, name: NormalizedName) -> Project:
        """The project's files, judged; an empty project where no index knows it.

        :raises IndexAccessError: if an index can't be reached or understood
        :raises ResolutionError: if two indexes offer different files under this name
        :raises InputError: if the user wants it from source only
        """
        known = self._projects.get(name)
        if known is None:
            with self._making.setdefault(name, threading.Lock()):
                known = self._projects.get(name)
                if known is None:
                    known = self._projects[name] = self._make_project(name)
        return known

    def matching(self, name: NormalizedName, specifier: SpecifierSet) -> tuple[Candidate, ...]:
        """The best candidate of each version that *specifier* and the constraints admit.

        Pre-releases are as ``packaging`` has them: left out while a final release satisfies,
        unless the specifier names one (version specifiers, "Handling of pre-releases").
        """
        limit = self._asked.limits.get(name)
        wanted = specifier if limit is None else specifier & limit
        key = (name, str(wanted))
        known = self._matching.get(key)
        if known is None:
            found = wanted.filter(
                self.project(name).versions,
                prereleases=self._asked.may_be_pre_release(name),
                key=lambda candidate: candidate.version,
            )
            known = self._matching[key] = tuple(found)
        return known

    def metadata(self, candidate: Candidate) -> CoreMetadata | Unusable:
        """What the candidate says of itself, or why it can't be used.

        :raises IndexAccessError: if it can't be fetched
        :raises IntegrityError: if what was fetched isn't what the index promised
        :raises SdistBuildError: if an allowed sdist can't be built
        """
        known = self._metadata.get(candidate.file.url)
        if known is None:
            if candidate.file.filename.endswith(".whl"):
                data = self._index.metadata(candidate.file)
            else:
                data = self.built(candidate).metadata
            known = self.read(data, candidate.name, candidate.version)
            self._metadata[candidate.file.url] = known
        return known

    def candidate_metadata(self, pin: Pin) -> CoreMetadata | Unusable:
        """What a pin says of itself; see :meth:`metadata`."""
        if pin.candidate is not None:
            return self.metadata(pin.candidate)
        known = self._metadata.get(pin.name)
        if known is None:
            data = pin.built.metadata if pin.built is not None else b""
            known = self._metadata[pin.name] = self.read(data, pin.name, pin.version)
        return known

    def limit(self, name: NormalizedName) -> SpecifierSet | None:
        """What the constraints admit of a project; None where they don't speak of it."""
        return self._asked.limits.get(name)

    def admits_pre_releases(self, name: NormalizedName, specifiers: Sequence[SpecifierSet]) -> bool:
        """Whether pre-releases of a project count although final releases satisfy."""
        choice = self._asked.may_be_pre_release(name)
        if choice is None:
            return any(specifier.prereleases for specifier in specifiers)
        return choice

    def known_problem(self, candidate: Candidate) -> Unusable | None:
        """Why a candidate can't be used, as far as its metadata was read already."""
        known = self._metadata.get(candidate.file.url)
        return known if isinstance(known, Unusable) else None

    def built(self, candidate: Candidate) -> BuiltWheel:
        """The wheel that an allowed sdist was made into.

        :raises SdistBuildError: if it can't be built, or gives a native wheel
        """
        with self._building:
            known = self._built.get(candidate.file.url)
            if known is None:
                known = self._builder.from_sdist(candidate.name, candidate.file)
                self._built[candidate.file.url] = known
            return known

    def read(self, data: bytes, name: NormalizedName, version: Version) -> CoreMetadata | Unusable:
        """Read METADATA, and check what the page may not have said."""
        try:
            metadata = self._reader.read(data, name=name, version=version)
        except UnusableMetadataError as error:
            return Unusable(name=name, version=version, reason="metadata", detail=str(error))
        python = metadata.requires_python
        if python is not None and not accepts_python(python, self._python):
            return Unusable(name=name, version=version, reason="requires-python", detail=python)
        return metadata

    def _make_project(self, name: NormalizedName) -> Project:
        policy = self._asked.policy
        self._check_source_only(name)
        page = self._index.page(name)
        files = page.files
        if policy.index_strategy == "first" and len(page.found_on) > 1:
            files = [file for file in files if file.index == page.found_on[0]]
        rules = FileRules(
            allow_sdist=name in policy.allow_sdist,
            exclude_newer=policy.exclude_newer,
            hashes=self._asked.hashes.get(name),
            pinned=self._asked.pinned.get(name, frozenset()),
            indexes=page.found_on,
        )
        judged = self._judge.judge(name, files, rules)
        if policy.index_strategy == "safe":
            check_indexes(name, self._eligible(name, judged.candidates), page)
        best: dict[Version, Candidate] = {}
        for candidate in judged.candidates:
            best.setdefault(candidate.version, candidate)
        return Project(page=page, judged=judged, versions=tuple(best.values()))

    def _eligible(
        self, name: NormalizedName, candidates: Sequence[Candidate]
    ) -> Sequence[Candidate]:
        """Those that the user's own words leave: of the others it doesn't matter who has them."""
        bound = self._asked.bounds.get(name)
        if bound is None:
            return candidates
        return [found for found in candidates if bound.contains(found.version, prereleases=True)]

    def _check_source_only(self, name: NormalizedName) -> None:
        """A line that names a project beats ``:all:``, as pip has it."""
        everything = ":all:" in self._no_binary and name not in self._only_binary
        allowed = name in self._asked.policy.allow_sdist
        if allowed or not (everything or name in self._no_binary):
            return
        raise InputError(
            f"--no-binary asks for {name} from source, and a package is made of wheels",
            hint=f"remove that --no-binary, or let its sdist be built: --allow-sdist {name}",
            rule="no-binary",
        )


def check_indexes(name: NormalizedName, candidates: Sequence[Candidate], page: ProjectPage) -> None:
    """Refuse a project that two indexes offer with different files for the target.

    Whoever can publish under a name on one index could otherwise replace what is meant on the
    other. Files are the same where their sha256 is, whatever index serves them and whatever it
    says of them; an index that has nothing of its own, such as a partial mirror, changes nothing.

    :raises ResolutionError: naming the indexes and what each alone has
    """
    if len(page.found_on) < 2:
        return
    alone = _own_versions(candidates, page)
    if len(alone) < 2:
        return
    raise ResolutionError(
        f"{len(alone)} indexes offer different files of {name}",
        context=tuple(
            f"only {root}: {first_words([str(version) for version in alone[root]], 3)}"
            for root in sorted(alone)
        ),
        hint="say which one is meant: --index-strategy first takes the first index that has a"
        " project; pin a version that only one of them has; or leave one of them out",
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
            holders.setdefault(_identity(file), set()).add(file.index)
    alone: dict[str, set[Version]] = {}
    for candidate in candidates:
        if len(holders[_identity(candidate.file)]) == 1:
            alone.setdefault(candidate.file.index, set()).add(candidate.version)
    return {root: sorted(versions, reverse=True) for root, versions in alone.items()}


def _identity(file: ProjectFile) -> str:
    return file.hashes.get("sha256") or f"{file.filename} {file.url}"


def _names(said: tuple[str, ...]) -> frozenset[str]:
    return frozenset(text if text == ":all:" else canonicalize_name(text) for text in said)
