"""An inspection as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report.diff.snapshot import OWN_FILES_LABEL
from crossdeps.report.inspect.inspection import group_by_folder
from crossdeps.text import format_table, human_size, plural, printable

if TYPE_CHECKING:
    from crossdeps.report.inspect.inspection import Inspection, ProjectShare


_FOLDERS_FROM = 0.02  # share of the artifact from which the folders of a project are listed
_MOST_FOLDERS = 3


def render_inspection(inspection: Inspection, *, all_folders: bool = False) -> str:
    """Render sizes by project and folder, largest first, as text.

    :param all_folders: list every folder, not only the largest of the largest projects
    """
    limit = inspection.limits.direct_upload
    lines = [f"Artifact  {printable(inspection.name)}"]
    if inspection.target:
        lines.append(f"Target    {inspection.target.describe()}")
    lines.append(f"Size      {_describe_size(inspection)}")
    if inspection.compressed is not None and inspection.compressed > limit:
        lines.append(f"          over {human_size(limit)}: upload it through S3")
    if inspection.machines:
        lines.append(f"Binaries  {describe_binaries(inspection)}")
    rows: list[tuple[str, ...]] = []
    for share in inspection.shares:
        rows.append(_build_row(share, inspection.size))
        rows.extend(_build_folder_rows(share, inspection, all_folders=all_folders))
    title = plural(len(inspection.projects), "project")
    blocks = ["\n".join(lines), f"{title}\n{format_table(rows)}".rstrip()]
    return "\n\n".join(blocks) + "\n"


def _describe_size(inspection: Inspection) -> str:
    """Both sizes and the used part of the limit."""
    limit = inspection.limits.unzipped
    zipped = inspection.compressed
    return (
        f"{'' if zipped is None else f'{human_size(zipped)} zipped, '}"
        f"{human_size(inspection.size)} unzipped in {inspection.entries:,} files,"
        f" {100 * inspection.size / limit:.0f}% of the {human_size(limit)} that"
        f" {inspection.limits_of} accepts"
    )


def describe_binaries(subject: Inspection | ProjectShare) -> str:
    """The machines of the binaries, and the glibc that they require."""
    glibc = f"glibc {subject.glibc}" if subject.glibc else ""
    return ", ".join(part for part in (*subject.machines, glibc) if part)


def _build_row(share: ProjectShare, total: int) -> tuple[str, ...]:
    return (
        printable(share.name) or OWN_FILES_LABEL,
        printable(share.version),
        human_size(share.size),
        f"{100 * share.size / total:.0f}%" if total else "",
        f"{human_size(share.compressed)} zipped" if share.compressed else "",
        describe_binaries(share),
    )


def _build_folder_rows(
    share: ProjectShare, inspection: Inspection, *, all_folders: bool
) -> list[tuple[str, ...]]:
    if not all_folders and share.size < _FOLDERS_FROM * inspection.size:
        return []
    folders = group_by_folder(share.entries, inspection.prefix)
    return [
        (f"  {printable(folder.path) or '(root)'}", "", human_size(folder.size), "", "", "")
        for folder in (folders if all_folders else folders[:_MOST_FOLDERS])
    ]


def render_licences(inspection: Inspection) -> str:
    """Render each project's licence, its source and its files; then what is missing."""
    projects = sorted(inspection.projects, key=lambda share: share.name)
    rows: list[tuple[str, ...]] = []
    for share in projects:
        licence = share.licence
        source = f" ({licence.source})" if licence.source else ""
        text = f"{printable(licence.text) or 'not declared'}{source}"
        rows.append((printable(share.name), printable(share.version), text))
        rows.extend(("", "", f"  {printable(path)}") for path in licence.files)
    lists = {
        "No licence in the metadata": [p for p in projects if not p.licence.text],
        "No licence file": [p for p in projects if not p.licence.files],
        "Licence file that the metadata names is missing": [
            p for p in projects if p.licence.missing
        ],
    }
    blocks = [format_table(rows)]
    for title, shares in lists.items():
        lines = [": ".join(filter(None, (share.name, _list_missing(share)))) for share in shares]
        if lines:
            blocks.append("\n".join([title, *(f"  {printable(line)}" for line in lines)]))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _list_missing(share: ProjectShare) -> str:
    return ", ".join(share.licence.missing)
