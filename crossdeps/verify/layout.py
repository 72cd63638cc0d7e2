"""Rules on where an artifact has its modules, and where the target looks for them.

A hosted runtime imports from the root of a function, and from two directories of a layer (AWS
Lambda developer guide, "Layer paths for each Lambda runtime"); any other target imports from the
root of the artifact.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.bundle.model import VERSIONED_ROOT, import_roots
from crossdeps.text import first_words, join_words
from crossdeps.verify.context import list_package_files
from crossdeps.verify.model import Rule
from crossdeps.verify.module_names import parse_module_path, stdlib_modules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext

NOTHING_IMPORTABLE = Rule(
    id="nothing-importable",
    severity="error",
    title="an artifact without a module where the target looks for one",
    symptom="`Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'`.",
    cause=(
        "A folder was zipped instead of its content; the folder of a build with several functions"
        " (`.aws-sam/build`) was taken for one of them; the packages of a layer are not in"
        " `python/`, or those of a function are; or nothing was built."
    ),
    remedy=(
        "Zip the content of the folder that has the packages. A function is imported from its root,"
        " a layer from `python/lib/python3.X/site-packages/` and `python/`."
    ),
)
OTHER_PYTHON_LAYER = Rule(
    id="layer-for-another-python",
    severity="error",
    title="a layer whose packages are where only another Python looks",
    symptom="`ModuleNotFoundError` for everything that the layer should provide.",
    cause=(
        "The layer was built for another Python. `python/lib/python3.11/site-packages/` is on the"
        " import path of Python 3.11 only."
    ),
    remedy=(
        "Build the layer for the function's Python. One layer can have a directory for each of"
        " several Pythons."
    ),
)
NOT_ON_IMPORT_PATH = Rule(
    id="not-on-import-path",
    severity="warning",
    title="installed projects in a folder from which the target does not import",
    symptom="`ModuleNotFoundError` for these projects.",
    cause=(
        "The packages were installed into a folder next to the code, or a virtual environment was"
        " packaged with it. No code that adds the folder to `sys.path` was found."
    ),
    remedy=(
        "Install the packages next to the code. If the folder is on the import path by other means,"
        " such as PYTHONPATH, ignore the finding."
    ),
)

# What a layer has besides: programs in /opt/bin and /opt/extensions, libraries in /opt/lib.
_LAYER_FOLDERS = frozenset({"bin", "etc", "extensions", "include", "lib", "share"})
_METADATA = ".dist-info/METADATA"
_PATH_CHANGE = rb"sys\.path\s*(?:\.|\[|\+|=)|addsitedir"
_IMPORT = rb"^(?:import|from)[ \t]+([A-Za-z_]\w*)"
_CODE_URI = rb"^\s*(?:CodeUri|ContentUri):\s*[\"']?([\w-]+)"


def check_layout(context: CheckContext) -> Iterator[Finding]:
    """Check that the artifact and its layers have modules where the target imports from."""
    for layer in context.runtime_context.layers:
        yield from _Layout(context, layer, is_layer=True).check()
    bundle = context.bundle
    if bundle.kind != "planned":
        # Only functions have a handler; without one, the content tells.
        is_layer = bool(bundle.prefix) and context.runtime_context.handler is None
        yield from _Layout(context, bundle, is_layer=is_layer).check()


class _Layout:
    """The folders of a function or a layer, by whether the target imports from them."""

    def __init__(self, context: CheckContext, bundle: Bundle, *, is_layer: bool) -> None:
        self._context = context
        self._bundle = bundle
        self._is_layer = is_layer
        self._roots = import_roots("python/" if is_layer else "", context.target.python_version)
        is_known = bundle is context.bundle and is_layer == bool(bundle.prefix)
        self._files = context.package_files if is_known else list_package_files(bundle, self._roots)
        self._name = context.describe(bundle)
        target = context.target.runtime_name or f"Python {context.target.python}"
        self._imports = (
            f"{target} imports from {join_words(self._roots) if is_layer else 'the root'}"
        )

    def check(self) -> Iterator[Finding]:
        """Check the layout as a whole, then what is in a folder that is not on the path."""
        others = self._find_other_pythons()
        folders = self._find_site_folders()
        if others and self._roots[0] not in others:
            yield self._report_other_pythons(others)
        elif not self._has_modules():
            yield from self._check_root(folders)
        elif folders and not self._changes_import_path(folders):
            yield NOT_ON_IMPORT_PATH.finding(
                f"{self._name} has {_describe(folders)}; {self._imports}",
                path=min(folders),
                hint="if it is a layer, leave out the modules at its root"
                if min(folders).startswith("python/")
                else "install the packages next to the code, or leave the folder out",
            )

    def _has_modules(self) -> bool:
        """Whether a module, a regular package or the metadata of a project is at a root."""
        roots = {root.rstrip("/") for root in self._roots}
        return any(map(_is_top_level, self._files)) or any(
            project.dist_info.rpartition("/")[0] in roots for project in self._bundle.projects
        )

    def _find_other_pythons(self) -> dict[str, set[str]]:
        """Map each directory of a layer that is for one Python to the names in it."""
        found: dict[str, set[str]] = defaultdict(set)
        if self._is_layer:
            for entry in self._bundle.entries:
                match = re.match(VERSIONED_ROOT, entry.path)
                if match:
                    found[match[0]].add(entry.path[match.end() :].partition("/")[0])
        return found

    def _report_other_pythons(self, found: Mapping[str, set[str]]) -> Finding:
        root = min(found)
        names = sorted(name for name in found[root] if not name.endswith(".dist-info"))
        return OTHER_PYTHON_LAYER.finding(
            f"{self._name} has {first_words(names, 3)} in {join_words(sorted(found))};"
            f" {self._imports}",
            path=root,
            hint=f"build the layer for the target: {self._context.build_command} --versioned-layer",
        )

    def _find_site_folders(self) -> dict[str, list[str]]:
        """Map folders off the import path into which projects were installed to these projects.

        What a project has vendored is its own: its RECORD lists it, or its package contains it. A
        .pex adds its folders to the path itself, and so do the programs of a layer's extensions.
        """
        found: dict[str, list[str]] = defaultdict(list)
        roots = self._roots if self._is_layer else ("/",)
        installed = {f"{project.dist_info}/METADATA" for project in self._bundle.projects}
        for entry in self._bundle.entries:
            path = entry.path
            if path.endswith(_METADATA) and (entry.owner is None or path in installed):
                folder, _, stem = path.removesuffix(_METADATA).rpartition("/")
                if f"{folder}/" not in roots:
                    found[f"{folder}/"].append(stem.replace("-", " ", 1))
        if not found:
            return {}
        top = {entry.path.partition("/")[0] for entry in self._bundle.entries}
        if "PEX-INFO" in top or (self._is_layer and "extensions" in top):
            return {}
        packages = {path[:-12] for path in self._files if path.endswith("/__init__.py")}
        return {
            folder: names
            for folder, names in found.items()
            if not (self._is_layer and re.fullmatch(VERSIONED_ROOT, folder))
            and packages.isdisjoint(itertools.accumulate(folder.split("/"), "{}/{}".format))
        }

    def _changes_import_path(self, folders: Collection[str]) -> bool:
        """Whether code outside *folders*, or directly in one, adds to the import path.

        The code of a project does so for its own folders, unless it names one of these. For a layer
        it is the function's code that does, and names ``/opt``.
        """
        names = {folder.rstrip("/").rpartition("/")[2] for folder in folders}
        pattern = "/opt" if self._is_layer else "|".join(map(re.escape, sorted(names)))
        for entry in self._context.bundle.entries:
            path = entry.path
            parent = f"{path.rpartition('/')[0]}/"
            if not path.endswith((".py", ".pth")) or (
                parent not in folders and path.startswith(tuple(folders))
            ):
                continue
            data = self._context.read(entry)
            if path.endswith(".py") and not re.search(_PATH_CHANGE, data):
                continue
            if (entry.owner is None and not self._is_layer) or re.search(pattern.encode(), data):
                return True
        return False

    def _check_root(self, folders: Mapping[str, list[str]]) -> Iterator[Finding]:
        """Check an artifact without a module at its roots, which may be right nevertheless."""
        folders = folders or self._guess_folders()
        if folders and not self._changes_import_path(folders):
            problem, hint = f"it has {_describe(folders)}", self._advise(folders)
        elif folders or self._has_other_use():
            return
        else:
            problem = "it has no Python module" if self._bundle.entries else "it is empty"
            hint = self._context.rebuild_hint
        yield NOTHING_IMPORTABLE.finding(
            f"nothing can be imported from {self._name}: {problem}; {self._imports}",
            path=min(folders, default="").lstrip("/"),
            hint=hint,
        )

    def _guess_folders(self) -> dict[str, list[str]]:
        """Map folders that look as if they should be on the import path to modules in them.

        Without metadata of projects, modules that import each other as top-level modules show it,
        or the template in a build folder of AWS SAM that names the functions.
        """
        files = {entry.path: entry for entry in self._bundle.entries}
        if self._is_layer:
            names = {path.partition("/")[0] for path in files if _is_top_level(path)}
            names -= _LAYER_FOLDERS
            nested = sorted(
                {path.partition("/")[0] for path in files if path.split("/")[1:2] == ["python"]}
            )
            if names and "extensions" not in {path.partition("/")[0] for path in files}:
                return {"/": sorted(names)}
            return {f"{folder}/python/": ["python/"] for folder in nested}
        modules: dict[str, dict[str, str]] = defaultdict(dict)
        for path in files:
            folder, _, rest = path.partition("/")
            if rest and _is_top_level(rest) and rest.endswith(".py"):
                modules[f"{folder}/"][rest.partition("/")[0].removesuffix(".py")] = path
        if "template.yaml" in files:
            template = self._context.read(files["template.yaml"])
            named = {f"{name.decode()}/" for name in re.findall(_CODE_URI, template, re.MULTILINE)}
            if named & modules.keys():
                return {folder: sorted(modules[folder]) for folder in named & modules.keys()}
        known = stdlib_modules(self._context.target.python_version) | {
            path.partition("/")[0] for path in files
        }
        return {
            folder: sorted(found)
            for folder, found in modules.items()
            if any(
                name.decode() in found and name.decode() not in known
                for path in found.values()
                for name in re.findall(_IMPORT, self._context.read(files[path]), re.MULTILINE)
            )
        }

    def _has_other_use(self) -> bool:
        """Whether there are namespace packages, or what layers have besides modules."""
        top = {entry.path.partition("/")[0] for entry in self._bundle.entries}
        if top and (self._is_layer or top <= _LAYER_FOLDERS):
            return True
        return any(
            path.endswith(".py") and "." not in path.rpartition("/")[0] for path in self._files
        )

    def _advise(self, folders: Collection[str]) -> str:
        if self._is_layer:
            base = re.match(r"(.+/)python/", min(folders))
            if base:
                return f"zip the content of {base[1]}, so that python/ is at the root"
            return f"put the packages into python/: {self._context.build_command} --layer"
        if self._bundle.prefix:
            return "this is the layout of a layer: publish it as one, and check with --with-layer"
        if len(folders) > 1:
            return "each of these folders is an artifact of its own: check and deploy one"
        (folder,) = folders
        if self._bundle.kind == "zip":
            return f"zip the content of {folder} instead of the folder"
        return f"check and deploy the folder itself: {self._bundle.path}/{folder}"


def _is_top_level(path: str) -> bool:
    """Whether *path*, relative to a directory on the import path, is a top-level module's file."""
    if path.count("/") > 1:
        return False
    module = parse_module_path(path)
    return module is not None and "." not in module.name


def _describe(folders: Mapping[str, list[str]]) -> str:
    """Describe what is in *folders*, such as ``idna 3.20, six 1.17, and 2 more in package/``."""
    names = sorted({name for names in folders.values() for name in names})
    places = [folder.lstrip("/") or "its root" for folder in sorted(folders)]
    return f"{first_words(names, 3)} in {first_words(places, 3)}"
