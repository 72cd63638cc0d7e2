"""What do we tell? Reports and comparisons as values, and their renderings."""

from crossdeps.report.comparison import Comparison, compare_snapshots
from crossdeps.report.diff_document import comparison_document
from crossdeps.report.diff_markdown import render_comparison_markdown
from crossdeps.report.diff_text import render_comparison
from crossdeps.report.document import (
    finding_document,
    findings_document,
    report_document,
)
from crossdeps.report.lock_snapshot import snapshot_lock
from crossdeps.report.model import Artifact, PackageLine, Report
from crossdeps.report.sizes import human_size
from crossdeps.report.snapshot import Snapshot, snapshot_bundle
from crossdeps.report.text import render_findings, render_report

__all__ = [
    "Artifact",
    "Comparison",
    "PackageLine",
    "Report",
    "Snapshot",
    "compare_snapshots",
    "comparison_document",
    "finding_document",
    "findings_document",
    "human_size",
    "render_comparison",
    "render_comparison_markdown",
    "render_findings",
    "render_report",
    "report_document",
    "snapshot_bundle",
    "snapshot_lock",
]
