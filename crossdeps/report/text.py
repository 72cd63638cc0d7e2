"""The report as text for people; nothing in it needs colour to be understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report.downgrades import describe_downgrade
from crossdeps.report.sizes import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.model import PackageLine, Report
    from crossdeps.verify import Finding

_NEAR = 0.8
_BIGGEST = 8
_ALIKE = 3
_NAMED = 60  # paths; who looks for one file finds it in most packages


def render_report(report: Report) -> str:
    """The summary of a build: target, packages, what was passed over, sizes, findings."""
    blocks = [
        f"Target    {report.target.describe()}",
        _packages(report.packages),
        _downgrades(report),
        _removed(report),
        _provided(report),
        _biggest(report),
        render_findings(report.findings),
        _artifact(report),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_findings(findings: Iterable[Finding]) -> str:
    """Findings, a block each: severity, rule and message, then the hint.

    What the same rule finds again in the same project, with the same hint, is one block: forty
    binaries of numpy for another machine are one thing to do.
    """
    groups: dict[tuple[str, str | None, str | None], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike = (finding.rule, finding.owner, finding.hint)
        alone = finding.owner is None or finding.details
        groups.setdefault((*alike[:2], str(number)) if alone else alike, []).append(finding)
    return "\n".join(_block(group) for group in groups.values())


def _block(group: Sequence[Finding]) -> str:
    finding, *more = group
    lines = [f"{finding.severity}[{finding.rule}]: {finding.message}"]
    place = " · ".join(part for part in (finding.path, finding.owner or "") if part)
    if place:
        lines.append(f"  {place}")
    lines += [f"  {detail}" for detail in finding.details]
    lines += [f"  also: {one.message}" for one in more[:_ALIKE]]
    if rest := more[_ALIKE:]:
        paths = list(dict.fromkeys(one.path for one in rest if one.path))
        named = f": {', '.join(paths[:_NAMED])}" if paths else ""
        others = "" if 0 < len(paths) <= _NAMED else "; --json has them all"
        lines.append(f"  and {len(rest)} more in {finding.owner}{named}{others}")
    if finding.hint:
        lines.append(f"  hint: {finding.hint}")
    return "\n".join(lines)


def _packages(packages: Sequence[PackageLine]) -> str:
    if not packages:
        return "0 packages: nothing was asked for under this target"
    rows = [
        (line.name, line.version, _best_tag(line.tags), human_size(line.size)) for line in packages
    ]
    count = "1 package" if len(rows) == 1 else f"{len(rows)} packages"
    return f"{count}\n{_table(rows)}"


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
        if (text := describe_downgrade(line.name, line.version, line.passed_over))
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
