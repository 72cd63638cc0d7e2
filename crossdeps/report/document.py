"""The report as a JSON document; its keys are a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.report.model import PackageLine, Report
    from crossdeps.resolution import PassedOver
    from crossdeps.target import ProvidedProject, Target
    from crossdeps.verify import Finding

DOCUMENT_VERSION = 1


def report_document(report: Report) -> dict[str, Any]:
    """The report of a build as JSON-ready values."""
    artifact = report.artifact
    facts = report.target.runtime_facts
    return {
        **_head(report.target),
        "artifact": {
            "path": str(artifact.path) if artifact.path else None,
            "kind": artifact.kind,
            "entries": artifact.entries,
            "size": artifact.size,
            "unzipped": artifact.unzipped,
            "sha256": artifact.sha256 or None,
            "code_sha256": artifact.code_sha256 or None,
        },
        "limits": (
            {"unzipped": facts.limits.unzipped, "direct_upload": facts.limits.direct_upload}
            if facts
            else None
        ),
        "packages": [_package(line) for line in report.packages],
        "findings": [finding_document(finding) for finding in report.findings],
        "removed": [
            {"rule": rule, "owner": owner, "size": size} for rule, owner, size in report.removed
        ],
        "provided": [_provided(project) for project in report.provided],
        "layers": [{"path": layer.path, "unzipped": layer.size} for layer in report.layers],
        "total_unzipped": report.total_unzipped,
        "indexes": list(report.indexes),
        "warnings": list(report.warnings),
        "notes": list(report.notes),
    }


def findings_document(
    target: Target, findings: Iterable[Finding], *, path: str | None = None
) -> dict[str, Any]:
    """The findings of a check as JSON-ready values."""
    return {
        **_head(target),
        "path": path,
        "findings": [finding_document(finding) for finding in findings],
    }


def _head(target: Target) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "crossdeps": __version__,
        "target": {
            "description": target.describe(),
            "runtime": target.runtime_name,
            "implementation": "cp",
            "python": target.python,
            "abi": target.abi,
            "arch": target.arch,
            "libc": str(target.libc),
            "platforms": list(target.platforms),
        },
    }


def _package(line: PackageLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "version": line.version,
        "wheel": line.wheel,
        "sha256": line.sha256,
        "tags": list(line.tags),
        "size": line.size,
        "requested": line.requested,
        "passed_over": [_passed_over(item) for item in line.passed_over],
    }


def _provided(project: ProvidedProject) -> dict[str, Any]:
    return {
        "name": project.name,
        "version": str(project.version) if project.version else None,
        "certainty": project.certainty,
        "seen": project.seen.isoformat() if project.seen else None,
        "source": project.source or None,
    }


def _passed_over(item: PassedOver) -> dict[str, Any]:
    return {
        "version": str(item.version),
        "reason": item.reason,
        "detail": item.detail,
        "forced_by_target": item.forced_by_target,
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as JSON-ready values."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "path": finding.path,
        "paths": list(finding.paths or filter(None, [finding.path])),
        "owner": finding.owner,
        "message": finding.message,
        "hint": finding.hint,
        "details": list(finding.details),
    }
