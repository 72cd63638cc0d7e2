"""Whether the files of each project are those that its RECORD lists."""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.verify.scene import Scene

RECORD_MISSING = Rule(
    id="record-missing",
    severity="warning",
    title="files that a project's RECORD lists are not there",
    symptom="`ModuleNotFoundError` or missing data, if the files were needed.",
    cause="Trimming by hand (`rm -rf tests`), or a copy that went wrong.",
    remedy="Build anew; `--slim` and `--exclude` trim and keep RECORD right.",
)
RECORD_CHANGED = Rule(
    id="record-changed",
    severity="warning",
    title="files differ from what a project's RECORD says",
    symptom="Anything: the project isn't what was published.",
    cause=(
        "Files were edited or stripped after the install, two projects or two versions own the"
        " same path, or the artifact was damaged."
    ),
    remedy="Build anew from verified wheels.",
)

_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})


def check_records(scene: Scene) -> Iterator[Finding]:
    """Every RECORD agrees with the files ("Recording installed projects", the RECORD file).

    A planned bundle's RECORDs are written from its entries, so only bundles that were read can
    disagree.
    """
    if scene.bundle.kind == "planned":
        return
    for project in scene.bundle.projects:
        missing, changed = _compare(scene, project)
        record = f"the RECORD of {project.name} {project.version}"
        for rule, paths, text in (
            (RECORD_MISSING, missing, f"is in {record}, and not in the package"),
            (RECORD_CHANGED, changed, f"differs from {record}"),
        ):
            if paths:
                more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
                yield rule.finding(
                    f"{paths[0]} {text}{more}",
                    path=paths[0],
                    paths=tuple(paths),
                    owner=project.name,
                    hint=f"build it anew: {scene.build_command}",
                )


def _compare(scene: Scene, project: InstalledProject) -> tuple[list[str], list[str]]:
    """Paths that are missing, and paths that differ; both sorted."""
    record = scene.entries.get(f"{project.dist_info}/RECORD")
    if record is None:
        return [], []
    root = posixpath.dirname(project.dist_info)
    text = scene.read(record).decode("utf-8", "replace")
    missing, changed = [], []
    for row in csv.reader(text.splitlines()):
        if len(row) != 3 or not _is_ours(row[0]):
            continue
        path = posixpath.normpath(posixpath.join(root, row[0]))
        if path not in scene.entries:
            missing.append(path)
        elif not _agrees(scene, path, row[1], row[2]):
            changed.append(path)
    return sorted(missing), sorted(changed)


def _is_ours(path: str) -> bool:
    """Scripts and headers are recorded outside the folder; bytecode comes and goes."""
    return bool(path) and not path.startswith(("/", "../")) and not path.endswith(".pyc")


def _agrees(scene: Scene, path: str, digest: str, size: str) -> bool:
    entry = scene.entries[path]
    if size.isdigit() and int(size) != entry.size:
        return False
    algorithm, _, wanted = digest.partition("=")
    if algorithm not in _ALGORITHMS:
        return True  # RECORD itself has no hash, and no weaker one says anything
    if algorithm == "sha256" and entry.sha256:
        found = bytes.fromhex(entry.sha256)
    else:
        try:
            found = hashlib.new(algorithm, scene.read(entry)).digest()
        except ArtifactReadError:
            return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == wanted.rstrip("=")
