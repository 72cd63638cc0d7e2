"""Bytecode that came along with a package."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.scene import Scene

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


def check_bytecode(scene: Scene) -> Iterator[Finding]:
    """Bytecode caches: one finding for each Python that made some, with their weight."""
    caches: dict[str, list[Entry]] = defaultdict(list)
    for entry in scene.bundle.entries:
        folder, name = posixpath.split(entry.path)
        if folder.endswith("__pycache__") and name.endswith(".pyc"):
            match = _CACHED.search(name)
            caches[match[1] if match else ""].append(entry)
    own = "".join(str(part) for part in scene.target.python_version)
    for tag, entries in sorted(caches.items()):
        size = sum(entry.size for entry in entries)
        noun = "file" if len(entries) == 1 else "files"
        maker = f"CPython {tag[0]}.{tag[1:]}" if tag else "an unknown Python"
        use = "which the target will compile anew" if tag == own else "which the target can't use"
        yield BYTECODE.finding(
            f"{len(entries):,} bytecode {noun} of {maker} ({size:,} bytes), {use}",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            hint=f"leave __pycache__ folders out, as this does: {scene.build_command}",
        )


def check_bytecode_only(scene: Scene) -> Iterator[Finding]:
    """Modules without their source are bytecode of the target's Python."""
    wanted = _MAGIC.get(scene.target.python_version[1])
    for entry in scene.bundle.entries:
        folder, name = posixpath.split(entry.path)
        if not name.endswith(".pyc") or folder.endswith("__pycache__"):
            continue
        if scene.inside(entry.path) is None or entry.path[:-1] in scene.entries:
            continue
        try:
            magic = int.from_bytes(scene.read(entry)[:2], "little")
        except ArtifactReadError:
            magic = -1
        if wanted is not None and magic != wanted:
            major, minor = scene.target.python_version
            yield BYTECODE_ONLY.finding(
                f"{entry.path} is a module without source, and not bytecode of CPython"
                f" {major}.{minor}",
                path=entry.path,
                owner=entry.owner,
                hint="ship its source",
            )
