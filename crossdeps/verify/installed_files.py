"""Rules on what installers leave behind: RECORD, bytecode, .pth files and scripts."""

from __future__ import annotations

import binascii
import hashlib
import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.text import plural
from crossdeps.verify.model import Rule
from crossdeps.wheels.record import iterate_fields, parse_installed_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry, InstalledProject
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


BYTECODE_ONLY = Rule(
    id="bytecode-only",
    severity="error",
    title="a module that exists only as another Python's bytecode",
    symptom="`ImportError: bad magic number`, or `ModuleNotFoundError`.",
    cause="The source was removed from a package that was compiled by another Python.",
    remedy="Include the source.",
)
BYTECODE = Rule(
    id="bytecode",
    severity="warning",
    title="bytecode caches",
    symptom="A larger package, a different hash on every build, and no faster start.",
    cause=(
        "An installer compiled the modules with the Python that ran it. A cache of another Python"
        " is never read; one of the same Python is discarded once the zip changes file times."
    ),
    remedy="Leave it out. crossdeps never includes bytecode; pip has `--no-compile`.",
)

# The first two bytes of a .pyc file, as a little-endian number. Source: the list of all magic
# numbers in Lib/importlib/_bootstrap_external.py, from 3.14 on Include/internal/
# pycore_magic_number.h.
_MAGIC_NUMBERS = {7: 3394, 8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}


def check_bytecode(context: CheckContext) -> Iterator[Finding]:
    """Report bytecode caches, one finding per Python that made them, with their size."""
    caches: dict[str, list[Entry]] = defaultdict(list)
    for entry in context.bundle.entries:
        if entry.path.endswith(".pyc"):
            folder, name = posixpath.split(entry.path)
            if folder.endswith("__pycache__"):
                pattern = r"\.(?:cpython|pypy|graalpy)-?(\d+)[^.]*(?:\.opt-\w+)?\.pyc"
                match = re.search(pattern, name)
                caches[match[1] if match else ""].append(entry)
    target_tag = "".join(str(part) for part in context.target.python_version)
    for tag, entries in sorted(caches.items()):
        size = sum(entry.size for entry in entries)
        files = plural(len(entries), "bytecode file")
        python = f"CPython {tag[0]}.{tag[1:]}" if tag else "an unknown Python"
        use = "will recompile" if tag == target_tag else "cannot use"
        yield BYTECODE.finding(
            f"{files} of {python} ({size:,} bytes), which the target {use}",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            hint=f"exclude __pycache__ folders, as this does: {context.build_command}",
        )


def check_bytecode_only(context: CheckContext) -> Iterator[Finding]:
    """Check that modules without source are bytecode of the target's Python."""
    major, minor = context.target.python_version
    expected = _MAGIC_NUMBERS.get(minor)
    for path, entry in context.package_files.items():
        if not path.endswith(".pyc") or posixpath.dirname(path).endswith("__pycache__"):
            continue
        if entry.path[:-1] in context.entries or expected is None:
            continue
        try:
            magic = int.from_bytes(context.read(entry)[:2], "little")
        except ArtifactReadError:
            magic = -1
        if magic != expected:
            yield BYTECODE_ONLY.entry_finding(
                entry,
                f"{entry.path} is a module without source, and is not bytecode of CPython"
                f" {major}.{minor}",
                hint="include its source",
            )


EDITABLE_INSTALL = Rule(
    id="editable-install",
    severity="error",
    title="a .pth file that points to a folder of the machine that built the package",
    symptom="`ModuleNotFoundError` for the project that was installed in editable mode.",
    cause="`pip install -e` records where the source is instead of copying it.",
    remedy="Install without `-e`. crossdeps packages the content of editable requirements.",
)
STARTUP_CODE = Rule(
    id="startup-code",
    severity="warning",
    title="a .pth file with code",
    symptom=(
        "The code does not run: Python reads .pth files in site directories only, and neither a"
        " function's folder nor a layer is one. If it is made one, the code slows every cold start."
    ),
    cause="The project hooks into the start of every Python process (coverage, tracers, shims).",
    remedy="Exclude it if its effect is not needed; otherwise import the project in the handler.",
)
HOST_SCRIPT = Rule(
    id="host-script",
    severity="warning",
    title="scripts whose interpreter is one of the machine that built the package",
    symptom="`No such file or directory` or `bad interpreter` when the script is run.",
    cause="pip writes the path of its own Python into each console script.",
    remedy="Exclude scripts (functions rarely run them), or build with crossdeps.",
)

# Harmless everywhere: a shim that setuptools' own tests enable, and declarations of namespace
# packages, which Python has not needed since 3.3.
_HARMLESS_PTH = r"distutils-precedence\.pth|.*-nspkg\.pth"
_PORTABLE_INTERPRETERS = ("/usr/bin/env", "/bin/sh", "/bin/bash", "/usr/bin/python3")


def check_pth_files(context: CheckContext) -> Iterator[Finding]:
    """Check that no .pth file points outside the bundle, or has code that relies on being run."""
    for path, entry in context.package_files.items():
        if not path.endswith(".pth") or "/" in path or re.fullmatch(_HARMLESS_PTH, path):
            continue
        lines = [line.strip() for line in context.read_text(entry).splitlines()]
        folders = [line for line in lines if re.match(r"/|[A-Za-z]:[\\/]", line)]
        if folders or path.startswith("__editable__"):
            yield EDITABLE_INSTALL.entry_finding(
                entry,
                f"{path} points to {folders[0] if folders else 'its source'},"
                " which is not on the target",
                hint=f"install without -e, or rebuild: {context.build_command}",
            )
        elif any(line.startswith(("import ", "import\t")) for line in lines):
            import shlex  # noqa: PLC0415 - few packages have such a file

            exclude = f"{context.build_command} --exclude {shlex.quote(path)}"
            yield STARTUP_CODE.entry_finding(
                entry,
                f"{path} has code that is meant to run whenever Python starts",
                hint=f"if its effect is not needed, build without it: {exclude}",
            )


def check_scripts(context: CheckContext) -> Iterator[Finding]:
    """Check that the target has the interpreters of scripts."""
    prefix = context.bundle.prefix
    folders = {f"{prefix}bin", f"{prefix}scripts", "bin", "scripts"}
    scripts: dict[str, list[Entry]] = defaultdict(list)
    for entry in context.bundle.entries:
        if entry.path.rpartition("/")[0] in folders and entry.binary is None:
            match = re.match(r"#!\s*(\S+)", context.read_text(entry)[:512])
            if match and match[1] not in _PORTABLE_INTERPRETERS:
                scripts[match[1]].append(entry)
    for interpreter, entries in sorted(scripts.items()):
        single = len(entries) == 1
        subject = f"{entries[0].path} starts" if single else f"{len(entries)} scripts start"
        yield HOST_SCRIPT.finding(
            f"{subject} with {interpreter}, which may not be on the target",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            owner=entries[0].owner if single else None,
            hint=f"exclude the scripts, or rebuild: {context.build_command}",
        )
