"""One sentence for each project that the target keeps on an older version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.resolution.rejections import Reason
from crossdeps.text import human_size, plural
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.model import PackageLine, Report
    from crossdeps.resolution.rejections import SkippedVersion
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import ProvidedProject
    from crossdeps.verify.model import Finding


def describe_downgrade(name: str, version: str, skipped_versions: Sequence[SkippedVersion]) -> str:
    """Say which newer version exists and what it would take, or nothing where none was forced.

    :returns: such as ``numpy 2.2.6, not 2.5.5: it requires glibc 2.28, which python3.12 and later
        have``; where another reason stands first, the newest version that a newer C library
        would give is told as well
    """
    forced = next((item for item in skipped_versions if item.forced_by_target), None)
    if forced is None:
        return ""
    told = f"{name} {version}, not {forced.version}: {forced.describe()}"
    newer_glibc = next((item for item in skipped_versions if item.reason is Reason.GLIBC), None)
    if newer_glibc is None or forced.reason is Reason.GLIBC:
        return told
    # The newest often drops old Pythons; what a newer C library alone would give is news, too.
    return f"{told}; nor {newer_glibc.version}: {newer_glibc.describe()}"


_NEAR = 0.8
_BIGGEST = 8
_ALIKE = 3  # findings shown beside the first one of a kind


def render_report(report: Report, *, verbose: bool = False) -> str:
    """The summary of a build: target, packages, what was passed over, sizes, findings.

    :param verbose: show every file of a finding
    """
    blocks = [
        f"Target    {report.target.describe()}",
        _packages(report.packages),
        _downgrades(report),
        _removed(report),
        _provided(report),
        _biggest(report),
        render_findings(report.findings, verbose=verbose),
        _artifact(report),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_findings(findings: Iterable[Finding], *, verbose: bool = False) -> str:
    """Findings, a block each: severity, rule and message, then the hint.

    Findings of the same rule in the same project with the same hint are one block: forty binaries
    of numpy for another machine are one thing to do. Of these, the first few are shown, and the
    others counted.

    :param verbose: show all of them
    """
    groups: dict[tuple[str, str | None, str | None], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike = (finding.rule, finding.owner, finding.hint)
        alone = finding.owner is None or finding.details
        groups.setdefault((*alike[:2], str(number)) if alone else alike, []).append(finding)
    return "\n".join(_block(group, verbose=verbose) for group in groups.values())


def _block(group: Sequence[Finding], *, verbose: bool) -> str:
    finding, *more = group
    lines = [f"{finding.severity}[{finding.rule}]: {finding.message}"]
    place = " · ".join(part for part in (finding.path, finding.owner or "") if part)
    if place:
        lines.append(f"  {place}")
    lines += [f"  {detail}" for detail in finding.details]
    others = list(dict.fromkeys(each.message for each in more))
    shown = others if verbose else others[:_ALIKE]
    lines += [f"  also: {message}" for message in shown]
    if hidden := len(others) - len(shown):
        lines.append(f"  and {hidden:,} more in {finding.owner} (-v shows them)")
    if finding.hint:
        lines.append(f"  hint: {finding.hint}")
    return "\n".join(lines)


def _packages(packages: Sequence[PackageLine]) -> str:
    if not packages:
        return "0 packages: nothing was asked for under this target"
    rows = [
        (line.name, line.version, _best_tag(line.tags), human_size(line.size)) for line in packages
    ]
    return f"{plural(len(rows), 'package')}\n{_table(rows)}"


def _best_tag(tags: Sequence[str]) -> str:
    """One tag that tells most; the others differ only in the name of the same platform."""
    if not tags:
        return ""
    first = min(tags, key=lambda tag: ("manylinux_" not in tag, tag[:3] == "py2", tag))
    return f"{first} (+{len(tags) - 1})" if len(tags) > 1 else first


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append("  " + "  ".join([*cells, row[-1].rjust(widths[-1])]))
    return "\n".join(lines)


def _downgrades(report: Report) -> str:
    lines = [
        f"  {text}"
        for line in report.packages
        if (text := describe_downgrade(line.name, line.version, line.skipped_versions))
    ]
    return "\n".join(["Older than the newest because of the target", *lines]) if lines else ""


def _removed(report: Report) -> str:
    if not report.removed:
        return ""
    rows = [(rule, owner, human_size(size)) for rule, owner, size in report.removed]
    return f"Left out\n{_table(rows)}"


def _provided(report: Report) -> str:
    rows = [f"  {project.describe()}" for project in report.provided]
    return "\n".join([f"Left to {report.target.runtime_name}", *rows]) if rows else ""


def _biggest(report: Report) -> str:
    """What to look at where the limit is near."""
    facts = report.target.runtime_facts
    total = report.total_unzipped
    if facts is None or total < _NEAR * facts.limits.unzipped:
        return ""
    sizes = {f"{line.name} {line.version}": line.size for line in report.packages}
    sizes |= {f"layer {layer.path}": layer.size for layer in report.layers}
    rows = sorted(sizes.items(), key=lambda row: (-row[1], row[0]))[:_BIGGEST]
    table = _table([(name, f"{100 * size / total:.0f}%", human_size(size)) for name, size in rows])
    return f"Biggest\n{table}"


def _artifact(report: Report) -> str:
    artifact = report.artifact
    facts = report.target.runtime_facts
    where = str(artifact.path) if artifact.path else "nothing written (dry run)"
    lines = [f"Output    {where}"]
    unzipped = f"{human_size(artifact.unzipped)} unzipped in {artifact.entries:,} files"
    if report.layers:
        unzipped += f", {human_size(report.total_unzipped)} with its layers"
    if facts:
        share = 100 * report.total_unzipped / facts.limits.unzipped
        unzipped += f", {share:.0f}% of Lambda's {human_size(facts.limits.unzipped)}"
    if artifact.kind == "zip":
        lines.append(f"Size      {human_size(artifact.size)} zipped, {unzipped}")
        if artifact.code_sha256:
            lines.append(f"SHA-256   {artifact.sha256}")
            lines.append(f"          {artifact.code_sha256} (CodeSha256)")
    else:
        lines.append(f"Size      {unzipped}")
    return "\n".join(lines)


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
        "provided": [_provided_document(project) for project in report.provided],
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
        "passed_over": [_passed_over(item) for item in line.skipped_versions],
    }


def _provided_document(project: ProvidedProject) -> dict[str, Any]:
    return {
        "name": project.name,
        "version": str(project.version) if project.version else None,
        "certainty": project.certainty,
        "seen": project.seen.isoformat() if project.seen else None,
        "source": project.source or None,
    }


def _passed_over(item: SkippedVersion) -> dict[str, Any]:
    return {
        "version": str(item.version),
        "reason": item.reason.value,
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
