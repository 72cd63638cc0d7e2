"""Says what an import will not find, and suggests how to make it available."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from crossdeps.verify.module_names import (
    PROVIDED_MODULES,
    ever_in_stdlib,
    find_project,
    parse_module_path,
)
from crossdeps.wheels.record import parse_installed_record

if TYPE_CHECKING:
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.modules import Missing
    from crossdeps.verify.python_source import Import


def describe_missing(context: CheckContext, item: Import, missing: Missing) -> str:
    """Describe an import that will fail, as the end of a sentence about its line."""
    if not item.module:
        return f"imports {item.text}, a relative import beyond its top-level package"
    version = ".".join(str(part) for part in context.target.python_version)
    module, _, name = missing.name.rpartition(".")
    if missing.reason == "stdlib-name":
        return f"imports {name} from {module}, which does not have it in Python {version}"
    path = missing.entry.path if missing.entry else ""
    if missing.reason == "name":
        return f"imports {name} from {item.text}, but {path} does not define it"
    if missing.reason == "hidden":
        return f"imports {missing.name}, which {path} hides: Python searches {module} there only"
    module = item.text if item.text.startswith(".") else missing.name
    runtime = ", nor in the runtime" if context.provided else ""
    return (
        f"imports {module}, which is neither in the package nor in the standard library of"
        f" Python {version}{runtime}"
    )


_HINTS = {
    "name": "correct the name, or define it",
    "stdlib-name": "other versions of Python have it: build for one of them, or replace it",
    "hidden": "remove that file if it is empty, or put both into the same directory",
}
_UNKNOWN_PATH = "sys.path gets a directory that is not known: ignore this if the module is there"


class HintFinder:
    """Suggests how to make a missing module available."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context

    def suggest(self, missing: Missing, item: Import) -> str:
        """Suggest a fix: from the bundle's RECORDs first, then from its folders, then by name."""
        hint = _HINTS.get(missing.reason) or ("" if missing.certain else _UNKNOWN_PATH)
        return hint or self._suggest_module(missing.name, item)

    def suggest_for_project(self, name: str) -> str:
        """Suggest a fix for source of a project that imports *name*."""
        from crossdeps.verify.python_source import Import  # noqa: PLC0415 - loads a parser

        item = Import(module=name, names=(), text=name, line=0, timing="startup")
        if name in self._recorded_modules or "." not in name:
            return self._suggest_module(name, item)
        return self._context.rebuild_hint

    def _suggest_module(self, name: str, item: Import) -> str:
        if not item.module:
            return "import it by its full name, or add the source as part of its package"
        owner = self._recorded_modules.get(name)
        if owner:
            path = name.replace(".", "/")
            return f"{owner} contains it, but it was left out: keep it with --include '{path}*'"
        folder = self._nested_modules.get(name)
        if folder:
            return f"it is in the folder {folder}: add the content of that folder with --source"
        top_level = name.partition(".")[0]
        if item.text.startswith(".") or top_level in self._context.modules.user_modules:
            return "the file was left out: check --source, --exclude and .gitignore"
        return self._suggest_project(name, top_level)

    def _suggest_project(self, name: str, top_level: str) -> str:
        project = find_project(name)
        target = self._context.target
        if ever_in_stdlib(top_level):
            version = ".".join(str(part) for part in target.python_version)
            instead = f"; the project {project} can replace it" if project else ""
            return f"it is not in the standard library of Python {version}{instead}"
        if project in PROVIDED_MODULES and target.runtime_name is None:
            return f"add {project} to the requirements, or give the --runtime if it provides it"
        if project:
            return f"add {project} to the requirements, which likely provides it"
        return (
            "add the project that provides it to the requirements, often one of the same name:"
            f" {top_level}"
        )

    @cached_property
    def _recorded_modules(self) -> dict[str, str]:
        """The modules that RECORDs list, whether or not they are in the bundle, by their owner."""
        owners: dict[str, str] = {}
        for project in self._context.bundle.projects:
            entry = self._context.entries.get(f"{project.dist_info}/RECORD")
            for row in parse_installed_record(self._context.read(entry)) if entry else ():
                module = parse_module_path(row.path)
                if module:
                    owners.setdefault(module.name, project.name)
        return owners

    @cached_property
    def _nested_modules(self) -> dict[str, str]:
        """The folder in which each module of the user would be found, if it were at the root."""
        folders: dict[str, str] = {}
        for path, entry in self._context.package_files.items():
            if entry.owner is None and path.endswith(".py"):
                parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
                for count in range(1, len(parts)):
                    folders.setdefault(".".join(parts[count:]), "/".join(parts[:count]))
        return folders
