"""The result of a build, and the JSON documents of builds and checks.

The keys of the documents are part of the interface.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - `inspect.signature` evaluates annotations
from functools import partial
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any, Final, Literal

from crossdeps.finding import Finding  # noqa: TC001 - as above
from crossdeps.resolution.rejections import SkippedVersion  # noqa: TC001 - as above
from crossdeps.target.model import Target  # noqa: TC001 - as above
from crossdeps.target.runtimes import ProvidedProject  # noqa: TC001 - as above
from crossdeps.text import human_size, plural
from crossdeps.value import Value
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.markers import Environment
    from packaging.pylock import Pylock
    from packaging.tags import Tag

_DOCUMENT_VERSION: Final = 1


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
    :param sha256: hex digest of the wheel; empty if a dry run knows none
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

    def __repr__(self) -> str:
        return f"<Report: {self._summarize()}>"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from html import escape  # noqa: PLC0415 - for notebooks only

        rows = [
            (line.name, line.version, line.wheel, human_size(line.size)) for line in self.packages
        ]
        cells = [f"<td>{'</td><td>'.join(map(escape, row))}</td>" for row in rows]
        notices = [*map(str, self.findings), *self.warnings, *self.notes]
        return (
            f"<p>{escape(self._summarize())}</p>"
            "<table><thead><tr><th>project</th><th>version</th><th>wheel</th><th>size</th></tr>"
            f"</thead><tbody>{''.join(f'<tr>{cell}</tr>' for cell in cells)}</tbody></table>"
            + "".join(f"<p>{escape(text)}</p>" for text in notices)
        )

    def _summarize(self) -> str:
        artifact = self.artifact
        parts = [f"{plural(len(self.packages), 'package')} for {self.target.describe()}"]
        parts.append(f"{artifact.path or 'nothing written'}, {human_size(artifact.size)}")
        parts += [plural(len(self.findings), "finding")] if self.findings else []
        parts += [plural(len(self.warnings), "warning")] if self.warnings else []
        return "; ".join(parts)

    def __reduce__(self) -> tuple[Callable[..., Report], tuple[object, ...]]:
        """Support pickle and copy: what reads the lock may not be picklable, unlike the lock."""
        names = [name for name in self.__struct_fields__ if name != "read_lock"]
        return _restore, ({name: getattr(self, name) for name in names}, self.lock)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps build``."""
        artifact = self.artifact
        facts = self.target.runtime_facts
        return {
            **_build_head(self.target),
            "artifact": {
                "path": str(artifact.path) if artifact.path else None,
                "kind": artifact.kind,
                "entries": artifact.entries,
                "size": artifact.size,
                "unzipped": artifact.unzipped,
                "sha256": artifact.sha256 or None,
                "code_sha256": artifact.code_sha256 or None,
                "estimated": artifact.estimated,
                "planned_path": str(artifact.planned_path) if artifact.planned_path else None,
            },
            "limits": (
                {"unzipped": facts.limits.unzipped, "direct_upload": facts.limits.direct_upload}
                if facts
                else None
            ),
            "packages": [_package_document(line) for line in self.packages],
            "findings": [finding.to_dict() for finding in self.findings],
            "removed": [
                {"rule": rule, "owner": owner, "size": size} for rule, owner, size in self.removed
            ],
            "source_left_out": [
                {"reason": reason, "path": path} for reason, path in self.source_left_out
            ],
            "provided": [_provided_document(project) for project in self.provided],
            "layers": [{"path": layer.path, "unzipped": layer.size} for layer in self.layers],
            "total_unzipped": self.total_unzipped,
            "indexes": list(self.indexes),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }


class Tags(Value, frozen=True, kw_only=True):
    """The wheel tags that a target accepts, and its markers."""

    target: Target

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags, best first."""
        return self.target.tags

    @property
    def environment(self) -> Environment:
        """The value of every marker."""
        return self.target.environment

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps tags``."""
        return {
            **_build_head(self.target),
            "tags": [str(tag) for tag in self.tags],
            "environment": dict(self.environment),
        }


def _restore(values: Mapping[str, Any], lock: Pylock) -> Report:
    return Report(**values, read_lock=partial(_give, lock))


def _give(lock: Pylock) -> Pylock:
    return lock


def findings_document(
    target: Target, findings: Iterable[Finding], *, path: str | None = None
) -> dict[str, Any]:
    """Build the JSON document of a check."""
    return {
        **_build_head(target),
        "path": path,
        "findings": [finding.to_dict() for finding in findings],
    }


def _build_head(target: Target) -> dict[str, Any]:
    """Build what every document about a target begins with."""
    return {
        "version": _DOCUMENT_VERSION,
        "crossdeps": __version__,
        "target": target.to_dict(),
    }


def _package_document(line: PackageLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "version": line.version,
        "wheel": line.wheel,
        "sha256": line.sha256 or None,
        "tags": list(line.tags),
        "size": line.size,
        "requested": line.requested,
        "passed_over": [skipped_document(item) for item in line.skipped_versions],
    }


def _provided_document(project: ProvidedProject) -> dict[str, Any]:
    return {
        "name": project.name,
        "version": str(project.version) if project.version else None,
        "certainty": project.certainty,
        "seen": project.seen.isoformat() if project.seen else None,
        "source": project.source or None,
    }


def skipped_document(item: SkippedVersion) -> dict[str, Any]:
    """Build the JSON object of one skipped version."""
    return {
        "version": str(item.version),
        "reason": item.reason.value,
        "detail": item.detail,
        "forced_by_target": item.forced_by_target,
    }
