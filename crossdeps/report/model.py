"""The result of a build, and how it is kept."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - `inspect.signature` evaluates annotations
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from crossdeps.finding import Finding
from crossdeps.resolution.rejections import Reason, SkippedVersion
from crossdeps.target.model import Target  # noqa: TC001 - as above
from crossdeps.target.runtimes import ProvidedProject  # noqa: TC001 - as above
from crossdeps.value import Value

if TYPE_CHECKING:
    from packaging.pylock import Pylock


class Artifact(Value, frozen=True, kw_only=True):
    """What was written.

    :param path: absolute; None for a dry run
    :param size: bytes of the zip; of the files for a directory
    :param unzipped: unzipped bytes of all files, which Lambda's limit counts
    :param sha256: hex digest of a zip; empty for a directory
    :param code_sha256: the same digest in base64, as Lambda's ``CodeSha256`` and Terraform's
        ``source_code_hash`` have it; empty for a directory
    :param estimated: whether a dry run did not have every wheel: the sizes here and of the packages
        are then those of the wheels, as their index states them, and entries are not counted
    :param planned_path: where a dry run would have written it, absolute
    """

    path: Path | None
    kind: Literal["directory", "zip"]
    entries: int
    size: int
    unzipped: int
    sha256: str = ""
    code_sha256: str = ""
    estimated: bool = False
    planned_path: Path | None = None


class PackageLine(Value, frozen=True, kw_only=True):
    """One project of the artifact.

    :param wheel: file name of the wheel
    :param sha256: hex digest of the wheel
    :param tags: the tags of the wheel's file name, such as ``py3-none-any``, sorted
    :param size: unzipped bytes of its files in the artifact
    :param requested: whether one of the user's requirements names it
    :param skipped_versions: newer versions with the reason why each was not chosen, newest first;
        empty for a build from a lock
    """

    name: str
    version: str
    wheel: str
    sha256: str
    tags: tuple[str, ...]
    size: int
    requested: bool
    skipped_versions: tuple[SkippedVersion, ...] = ()


class LayerLine(Value, frozen=True, kw_only=True):
    """A layer that is deployed together with the artifact.

    :param size: bytes of all files, unzipped
    """

    path: str
    size: int


class Report(Value, frozen=True, kw_only=True):
    """The result of a build.

    :param read_lock: reads the lock that the artifact was built from
    :param packages: sorted by name
    :param removed: files that trimming excluded: (rule, owner, bytes)
    :param provided: projects that the runtime provides, sorted by name
    :param layers: in the order in which they were specified
    :param indexes: URLs of the indexes used, without credentials
    :param warnings: one sentence each
    :param notes: decisions made for the user, one sentence each
    :param source_left_out: of the source, what isn't meant for deployment: (``secrets``, ``tools``
        or ``links``, path)
    """

    target: Target
    artifact: Artifact
    read_lock: Callable[[], Any]
    packages: tuple[PackageLine, ...]
    findings: tuple[Finding, ...] = ()
    removed: tuple[tuple[str, str, int], ...] = ()
    provided: tuple[ProvidedProject, ...] = ()
    layers: tuple[LayerLine, ...] = ()
    indexes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source_left_out: tuple[tuple[str, str], ...] = ()

    @property
    def lock(self) -> Pylock:
        """The lock that the artifact was built from (PEP 751)."""
        lock: Pylock = self.read_lock()
        return lock

    @property
    def total_unzipped(self) -> int:
        """Unzipped bytes of the artifact and its layers, which Lambda's limit counts."""
        return self.artifact.unzipped + sum(layer.size for layer in self.layers)


class KeptReport(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a report says of the content of an artifact, in a form that can be stored.

    :param packages: a mapping of the fields of each
    :param findings: the same
    :param left_out: names of the projects that are left to the runtime
    """

    packages: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    removed: tuple[tuple[str, str, int], ...]
    left_out: tuple[str, ...]
    indexes: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    source_left_out: tuple[tuple[str, str], ...]


def keep_report(report: Report) -> KeptReport:
    """Return the storable form of *report*, which must be of an artifact without layers."""
    return KeptReport(
        packages=tuple(msgspec.to_builtins(line, enc_hook=str) for line in report.packages),
        findings=tuple(msgspec.to_builtins(finding) for finding in report.findings),
        removed=report.removed,
        left_out=tuple(project.name for project in report.provided),
        indexes=report.indexes,
        warnings=report.warnings,
        notes=report.notes,
        source_left_out=report.source_left_out,
    )


def restore_packages(kept: KeptReport) -> tuple[PackageLine, ...]:
    """Return the packages of a stored report."""
    return tuple(
        PackageLine(
            **{
                **values,
                "tags": tuple(values["tags"]),
                "skipped_versions": tuple(map(_restore_skipped, values["skipped_versions"])),
            }
        )
        for values in kept.packages
    )


def _restore_skipped(values: dict[str, str]) -> SkippedVersion:
    from packaging.version import Version  # noqa: PLC0415 - few packages have newer versions

    return SkippedVersion(Version(values["version"]), Reason(values["reason"]), values["detail"])


def restore_findings(kept: KeptReport) -> tuple[Finding, ...]:
    """Return the findings of a stored report."""
    return tuple(
        Finding(
            **{
                **values,
                "details": tuple(values["details"]),
                "paths": tuple(values["paths"]),
            }
        )
        for values in kept.findings
    )
