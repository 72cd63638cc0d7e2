"""An inspection as a JSON document; its keys are a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.report.folders import folders_of
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.report.inspection import Inspection, Portion


def inspection_document(inspection: Inspection) -> dict[str, Any]:
    """What the artifact holds, as JSON-ready values; sizes in bytes, biggest first."""
    target = inspection.target
    return {
        "version": 1,
        "crossdeps": __version__,
        "artifact": {
            "name": inspection.name,
            "kind": inspection.kind,
            "prefix": inspection.prefix,
            "entries": inspection.entries,
            "unzipped": inspection.size,
            "compressed": inspection.compressed,
            "sha256": inspection.sha256 or None,
            "architectures": list(inspection.machines),
            "glibc": inspection.glibc or None,
        },
        "target": target.describe() if target else None,
        "limits": {
            "of": inspection.limits_of,
            "unzipped": inspection.limits.unzipped,
            "direct_upload": inspection.limits.direct_upload,
        },
        "projects": [_portion(portion, inspection.prefix) for portion in inspection.portions],
        "warnings": list(inspection.warnings),
    }


def _portion(portion: Portion, prefix: str) -> dict[str, Any]:
    licence = portion.licence
    return {
        "name": portion.name or None,
        "version": portion.version or None,
        "unzipped": portion.size,
        "compressed": portion.compressed,
        "files": len(portion.entries),
        "architectures": list(portion.machines),
        "glibc": portion.glibc or None,
        "requires": list(portion.requires),
        "hashes": dict(sorted(portion.hashes.items())),
        "licence": {
            "text": licence.text or None,
            "expression": licence.expression or None,
            "source": licence.source or None,
            "files": list(licence.files),
            "missing_files": list(licence.missing),
        },
        "sboms": [sbom.path for sbom in portion.sboms],
        "folders": [
            {"path": folder.path, "unzipped": folder.size, "files": folder.files}
            for folder in folders_of(portion.entries, prefix)
        ],
    }
