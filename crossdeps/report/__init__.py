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
from crossdeps.report.html_page import render_html
from crossdeps.report.inspection import Inspection, inspect_bundle
from crossdeps.report.inspection_document import inspection_document
from crossdeps.report.inspection_text import render_inspection, render_licences
from crossdeps.report.lock_snapshot import snapshot_lock
from crossdeps.report.locking import (
    Divergence,
    LockReport,
    PinChange,
    find_changes,
    find_divergences,
    lock_document,
    render_change,
    render_divergence,
)
from crossdeps.report.model import Artifact, LayerLine, PackageLine, Report
from crossdeps.report.sizes import human_size
from crossdeps.report.snapshot import Snapshot, snapshot_bundle
from crossdeps.report.text import render_findings, render_report
from crossdeps.report.why import Why, explain_choice, explain_locked
from crossdeps.report.why_renderings import render_why, why_document

__all__ = [
    "Artifact",
    "Comparison",
    "Divergence",
    "Inspection",
    "LayerLine",
    "LockReport",
    "PackageLine",
    "PinChange",
    "Report",
    "Snapshot",
    "Why",
    "compare_snapshots",
    "comparison_document",
    "explain_choice",
    "explain_locked",
    "find_changes",
    "find_divergences",
    "finding_document",
    "findings_document",
    "human_size",
    "inspect_bundle",
    "inspection_document",
    "lock_document",
    "render_change",
    "render_comparison",
    "render_comparison_markdown",
    "render_divergence",
    "render_findings",
    "render_html",
    "render_inspection",
    "render_licences",
    "render_report",
    "render_why",
    "report_document",
    "snapshot_bundle",
    "snapshot_lock",
    "why_document",
]
