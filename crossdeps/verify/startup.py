"""Files that act when Python or a program starts: .pth files and scripts."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.scene import Scene

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


def check_pth_files(scene: Scene) -> Iterator[Finding]:
    """No .pth file points out of the bundle, or counts on being run."""
    for entry in scene.bundle.entries:
        inside = scene.inside(entry.path)
        if inside is None or "/" in inside or not inside.endswith(".pth"):
            continue
        if _KNOWN_PTH.fullmatch(inside):
            continue
        lines = [line.strip() for line in _text(scene, entry).splitlines()]
        places = [line for line in lines if re.match(r"/|[A-Za-z]:[\\/]", line)]
        code = any(line.startswith(("import ", "import\t")) for line in lines)
        if places or inside.startswith("__editable__"):
            where = places[0] if places else "its sources"
            yield EDITABLE_INSTALL.finding(
                f"{inside} points to {where}, which is not on the target",
                path=entry.path,
                owner=entry.owner,
                hint=f"install without -e, or build it anew: {scene.build_command}",
            )
        elif code:
            without = f"{scene.build_command} --exclude {shlex.quote(inside)}"
            yield STARTUP_CODE.finding(
                f"{inside} has code that is meant to run whenever Python starts",
                path=entry.path,
                owner=entry.owner,
                hint=f"if its effect isn't wanted, build without it: {without}",
            )


def check_scripts(scene: Scene) -> Iterator[Finding]:
    """Scripts start with an interpreter that the target has."""
    interpreters: dict[str, list[Entry]] = defaultdict(list)
    for entry in scene.bundle.entries:
        folder = posixpath.basename(posixpath.dirname(entry.path))
        if folder not in {"bin", "scripts"} or entry.binary is not None:
            continue
        if posixpath.dirname(entry.path) not in {
            f"{scene.bundle.prefix}{folder}",
            folder,
        }:
            continue
        match = re.match(r"#!\s*(\S+)", _text(scene, entry)[:_HEAD])
        if match and match[1] not in _PORTABLE:
            interpreters[match[1]].append(entry)
    for interpreter, entries in sorted(interpreters.items()):
        count = f"{len(entries)} scripts start" if len(entries) > 1 else f"{entries[0].path} starts"
        yield HOST_SCRIPT.finding(
            f"{count} with {interpreter}, which may not be on the target",
            path=entries[0].path,
            paths=tuple(entry.path for entry in entries),
            owner=entries[0].owner if len(entries) == 1 else None,
            hint=f"leave the scripts out, or build anew: {scene.build_command}",
        )


def _text(scene: Scene, entry: Entry) -> str:
    try:
        return scene.read(entry).decode("utf-8", "replace")
    except ArtifactReadError:
        return ""
