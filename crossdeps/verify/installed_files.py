"""Rules on what installers leave behind: bytecode, .pth files, scripts, parts of wheels."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.text import plural
from crossdeps.verify.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext

UNZIPPED_WHEEL = Rule(
    id="unzipped-wheel",
    severity="error",
    title="modules of a wheel that was unzipped instead of installed",
    symptom="`ModuleNotFoundError` for modules of the project.",
    cause=(
        "A wheel can have modules in `NAME-VERSION.data/purelib` and `platlib`, from which an"
        " installer moves them next to the others. Unzipping a wheel leaves them there."
    ),
    remedy="Install the wheel with pip, uv or crossdeps.",
)
UNINSTALLED_DATA = Rule(
    id="uninstalled-data",
    severity="warning",
    title="scripts or data of a wheel that was unzipped instead of installed",
    symptom="The project does not find its data, or its scripts are not on the path.",
    cause=(
        "A wheel can have scripts, headers and data files in `NAME-VERSION.data`, from which an"
        " installer moves them. Unzipping a wheel leaves them there."
    ),
    remedy="Install the wheel with pip, uv or crossdeps, if the files are needed.",
)


def check_unzipped_wheels(context: CheckContext) -> Iterator[Finding]:
    """Check that no .data directory of a wheel is left (binary distribution format)."""
    if context.bundle.kind == "planned":
        return
    projects = {
        f"{project.dist_info.removesuffix('.dist-info')}.data/": project
        for project in context.bundle.projects
    }
    found: dict[tuple[str, Rule], list[str]] = defaultdict(list)
    for path in context.entries:
        if ".data/" not in path:
            continue
        folder, data, rest = path.partition(".data/")
        if folder + data in projects:
            is_library = rest.startswith(("purelib/", "platlib/"))
            rule = UNZIPPED_WHEEL if is_library else UNINSTALLED_DATA
            found[folder + data, rule].append(path)
    for (folder, rule), paths in found.items():
        project = projects[folder]
        more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
        yield rule.finding(
            f"{paths[0]}{more} is where the wheel of {project.name} {project.version} has it, not"
            " where an installer puts it",
            path=paths[0],
            paths=tuple(paths),
            owner=project.name,
            hint=context.rebuild_hint,
        )


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
        "On Lambda, every cold start is slower: the runtimes python3.10 and python3.11 read the"
        " .pth files at the root of the function and of its layers (later ones were not examined)."
        " Elsewhere, the code does not run where the package is on `PYTHONPATH` only, since Python"
        " reads .pth files in site directories."
    ),
    cause="The project hooks into the start of every Python process (coverage, tracers, shims).",
    remedy=(
        "Exclude it if its effect is not needed; otherwise import the project in the handler, which"
        " works everywhere."
    ),
)
HOST_SCRIPT = Rule(
    id="host-script",
    severity="warning",
    title="scripts whose interpreter is one of the machine that built the package",
    symptom="`No such file or directory` or `bad interpreter` when the script is run.",
    cause="pip writes the path of its own Python into each console script.",
    remedy="Exclude scripts (functions rarely run them), or build with crossdeps.",
)

# No loss if they are not read, and too common to warn of: a shim of setuptools for distutils, and
# declarations of namespace packages, which Python has not needed since 3.3.
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
