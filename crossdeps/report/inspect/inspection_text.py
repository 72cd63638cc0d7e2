"""An inspection as a JSON document; its keys are a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.report.inspect.inspection import group_by_folder
from crossdeps.text import human_size, plural, printable
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.report.inspect.inspection import Inspection, ProjectShare


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
        "projects": [_portion(share, inspection.prefix) for share in inspection.shares],
        "warnings": list(inspection.warnings),
    }


def _portion(share: ProjectShare, prefix: str) -> dict[str, Any]:
    licence = share.licence
    return {
        "name": share.name or None,
        "version": share.version or None,
        "unzipped": share.size,
        "compressed": share.compressed,
        "files": len(share.entries),
        "architectures": list(share.machines),
        "glibc": share.glibc or None,
        "requires": list(share.requires),
        "hashes": dict(sorted(share.hashes.items())),
        "licence": {
            "text": licence.text or None,
            "expression": licence.expression or None,
            "source": licence.source or None,
            "files": list(licence.files),
            "missing_files": list(licence.missing),
        },
        "sboms": [sbom.path for sbom in share.sboms],
        "folders": [
            {"path": folder.path, "unzipped": folder.size, "files": folder.files}
            for folder in group_by_folder(share.entries, prefix)
        ],
    }


OWN_FILES_LABEL = "own files"
_WORTH_FOLDERS = 0.02
_FEW_FOLDERS = 3


def render_inspection(inspection: Inspection, *, all_folders: bool = False) -> str:
    """What the artifact weighs, project by project and folder by folder, biggest first.

    :param all_folders: list every folder, not only the biggest of the biggest projects
    """
    count = len(inspection.projects)
    head = [
        f"Artifact  {printable(inspection.name)}",
        *([f"Target    {inspection.target.describe()}"] if inspection.target else []),
        f"Size      {describe_size(inspection)}",
        *_upload(inspection),
        *([f"Binaries  {describe_binaries(inspection)}"] if inspection.machines else []),
    ]
    rows: list[tuple[str, ...]] = []
    for share in inspection.shares:
        rows.append(_row(share, inspection.size))
        rows.extend(_folder_rows(share, inspection, all_folders=all_folders))
    blocks = ["\n".join(head), "\n".join([plural(count, "project"), *_table(rows)])]
    return "\n\n".join(blocks) + "\n"


def render_licences(inspection: Inspection) -> str:
    """Each project's licence, where it is said, its licence files; then what is missing."""
    projects = sorted(inspection.projects, key=lambda share: share.name)
    rows: list[tuple[str, ...]] = []
    for share in projects:
        licence = share.licence
        said = printable(licence.text) or "not said"
        source = f"({licence.source})" if licence.source else ""
        rows.append(
            (
                printable(share.name),
                printable(share.version),
                f"{said} {source}".rstrip(),
            )
        )
        rows.extend(("", "", f"  {printable(path)}") for path in licence.files)
    lines = _table(rows)
    gaps = [
        _gap("Without a licence in their metadata", [p for p in projects if not p.licence.text]),
        _gap("Without a licence file", [p for p in projects if not p.licence.files]),
        _gap(
            "Without a file that their metadata names",
            [p for p in projects if p.licence.missing],
        ),
    ]
    return "\n\n".join(block for block in ("\n".join(lines), *gaps) if block) + "\n"


def describe_size(inspection: Inspection) -> str:
    """Both sizes and the share of the limit, on one line."""
    share = 100 * inspection.size / inspection.limits.unzipped
    zipped = (
        "" if inspection.compressed is None else f"{human_size(inspection.compressed)} zipped, "
    )
    return (
        f"{zipped}{human_size(inspection.size)} unzipped in {inspection.entries:,} files,"
        f" {share:.0f}% of the {human_size(inspection.limits.unzipped)} that"
        f" {inspection.limits_of} accepts"
    )


def describe_binaries(held: Inspection | ProjectShare) -> str:
    """The machines that binaries are for, and the glibc that they need."""
    glibc = f"glibc {held.glibc}" if held.glibc else ""
    return ", ".join(part for part in (*held.machines, glibc) if part)


def _upload(inspection: Inspection) -> list[str]:
    limit = inspection.limits.direct_upload
    if inspection.compressed is None or inspection.compressed <= limit:
        return []
    return [f"          over {human_size(limit)}: upload it through S3"]


def _row(share: ProjectShare, total: int) -> tuple[str, ...]:
    percent = f"{100 * share.size / total:.0f}%" if total else ""
    zipped = f"{human_size(share.compressed)} zipped" if share.compressed else ""
    return (
        printable(share.name) or OWN_FILES_LABEL,
        printable(share.version),
        human_size(share.size),
        percent,
        zipped,
        describe_binaries(share),
    )


def _folder_rows(
    share: ProjectShare, inspection: Inspection, *, all_folders: bool
) -> list[tuple[str, ...]]:
    if not all_folders and share.size < _WORTH_FOLDERS * inspection.size:
        return []
    folders = group_by_folder(share.entries, inspection.prefix)
    shown = folders if all_folders else folders[:_FEW_FOLDERS]
    return [
        (f"  {printable(folder.path) or '(root)'}", "", human_size(folder.size), "", "", "")
        for folder in shown
    ]


def _gap(title: str, shares: Sequence[ProjectShare]) -> str:
    if not shares:
        return ""
    rows = [
        f"  {printable(share.name)}{': ' if share.licence.missing else ''}"
        f"{', '.join(map(printable, share.licence.missing))}"
        for share in shares
    ]
    return "\n".join([title, *rows])


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
