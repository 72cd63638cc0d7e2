"""Whether the files of each project are those that its RECORD lists."""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
import re
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.text import plural
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry, InstalledProject
    from crossdeps.verify.context import CheckContext

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


def check_records(context: CheckContext) -> Iterator[Finding]:
    """Every RECORD agrees with the files ("Recording installed projects", the RECORD file).

    A planned bundle's RECORDs are written from its entries, so only bundles that were read can
    disagree.
    """
    if context.bundle.kind == "planned":
        return
    for project in context.bundle.projects:
        missing, changed = _compare(context, project)
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
                    hint=f"build it anew: {context.build_command}",
                )


def _compare(context: CheckContext, project: InstalledProject) -> tuple[list[str], list[str]]:
    """Paths that are missing, and paths that differ; both sorted."""
    record = context.entries.get(f"{project.dist_info}/RECORD")
    if record is None:
        return [], []
    root = posixpath.dirname(project.dist_info)
    text = context.read(record).decode("utf-8", "replace")
    missing, changed = [], []
    for row in csv.reader(text.splitlines()):
        if len(row) != 3 or not _is_ours(row[0]):
            continue
        path = posixpath.normpath(posixpath.join(root, row[0]))
        if path not in context.entries:
            missing.append(path)
        elif not _agrees(context, path, row[1], row[2]):
            changed.append(path)
    return sorted(missing), sorted(changed)


def _is_ours(path: str) -> bool:
    """Scripts and headers are recorded outside the folder; bytecode comes and goes."""
    return bool(path) and not path.startswith(("/", "../")) and not path.endswith(".pyc")


def _agrees(context: CheckContext, path: str, digest: str, size: str) -> bool:
    entry = context.entries[path]
    if size.isdigit() and int(size) != entry.size:
        return False
    algorithm, _, wanted = digest.partition("=")
    if algorithm not in _ALGORITHMS:
        return True  # RECORD itself has no hash, and no weaker one says anything
    if algorithm == "sha256" and entry.sha256:
        found = bytes.fromhex(entry.sha256)
    else:
        try:
            found = hashlib.new(algorithm, context.read(entry)).digest()
        except ArtifactReadError:
            return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == wanted.rstrip("=")


BYTECODE = Rule(
    id="bytecode",
    severity="warning",
    title="bytecode caches",
    symptom="A larger package, another hash on every build, and no faster start.",
    cause=(
        "An installer compiled the modules with the Python that ran it. A cache of another Python"
        " is never read; one of the same Python is discarded once the zip changes file times."
    ),
    remedy="Leave it out: crossdeps never lays out bytecode; pip has `--no-compile`.",
)
BYTECODE_ONLY = Rule(
    id="bytecode-only",
    severity="error",
    title="a module that is there only as another Python's bytecode",
    symptom="`ImportError: bad magic number`, or `ModuleNotFoundError`.",
    cause="Sources were removed from a package that was compiled by another Python.",
    remedy="Ship the sources.",
)

_CACHED = re.compile(r"\.(?:cpython|pypy|graalpy)-?(\d+)[^.]*(?:\.opt-\w+)?\.pyc")
# The first two bytes of a .pyc, as a little-endian number: Lib/importlib/_bootstrap_external.py
# (from 3.14 on Include/internal/pycore_magic_number.h) lists all that ever were.
_MAGIC = {7: 3394, 8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}


def check_bytecode(context: CheckContext) -> Iterator[Finding]:
    """Bytecode caches: one finding for each Python that made some, with their weight."""
    caches: dict[str, list[Entry]] = defaultdict(list)
    for entry in context.bundle.entries:
        folder, name = posixpath.split(entry.path)
        if folder.endswith("__pycache__") and name.endswith(".pyc"):
            match = _CACHED.search(name)
            caches[match[1] if match else ""].append(entry)
    own = "".join(str(part) for part in context.target.python_version)
    for tag, entries in sorted(caches.items()):
        size = sum(entry.size for entry in entries)
        maker = f"CPython {tag[0]}.{tag[1:]}" if tag else "an unknown Python"
        use = "which the target will compile anew" if tag == own else "which the target can't use"
        yield BYTECODE.finding(
            f"{plural(len(entries), 'bytecode file')} of {maker} ({size:,} bytes), {use}",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            hint=f"leave __pycache__ folders out, as this does: {context.build_command}",
        )


def check_bytecode_only(context: CheckContext) -> Iterator[Finding]:
    """Modules without their source are bytecode of the target's Python."""
    wanted = _MAGIC.get(context.target.python_version[1])
    for entry in context.bundle.entries:
        folder, name = posixpath.split(entry.path)
        if not name.endswith(".pyc") or folder.endswith("__pycache__"):
            continue
        if context.inside(entry.path) is None or entry.path[:-1] in context.entries:
            continue
        try:
            magic = int.from_bytes(context.read(entry)[:2], "little")
        except ArtifactReadError:
            magic = -1
        if wanted is not None and magic != wanted:
            major, minor = context.target.python_version
            yield BYTECODE_ONLY.finding(
                f"{entry.path} is a module without source, and not bytecode of CPython"
                f" {major}.{minor}",
                path=entry.path,
                owner=entry.owner,
                hint="ship its source",
            )


EDITABLE_INSTALL = Rule(
    id="editable-install",
    severity="error",
    title="a .pth file that points to a folder of the machine that built the package",
    symptom="`ModuleNotFoundError` for the project that was installed in editable mode.",
    cause="`pip install -e` writes where the sources lie instead of copying them.",
    remedy="Install without `-e`: crossdeps packages editable requirements by their content.",
)
STARTUP_CODE = Rule(
    id="startup-code",
    severity="warning",
    title="a .pth file with code",
    symptom=(
        "The code doesn't run: Python reads .pth files in site directories only, and neither a"
        " function's folder nor a layer is one. Where it is made one, every cold start pays for it."
    ),
    cause="The project hooks into the start of every Python process (coverage, tracers, shims).",
    remedy="Leave it out if its effect isn't wanted; else import the project in the handler.",
)
HOST_SCRIPT = Rule(
    id="host-script",
    severity="warning",
    title="scripts that start with an interpreter of the machine that built the package",
    symptom="`No such file or directory` or `bad interpreter` when the script is run.",
    cause="pip writes the path of its own Python into each console script.",
    remedy="Leave scripts out (functions rarely run them), or build with crossdeps.",
)

# Harmless wherever they lie: a shim that only acts where setuptools' own tests ask for it, and the
# declarations of namespace packages, which Python has needed no help for since 3.3.
_KNOWN_PTH = re.compile(r"distutils-precedence\.pth|.*-nspkg\.pth")
_PORTABLE = ("/usr/bin/env", "/bin/sh", "/bin/bash", "/usr/bin/python3")
_HEAD = 512


def check_pth_files(context: CheckContext) -> Iterator[Finding]:
    """No .pth file points out of the bundle, or counts on being run."""
    for entry in context.bundle.entries:
        inside = context.inside(entry.path)
        if inside is None or "/" in inside or not inside.endswith(".pth"):
            continue
        if _KNOWN_PTH.fullmatch(inside):
            continue
        lines = [line.strip() for line in _text(context, entry).splitlines()]
        places = [line for line in lines if re.match(r"/|[A-Za-z]:[\\/]", line)]
        code = any(line.startswith(("import ", "import\t")) for line in lines)
        if places or inside.startswith("__editable__"):
            where = places[0] if places else "its sources"
            yield EDITABLE_INSTALL.finding(
                f"{inside} points to {where}, which is not on the target",
                path=entry.path,
                owner=entry.owner,
                hint=f"install without -e, or build it anew: {context.build_command}",
            )
        elif code:
            without = f"{context.build_command} --exclude {shlex.quote(inside)}"
            yield STARTUP_CODE.finding(
                f"{inside} has code that is meant to run whenever Python starts",
                path=entry.path,
                owner=entry.owner,
                hint=f"if its effect isn't wanted, build without it: {without}",
            )


def check_scripts(context: CheckContext) -> Iterator[Finding]:
    """Scripts start with an interpreter that the target has."""
    interpreters: dict[str, list[Entry]] = defaultdict(list)
    for entry in context.bundle.entries:
        folder = posixpath.basename(posixpath.dirname(entry.path))
        if folder not in {"bin", "scripts"} or entry.binary is not None:
            continue
        if posixpath.dirname(entry.path) not in {
            f"{context.bundle.prefix}{folder}",
            folder,
        }:
            continue
        match = re.match(r"#!\s*(\S+)", _text(context, entry)[:_HEAD])
        if match and match[1] not in _PORTABLE:
            interpreters[match[1]].append(entry)
    for interpreter, entries in sorted(interpreters.items()):
        count = f"{len(entries)} scripts start" if len(entries) > 1 else f"{entries[0].path} starts"
        yield HOST_SCRIPT.finding(
            f"{count} with {interpreter}, which may not be on the target",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            owner=entries[0].owner if len(entries) == 1 else None,
            hint=f"leave the scripts out, or build anew: {context.build_command}",
        )


def _text(context: CheckContext, entry: Entry) -> str:
    try:
        return context.read(entry).decode("utf-8", "replace")
    except ArtifactReadError:
        return ""
