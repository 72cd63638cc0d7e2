"""What do we tell? One report, and its renderings as text and JSON."""

from crossdeps.report.document import (
    finding_document,
    findings_document,
    report_document,
)
from crossdeps.report.model import Artifact, PackageLine, Report
from crossdeps.report.sizes import human_size
from crossdeps.report.text import render_findings, render_report

__all__ = [
    "Artifact",
    "PackageLine",
    "Report",
    "finding_document",
    "findings_document",
    "human_size",
    "render_findings",
    "render_report",
    "report_document",
]
