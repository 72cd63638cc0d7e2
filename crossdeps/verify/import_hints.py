"""What to do about an import that won't find its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.bundle.records import parse_record
from crossdeps.verify.import_names import PROVIDED_MODULES, project_of
from crossdeps.verify.stdlib import ever_in_stdlib

if TYPE_CHECKING:
    from crossdeps.verify.python_source import Import
    from crossdeps.verify.scene import Scene


def suggest(scene: Scene, name: str, one: Import) -> str:
    """What likely helps: by the bundle's own RECORDs first, then by its folders, then by name.

    :param name: the dotted name that wasn't found
    """
    if not one.module:
        return "import it by its full name, or lay the source out within its package"
    owner = _left_out_of(scene, name)
    if owner:
        path = name.replace(".", "/")
        return f"{owner} has it, but it was left out: keep it with --include '{path}*'"
    nested = _nested(scene, name)
    if nested:
        return f"it is in the folder {nested}: lay that folder's content out with --source"
    top = name.partition(".")[0]
    if one.text.startswith(".") or top in scene.modules.own:
        return "the file wasn't laid out: look at --source, --exclude and .gitignore"
    return _suggest_project(scene, name, top)


def _suggest_project(scene: Scene, name: str, top: str) -> str:
    project = project_of(name)
    if ever_in_stdlib(top):
        version = ".".join(str(part) for part in scene.target.python_version)
        instead = f"; the project {project} can stand in for it" if project else ""
        return f"it isn't in the standard library of Python {version}{instead}"
    if project in PROVIDED_MODULES and scene.target.runtime_name is None:
        return f"add {project} to the requirements; or name the --runtime, if that has it"
    if project:
        return f"the project {project} likely has it: add it to the requirements"
    return f"add the project that has it to the requirements, often one of the same name: {top}"


def _left_out_of(scene: Scene, name: str) -> str | None:
    """The project of the bundle whose RECORD lists the module, although it isn't there."""
    path = name.replace(".", "/")
    for project in scene.bundle.projects:
        entry = scene.entries.get(f"{project.dist_info}/RECORD")
        if entry is None:
            continue
        for row in parse_record(scene.read(entry)):
            if row.path in {f"{path}.py", f"{path}/__init__.py"} or row.path.startswith(
                (f"{path}.cpython-", f"{path}.abi3.")
            ):
                return project.name
    return None


def _nested(scene: Scene, name: str) -> str | None:
    """A folder of the user's source in which the module lies, where it isn't at the root."""
    path = name.replace(".", "/")
    for entry in scene.bundle.entries:
        inside = scene.inside(entry.path) if entry.owner is None else None
        for ending in (f"/{path}.py", f"/{path}/__init__.py"):
            if inside and inside.endswith(ending):
                return inside.removesuffix(ending)
    return None
