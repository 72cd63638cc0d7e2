"""What do we tell? Reports and comparisons as values, and their renderings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report.model import Artifact, LayerLine, PackageLine, Report

if TYPE_CHECKING:
    from crossdeps.report.comparison import Comparison, compare_snapshots
    from crossdeps.report.diff_document import comparison_document
    from crossdeps.report.diff_markdown import render_comparison_markdown
    from crossdeps.report.diff_text import render_comparison
    from crossdeps.report.document import finding_document, findings_document, report_document
    from crossdeps.report.html_page import render_html
    from crossdeps.report.inspection import Inspection, inspect_bundle
    from crossdeps.report.inspection_keys import inspection_document
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

_HOMES = {
    "Comparison": "crossdeps.report.comparison",
    "Divergence": "crossdeps.report.locking",
    "Inspection": "crossdeps.report.inspection",
    "LockReport": "crossdeps.report.locking",
    "PinChange": "crossdeps.report.locking",
    "Snapshot": "crossdeps.report.snapshot",
    "Why": "crossdeps.report.why",
    "compare_snapshots": "crossdeps.report.comparison",
    "comparison_document": "crossdeps.report.diff_document",
    "explain_choice": "crossdeps.report.why",
    "explain_locked": "crossdeps.report.why",
    "find_changes": "crossdeps.report.locking",
    "find_divergences": "crossdeps.report.locking",
    "finding_document": "crossdeps.report.document",
    "findings_document": "crossdeps.report.document",
    "human_size": "crossdeps.report.sizes",
    "inspect_bundle": "crossdeps.report.inspection",
    "inspection_document": "crossdeps.report.inspection_keys",
    "lock_document": "crossdeps.report.locking",
    "render_change": "crossdeps.report.locking",
    "render_comparison": "crossdeps.report.diff_text",
    "render_comparison_markdown": "crossdeps.report.diff_markdown",
    "render_divergence": "crossdeps.report.locking",
    "render_findings": "crossdeps.report.text",
    "render_html": "crossdeps.report.html_page",
    "render_inspection": "crossdeps.report.inspection_text",
    "render_licences": "crossdeps.report.inspection_text",
    "render_report": "crossdeps.report.text",
    "render_why": "crossdeps.report.why_renderings",
    "report_document": "crossdeps.report.document",
    "snapshot_bundle": "crossdeps.report.snapshot",
    "snapshot_lock": "crossdeps.report.lock_snapshot",
    "why_document": "crossdeps.report.why_renderings",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
