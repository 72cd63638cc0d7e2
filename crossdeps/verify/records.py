"""Rules on RECORD: the files that an installed project has, by its own metadata."""

from __future__ import annotations

import binascii
import hashlib
import posixpath
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.verify.model import Rule
from crossdeps.wheels.record import iterate_fields, parse_installed_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext
    from crossdeps.wheels.record import RecordRow

RECORD_MISSING = Rule(
    id="record-missing",
    severity="warning",
    title="files that a project's RECORD lists but the package lacks",
    symptom="`ModuleNotFoundError` or missing data, if the files were needed.",
    cause="Files were deleted by hand (`rm -rf tests`), or a copy was incomplete.",
    remedy="Rebuild the package. `--slim` and `--exclude` trim it and update RECORD.",
)
RECORD_CHANGED = Rule(
    id="record-changed",
    severity="warning",
    title="files that differ from a project's RECORD",
    symptom="Anything: the project is not what was published.",
    cause=(
        "Files were edited or stripped after installation, two projects or two versions own the"
        " same path, or the artifact was damaged."
    ),
    remedy="Rebuild the package from verified wheels.",
)
RECORD_ABSENT = Rule(
    id="record-absent",
    severity="warning",
    title="projects without a RECORD",
    symptom="None on the target. Whether files are missing or changed could not be checked.",
    cause="RECORD was deleted, to save space or to hide a change, or the installer writes none.",
    remedy="Keep RECORD, or leave out the whole .dist-info directory.",
)
RECORD_UNLISTED = Rule(
    id="record-unlisted",
    severity="warning",
    title="files in a project's package that its RECORD does not list",
    symptom="Anything: the project is not what was published.",
    cause=(
        "Files were copied into the package after it was installed, are left of an earlier version,"
        " or were added by someone else."
    ),
    remedy="Rebuild the package into an empty directory. Keep your own files outside of packages.",
)

# What operating systems add to any folder.
_DEBRIS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def check_records(context: CheckContext) -> Iterator[Finding]:
    """Check that each RECORD matches the files ("Recording installed projects", the RECORD file).

    The RECORDs of a planned bundle are written from its entries, so only those of a bundle that was
    read can differ.
    """
    if context.bundle.kind == "planned":
        return
    for project in context.bundle.projects:
        missing, changed = _compare_record(context, project)
        record = f"the RECORD of {project.name} {project.version}"
        for rule, paths, text in (
            (RECORD_MISSING, missing, f"is listed in {record}, but is not in the package"),
            (RECORD_CHANGED, changed, f"differs from {record}"),
        ):
            if paths:
                more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
                yield rule.finding(
                    f"{paths[0]} {text}{more}",
                    path=paths[0],
                    paths=tuple(paths),
                    owner=project.name,
                    hint=context.rebuild_hint,
                )


def _compare_record(
    context: CheckContext, project: InstalledProject
) -> tuple[list[str], list[str]]:
    """Return the paths that are missing and those that differ, both sorted."""
    record = context.entries.get(f"{project.dist_info}/RECORD")
    if record is None:
        return [], []
    root = posixpath.dirname(project.dist_info)
    base = f"{root}/" if root else ""
    missing, changed = [], []
    for recorded, hash_text, size in iterate_fields(context.read(record)):
        # Scripts and headers are recorded outside the folder; bytecode is made and deleted freely.
        if recorded.startswith(("/", "../")) or recorded.endswith(".pyc"):
            continue
        path = posixpath.normpath(base + recorded) if recorded[0] == "." else base + recorded
        entry = context.entries.get(path)
        if entry is None:
            missing.append(path)
            continue
        # A row as nearly every installer writes it is compared as text.
        if size == str(entry.size) and hash_text == _format_sha256(entry):
            continue
        if not _matches(context, entry, parse_installed_row(recorded, hash_text, size)):
            changed.append(path)
    # Nor is a script missed that was removed, where the installer puts them inside as uv does.
    scripts = f"{base}bin/"
    package = f"{scripts}__init__.py"
    if package not in missing and package not in context.entries:
        missing = [path for path in missing if not path.startswith(scripts)]
    return sorted(missing), sorted(changed)


def _format_sha256(entry: Entry) -> str:
    """Write the hash of *entry* as a RECORD has it."""
    encoded = binascii.b2a_base64(bytes.fromhex(entry.sha256), newline=False)
    text = encoded.decode("ascii").rstrip("=").replace("+", "-").replace("/", "_")
    return f"sha256={text}"


def _matches(context: CheckContext, entry: Entry, row: RecordRow) -> bool:
    if row.size not in (None, entry.size):
        return False
    if not row.algorithm:
        return True  # RECORD itself has no hash, and a weaker one proves nothing
    if row.algorithm == "sha256" and entry.sha256:
        return row.digest == entry.sha256
    try:
        return row.digest == hashlib.new(row.algorithm, context.read(entry)).hexdigest()
    except ArtifactReadError:
        return False


def check_unrecorded(context: CheckContext) -> Iterator[Finding]:
    """Check that each project has a RECORD, and that it lists what is in its packages.

    Installers list every file ("Recording installed projects"), except bytecode, which is made and
    deleted freely. Files outside the regular packages of projects may be anyone's.
    """
    bundle = context.bundle
    if bundle.kind == "planned":
        return
    absent = [
        project
        for project in bundle.projects
        if f"{project.dist_info}/RECORD" not in context.entries
        and f"{project.dist_info}/METADATA" in context.entries
    ]
    if absent:
        first = absent[0]
        more = f" (and {len(absent) - 1:,} more)" if len(absent) > 1 else ""
        yield RECORD_ABSENT.finding(
            f"{first.name} {first.version}{more} has no RECORD, so that its files are not checked",
            path=first.dist_info,
            paths=tuple(project.dist_info for project in absent),
            owner=first.name if len(absent) == 1 else None,
            hint=context.rebuild_hint,
        )
    for name, paths in sorted(_find_unlisted(bundle).items()):
        more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
        yield RECORD_UNLISTED.finding(
            f"{paths[0]}{more} is in a package of {name}, but not in its RECORD",
            path=paths[0],
            paths=tuple(paths),
            owner=name,
            hint=f"keep your own files outside of packages, or {context.rebuild_hint}",
        )


def _find_unlisted(bundle: Bundle) -> dict[str, list[str]]:
    """Map projects to files that are in one of their packages and belong to no project."""
    owners: dict[str, str | None] = {"": None}
    strays = []
    for entry in bundle.entries:
        if entry.owner is None:
            strays.append(entry.path)
        elif entry.path.endswith("/__init__.py"):
            owners[entry.path.rpartition("/")[0]] = entry.owner

    def find_owner(folder: str) -> str | None:
        unknown = []
        while folder not in owners:
            unknown.append(folder)
            folder = folder.rpartition("/")[0]
        owners.update(dict.fromkeys(unknown, owners[folder]))
        return owners[folder]

    unlisted: dict[str, list[str]] = defaultdict(list)
    for path in strays:
        folder, _, name = path.rpartition("/")
        owner = find_owner(folder)
        if owner is not None and not name.endswith(".pyc") and name not in _DEBRIS:
            unlisted[owner].append(path)
    return unlisted
