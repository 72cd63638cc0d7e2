"""The report of a build as text, and in the form in which it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from crossdeps.finding import Finding
from crossdeps.report.model import PackageLine
from crossdeps.resolution.rejections import Reason, SkippedVersion
from crossdeps.text import format_table, human_size, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.model import Report

_NEAR_LIMIT = 0.8
_MOST_LARGEST = 8
_MOST_SIMILAR = 3  # findings shown besides the first one of a group


def render_report(report: Report, *, verbose: bool = False) -> str:
    """Render the summary of a build: target, packages, downgrades, sizes, findings, output.

    :param verbose: show all findings of a group
    """
    downgrades = [
        f"  {text}"
        for line in report.packages
        if (text := describe_downgrade(line.name, line.version, line.skipped_versions))
    ]
    removed = [(rule, owner, human_size(size)) for rule, owner, size in report.removed]
    provided = [f"  {project.describe()}" for project in report.provided]
    blocks = [
        f"Target    {report.target.describe()}",
        _render_packages(report.packages),
        _join_block("Older than the newest because of the target", "\n".join(downgrades)),
        _join_block("Left out", format_table(removed, right=2)),
        _join_block(f"Left to {report.target.runtime_name}", "\n".join(provided)),
        _join_block("Largest", _render_largest(report)),
        render_findings(report.findings, verbose=verbose),
        _render_artifact(report),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _join_block(title: str, lines: str) -> str:
    return f"{title}\n{lines}" if lines else ""


def _render_packages(packages: Sequence[PackageLine]) -> str:
    if not packages:
        return "0 packages: no requirement applies to the target"
    rows = [
        (line.name, line.version, _summarize_tags(line.tags), human_size(line.size))
        for line in packages
    ]
    return _join_block(plural(len(rows), "package"), format_table(rows, right=3))


def _summarize_tags(tags: Sequence[str]) -> str:
    """Show the most telling tag; the others differ only in the name of the same platform."""
    if not tags:
        return ""
    first = min(tags, key=lambda tag: ("manylinux_" not in tag, tag[:3] == "py2", tag))
    return f"{first} (+{len(tags) - 1})" if len(tags) > 1 else first


def describe_downgrade(name: str, version: str, skipped_versions: Sequence[SkippedVersion]) -> str:
    """Name the newer version that the target rules out, and what it requires; else empty.

    :returns: such as ``numpy 2.2.6, not 2.5.5: it requires glibc 2.28, which python3.12 and later
        have``; if another reason comes first, also the newest version that only requires a newer
        C library
    """
    forced = next((item for item in skipped_versions if item.forced_by_target), None)
    if forced is None:
        return ""
    text = f"{name} {version}, not {forced.version}: {forced.describe()}"
    newer_glibc = next((item for item in skipped_versions if item.reason is Reason.GLIBC), None)
    if newer_glibc is None or forced.reason is Reason.GLIBC:
        return text
    # The newest version often drops old Pythons: one that a newer C library gives is useful too.
    return f"{text}; nor {newer_glibc.version}: {newer_glibc.describe()}"


def _render_largest(report: Report) -> str:
    """List the largest packages and layers if the total is near the limit of the runtime."""
    facts = report.target.runtime_facts
    total = report.total_unzipped
    if facts is None or total < _NEAR_LIMIT * facts.limits.unzipped:
        return ""
    sizes = {f"{line.name} {line.version}": line.size for line in report.packages}
    sizes |= {f"layer {layer.path}": layer.size for layer in report.layers}
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MOST_LARGEST]
    rows = [(name, f"{100 * size / total:.0f}%", human_size(size)) for name, size in largest]
    return format_table(rows, right=2)


def render_annotations(findings: Iterable[Finding], artifact: str) -> str:
    """Render findings as annotations of GitHub Actions, a line each.

    Source: GitHub's "Workflow commands for GitHub Actions"; the escapes are those of its toolkit.

    :param artifact: its path, for findings that are about no single file
    """
    lines = []
    for finding in findings:
        path = _escape_annotation(finding.path or artifact, is_property=True)
        title = _escape_annotation(finding.rule, is_property=True)
        text = "\n".join(filter(None, (finding.message, *finding.details, finding.hint)))
        lines.append(f"::{finding.severity} file={path},title={title}::{_escape_annotation(text)}")
    return "\n".join(lines)


def _escape_annotation(text: str, *, is_property: bool = False) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if is_property else escaped


def render_findings(findings: Iterable[Finding], *, verbose: bool = False) -> str:
    """Render each finding as a block: severity, rule and message, then the hint.

    Findings of one rule in one project with the same hint share a block: forty binaries of numpy
    for another machine are one thing to fix. The first few are shown, and the others counted.

    :param verbose: show all findings of a group
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        is_single = finding.owner is None or finding.details
        key = (finding.rule, finding.owner, number if is_single else finding.hint)
        groups.setdefault(key, []).append(finding)
    return "\n".join(_render_group(group, verbose=verbose) for group in groups.values())


def _render_group(group: Sequence[Finding], *, verbose: bool) -> str:
    finding, *similar = group
    lines = [f"{finding.severity}[{finding.rule}]: {finding.message}"]
    if location := " · ".join(filter(None, (finding.path, finding.owner))):
        lines.append(f"  {location}")
    lines += [f"  {detail}" for detail in finding.details]
    messages = list(dict.fromkeys(each.message for each in similar))
    shown = messages if verbose else messages[:_MOST_SIMILAR]
    lines += [f"  also: {message}" for message in shown]
    if hidden := len(messages) - len(shown):
        lines.append(f"  and {hidden:,} more in {finding.owner} (-v shows them)")
    if finding.hint:
        lines.append(f"  hint: {finding.hint}")
    return "\n".join(lines)


def _render_artifact(report: Report) -> str:
    artifact = report.artifact
    facts = report.target.runtime_facts
    path = artifact.path or f"{artifact.planned_path} (not written: dry run)"
    lines = [f"Output    {path}"]
    unzipped = f"{human_size(artifact.unzipped)} unzipped in {artifact.entries:,} files"
    if artifact.estimated:
        unzipped = f"at least {human_size(artifact.unzipped)} unzipped"
    if report.layers:
        unzipped += f", {human_size(report.total_unzipped)} with its layers"
    if facts:
        share = 100 * report.total_unzipped / facts.limits.unzipped
        unzipped += f", {share:.0f}% of Lambda's {human_size(facts.limits.unzipped)}"
    about = "about " if artifact.estimated else ""
    zipped = f"{about}{human_size(artifact.size)} zipped, " if artifact.kind == "zip" else ""
    lines.append(f"Size      {zipped}{unzipped}")
    if artifact.code_sha256:
        lines.append(f"SHA-256   {artifact.sha256}")
        lines.append(f"          {artifact.code_sha256} (CodeSha256)")
    return "\n".join(lines)


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
