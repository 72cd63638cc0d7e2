"""A resolution in a form that can be stored, and back.

Only what the search chose is stored; the user's requirements are those of the run that reads it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
from packaging.tags import Tag
from packaging.utils import NormalizedName
from packaging.version import Version

from crossdeps.index.model import ProjectFile
from crossdeps.requirements.model import Origin  # noqa: TC001 - msgspec reads the annotation
from crossdeps.resolution.model import Candidate, Choice, RequiredBy, Resolution
from crossdeps.resolution.rejections import Reason, SkippedVersion

if TYPE_CHECKING:
    from crossdeps.requirements.model import Requirement
    from crossdeps.target.model import Target


class StoredFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A :class:`ProjectFile`, with its upload time in ISO 8601."""

    filename: str
    url: str
    hashes: dict[str, str]
    size: int | None
    requires_python: str | None
    upload_time: str | None
    yanked: str | None
    metadata_hashes: dict[str, str] | None
    index: str


class StoredChoice(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A :class:`Choice` of a wheel on an index.

    :param tag: interpreter, ABI and platform
    :param build: number and rest of the build tag
    :param required_by: parent, its version, origin and text of each
    :param skipped_versions: version, reason and detail of each
    """

    name: str
    version: str
    file: StoredFile
    tag: tuple[str, str, str]
    tag_rank: int
    build: tuple[int, str] | None
    extras: tuple[str, ...]
    required_by: tuple[tuple[str | None, str | None, Origin | None, str], ...]
    dependencies: tuple[str, ...]
    skipped_versions: tuple[tuple[str, str, str], ...]
    requires_python: str | None


class StoredResolution(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A :class:`Resolution` of which every choice is a wheel on an index."""

    choices: tuple[StoredChoice, ...]
    warnings: tuple[str, ...]


def store_resolution(resolution: Resolution) -> StoredResolution | None:
    """Return the storable form of *resolution*.

    :returns: None if a choice was built, or its file has no SHA-256: nothing says whether it would
        be the same again
    """
    choices = []
    for choice in resolution.choices.values():
        candidate = choice.candidate
        if candidate is None or choice.built or "sha256" not in candidate.file.hashes:
            return None
        choices.append(_store_choice(choice, candidate))
    return StoredResolution(choices=tuple(choices), warnings=resolution.warnings)


def _store_choice(choice: Choice, candidate: Candidate) -> StoredChoice:
    file, tag = candidate.file, candidate.tag
    return StoredChoice(
        name=choice.name,
        version=str(choice.version),
        file=StoredFile(
            filename=file.filename,
            url=file.url,
            hashes=dict(file.hashes),
            size=file.size,
            requires_python=file.requires_python,
            upload_time=file.upload_time.isoformat() if file.upload_time else None,
            yanked=file.yanked,
            metadata_hashes=None if file.metadata_hashes is None else dict(file.metadata_hashes),
            index=file.index,
        ),
        tag=(tag.interpreter, tag.abi, tag.platform),
        tag_rank=candidate.tag_rank,
        build=candidate.build or None,
        extras=tuple(sorted(choice.extras)),
        required_by=tuple(
            (
                item.parent,
                None if item.parent_version is None else str(item.parent_version),
                item.origin,
                item.text,
            )
            for item in choice.required_by
        ),
        dependencies=choice.dependencies,
        skipped_versions=tuple(
            (str(item.version), item.reason.value, item.detail) for item in choice.skipped_versions
        ),
        requires_python=choice.requires_python,
    )


def restore_resolution(
    stored: StoredResolution, target: Target, requirements: tuple[Requirement, ...]
) -> Resolution:
    """Return the resolution that was stored.

    :param requirements: of the user, as the resolution had them
    """
    choices = map(_restore_choice, stored.choices)
    return Resolution(
        target=target,
        requirements=requirements,
        choices={choice.name: choice for choice in choices},
        warnings=stored.warnings,
    )


def _restore_choice(stored: StoredChoice) -> Choice:
    name, version, file = NormalizedName(stored.name), Version(stored.version), stored.file
    uploaded = file.upload_time
    return Choice(
        name=name,
        version=version,
        candidate=Candidate(
            name=name,
            version=version,
            file=ProjectFile(
                filename=file.filename,
                url=file.url,
                hashes=file.hashes,
                size=file.size,
                requires_python=file.requires_python,
                upload_time=datetime.datetime.fromisoformat(uploaded) if uploaded else None,
                yanked=file.yanked,
                metadata_hashes=file.metadata_hashes,
                index=file.index,
            ),
            tag=Tag(*stored.tag),
            tag_rank=stored.tag_rank,
            build=stored.build or (),
        ),
        extras=frozenset(map(NormalizedName, stored.extras)),
        required_by=tuple(
            RequiredBy(
                parent=None if parent is None else NormalizedName(parent),
                parent_version=None if parent_version is None else Version(parent_version),
                origin=origin,
                text=text,
            )
            for parent, parent_version, origin, text in stored.required_by
        ),
        dependencies=tuple(map(NormalizedName, stored.dependencies)),
        skipped_versions=tuple(
            SkippedVersion(Version(version), Reason(reason), detail)
            for version, reason, detail in stored.skipped_versions
        ),
        requires_python=stored.requires_python,
    )
