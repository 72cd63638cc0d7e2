"""Rules on what a function, its layers and the runtime have together: versions, hidden packages.

A package has one of the folders on ``sys.path``: the first that is a regular package or a module.
Only folders without ``__init__`` are joined, and only if no other is found (PEP 420, "Dynamic path
computation" and "Specification").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from crossdeps.bundle.model import import_roots
from crossdeps.text import first_words
from crossdeps.verify.context import list_package_files
from crossdeps.verify.model import Rule
from crossdeps.verify.module_names import iterate_parents, parse_module_path
from crossdeps.verify.projects import WRONG_VERSION, accepts_version, iterate_requirements

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext

LAYER_VERSION = Rule(
    id="layer-version",
    severity="error",
    title="a version that the function or a layer requires, and the other does not have",
    symptom="`ImportError`, `AttributeError` or wrong behaviour in the dependent project.",
    cause=(
        "The function and its layers were resolved separately. On the import path the function"
        " precedes its layers, so a requirement is met by the function's copy if it has one, and"
        " otherwise by that of a layer."
    ),
    remedy=(
        "Build the function and the layer from one lock, or package the project with the function."
    ),
)
HIDDEN_PACKAGE = Rule(
    id="hidden-package",
    severity="error",
    title="a package that another one of the same name hides",
    symptom="`ModuleNotFoundError: No module named 'google.protobuf'`, though it is in a layer.",
    cause=(
        "The function and a layer, or two directories of layers, have a package of that name, and"
        " at least one has an `__init__.py`. Python then imports one of them, and nothing from the"
        " others: the function precedes its layers, and a folder with `__init__.py` precedes all"
        " without."
    ),
    remedy=(
        "Remove the `__init__.py` of a folder that should be a namespace package, rename your own"
        " package, or install the projects that share the name into one place."
    ),
)

# Names that many projects leave behind at the top level, and none needs.
_UNNEEDED = frozenset({"benchmarks", "docs", "examples", "scripts", "test", "tests", "tools"})
_EXTENDS_PATH = rb"__path__|declare_namespace"
# A module that every version of what the runtime provides has.
_RUNTIME_MODULES = {
    "boto3": "boto3.session",
    "botocore": "botocore.session",
    "jmespath": "jmespath.parser",
    "python-dateutil": "dateutil.parser",
    "s3transfer": "s3transfer.manager",
    "urllib3": "urllib3.poolmanager",
}


def check_layer_versions(context: CheckContext) -> Iterator[Finding]:
    """Check that requirements are met by the copy that is imported, where layers are involved.

    Those of the function that a layer meets, those of a layer that the function or another layer
    meets, and those that the user stated. One that a layer alone gets wrong is a warning, as it is
    for a function; so is one that the user has overridden.
    """
    layers = context.located_layer_projects
    if not layers:
        return
    everything = {**context.layer_projects, **context.projects}
    overridden = context.runtime_context.overridden
    for project, required, _ in iterate_requirements(
        tuple(everything.values()), context.requirements, context.conditions.hold
    ):
        found = everything.get(required.project)
        inside = [name in context.projects for name in (project.name, required.project)]
        if found is None or all(inside) or accepts_version(required, found.version):
            continue
        homes = [
            context.bundle if own else layers[name][1]
            for own, name in zip(inside, (project.name, required.project), strict=True)
        ]
        accepted = homes[0] is homes[1] or required.project in overridden
        source = "" if inside[0] else f" in {context.describe(homes[0])}"
        copy = context.describe(homes[1])
        yield (WRONG_VERSION if accepted else LAYER_VERSION).project_finding(
            project if inside[0] else found,
            f"{project.name} {project.version}{source} requires {required.name}"
            f"{required.specifier}; {copy} has {found.version}, which is imported",
            hint="build the function and its layers from one lock",
        )
    for stated in context.runtime_context.stated:
        name = stated.required.project
        if name in context.projects or name not in layers:
            continue
        found, layer = layers[name]
        if not accepts_version(stated.required, found.version):
            yield LAYER_VERSION.project_finding(
                found,
                f"{stated.required.line} is required ({stated.origin});"
                f" {context.describe(layer)} has {found.version}, which is imported",
                hint=f"build the layer from the same versions, or package {name} with the function",
            )


class _Root:
    """The modules of a directory on the import path, by dotted name.

    :param files: path relative to the directory -> the file, and the name of the artifact it is in
    :param top_level: only these top-level names are read
    """

    def __init__(self, files: Mapping[str, tuple[Entry, str]], top_level: Container[str]) -> None:
        self.modules: dict[str, tuple[Entry, str]] = {}
        self.children: dict[str, set[str]] = defaultdict(set)
        for path, located in files.items():
            if _find_top_level(path) not in top_level:
                continue
            module = parse_module_path(path)
            if module is None:
                continue
            if module.is_package or module.name not in self.modules:
                self.modules[module.name] = located
            parent, *names = iterate_parents(module.name)
            for name in names:
                self.children[parent].add(name)
                parent = name

    def __contains__(self, name: str) -> bool:
        return name in self.modules or name in self.children

    def list_below(self, package: str) -> Iterator[str]:
        """Yield the modules below *package*."""
        pending = [package]
        while pending:
            for name in self.children.get(pending.pop(), ()):
                pending.append(name)
                if name in self.modules:
                    yield name


def check_hidden_packages(context: CheckContext) -> Iterator[Finding]:
    """Check that no package of the function, a layer or the runtime hides modules of another."""
    yield from _check_runtime(context)
    if not context.runtime_context.layers and not context.bundle.prefix:
        return
    listed = _list_roots(context)
    counts = Counter(name for files in listed for name in set(map(_find_top_level, files)))
    shared = {name for name, count in counts.items() if count > 1} - _UNNEEDED
    roots = [_Root(files, shared) for files in listed] if shared else []
    pending = sorted(shared)
    while pending:
        name = pending.pop()
        having = [root for root in roots if name in root]
        winner = next((root for root in having if name in root.modules), None)
        if winner is not None:
            yield from _check_package(context, name, winner, having)
        elif len(having) > 1:
            pending += sorted({child for root in having for child in root.children[name]})


def _find_top_level(path: str) -> str:
    """Return the top-level module that a file belongs to, or what would be its name."""
    folder, slash, _ = path.partition("/")
    return folder if slash else folder.partition(".")[0]


def _list_roots(context: CheckContext) -> list[dict[str, tuple[Entry, str]]]:
    """List the files of each directory on the import path; layers are unpacked into one."""
    bundle = context.bundle
    places = [(layer, context.describe(layer)) for layer in context.runtime_context.layers]
    own = (bundle, context.describe(bundle))
    listed: list[dict[str, tuple[Entry, str]]] = []
    if bundle.prefix:
        places.append(own)
    else:
        listed.append({path: (entry, own[1]) for path, entry in context.package_files.items()})
    for root in import_roots("python/", context.target.python_version):
        files = {}
        for layer, name in places:
            for path, entry in list_package_files(layer, (root,)).items():
                files[path] = (entry, name)
        listed.append(files)
    return listed


def _check_package(
    context: CheckContext, name: str, winner: _Root, having: Sequence[_Root]
) -> Iterator[Finding]:
    """Report the projects of which *winner*'s package or module *name* hides every module.

    Another copy of the project has most of the same modules, and may be meant.
    """
    entry, place = winner.modules[name]
    if len(having) < 2 or re.search(_EXTENDS_PATH, context.read(entry)):
        return
    source = "" if place == context.describe(context.bundle) else f" of {place}"
    available = set(winner.list_below(name))
    hidden: dict[tuple[str, str], list[str]] = defaultdict(list)
    for root in having:
        for module in root.list_below(name) if root is not winner else ():
            found, home = root.modules[module]
            hidden[found.owner or "", home].append(module)
    for (owner, home), modules in sorted(hidden.items()):
        if available.isdisjoint(modules) and (not owner or owner != entry.owner):
            yield HIDDEN_PACKAGE.entry_finding(
                entry,
                f"{entry.path}{source} hides {first_words(sorted(modules), 2)}"
                f"{f' of {owner}' if owner else ''} in {home}",
                hint=f"remove {name}/__init__.py if it is a namespace package, or rename it"
                if entry.owner is None
                else f"install {entry.owner} and {owner or name} into one place",
            )


def _check_runtime(context: CheckContext) -> Iterator[Finding]:
    """Check that what is used of the runtime's packages is not hidden by something else."""
    files = context.package_files
    for project, module in _RUNTIME_MODULES.items():
        name = module.partition(".")[0]
        entry = files.get(f"{name}/__init__.py") or files.get(f"{name}.py")
        known = module.replace(".", "/")
        if entry is None or f"{known}.py" in files or f"{known}/__init__.py" in files:
            continue
        if project in context.provided and project in _find_used(context):
            yield HIDDEN_PACKAGE.entry_finding(
                entry,
                f"{entry.path} hides {module} of {project}, which {context.target.runtime_name}"
                " provides and the package uses",
                hint="rename it",
            )


def _find_used(context: CheckContext) -> set[str]:
    """Find the projects that the bundle takes from the runtime."""
    used = {
        required.project
        for _, required, _ in iterate_requirements(
            context.bundle.projects, context.requirements, context.conditions.hold
        )
    }
    used |= {item.module.partition(".")[0] for file in context.sources for item in file.imports}
    if used & {"boto3", "botocore"}:
        used |= _RUNTIME_MODULES.keys()
    return used - context.projects.keys()
