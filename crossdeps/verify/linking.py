"""Rules on symbol versions and shared libraries that binaries need and the target may lack."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from crossdeps.binaries.model import parse_symbol_version
from crossdeps.target.runtimes import RUNTIMES
from crossdeps.verify.model import Rule
from crossdeps.verify.native import linked_libc
from crossdeps.verify.preloading import Preloading
from crossdeps.verify.system_libraries import (
    describe_absent_library,
    library_presence,
    max_symbol_versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.loader import Search
    from crossdeps.verify.native import NativeFile
    from crossdeps.verify.system_libraries import Presence, VersionNumber

GLIBC_TOO_OLD = Rule(
    id="glibc-too-old",
    severity="error",
    title="a binary that needs a newer glibc than the target has",
    symptom="Import fails: `/lib64/libc.so.6: version 'GLIBC_2.28' not found`.",
    cause=(
        "The binary was linked on a system newer than the target: a wheel for a newer manylinux"
        " policy, or a local build."
    ),
    remedy=(
        "Build for the target, so that a wheel for its glibc is selected, or move to a runtime with"
        " a newer glibc (2.34 in python3.12 and later)."
    ),
)
SYMBOL_TOO_NEW = Rule(
    id="symbol-version-too-new",
    severity="error",
    title="a binary that needs newer GCC runtime libraries or zlib than the target has",
    symptom=(
        "Import fails: `libstdc++.so.6: version 'GLIBCXX_3.4.29' not found`, or the same for CXXABI"
        " or GCC."
    ),
    cause=(
        "The binary was compiled by a GCC newer than the one whose libraries the target has, and"
        " the libraries are not in the package."
    ),
    remedy=(
        "Use a wheel that follows the target's manylinux policy, or vendor the newer library into"
        " the package as auditwheel does."
    ),
)


def check_symbol_versions(context: CheckContext) -> Iterator[Finding]:
    """Check that the target has every symbol version that a binary requires."""
    available = max_symbol_versions(context.target)
    for native in context.compatible_files if available else ():
        system = []
        for library, names in native.facts.versions:
            vendored = context.loader.find(native, library)
            if vendored is None:
                system += [(library, name) for name in names]
            else:
                yield from _check_vendored_versions(context, native, vendored, names)
        for family, (number, name, library) in sorted(_find_newest(system).items()):
            if number <= available.get(family, number):
                continue
            needs = f"{native.label} needs {name} from {library}"
            if family == "GLIBC":
                yield GLIBC_TOO_OLD.entry_finding(
                    native.entry,
                    f"{needs}; the target has {context.target.libc}",
                    hint=_glibc_hint(context, number),
                )
            else:
                newest = ".".join(str(part) for part in available[family])
                yield SYMBOL_TOO_NEW.entry_finding(
                    native.entry,
                    f"{needs}; the target's library has versions up to {family}_{newest}",
                    hint=context.build_hint,
                )


def _check_vendored_versions(
    context: CheckContext, native: NativeFile, vendored: NativeFile, names: tuple[str, ...]
) -> Iterator[Finding]:
    """Check that a library of the package has the versions that *native* requires of it.

    One without any versions has all of them for the loader, which only warns.
    """
    defined = vendored.facts.defined_versions
    missing = [name for name in names if name not in defined] if defined else []
    if missing:
        yield SYMBOL_TOO_NEW.entry_finding(
            native.entry,
            f"{native.label} needs {missing[-1]} from {vendored.label}, which does not have it",
            hint=context.rebuild_hint,
        )


def _find_newest(
    required: Iterable[tuple[str, str]],
) -> dict[str, tuple[VersionNumber, str, str]]:
    """Find the newest version of each family that is required of system libraries.

    :param required: (library, name of the version)
    :returns: family -> (number, name, library)
    """
    newest: dict[str, tuple[VersionNumber, str, str]] = {}
    for library, name in required:
        parsed = parse_symbol_version(name)
        if parsed:
            family, number = parsed
            newest[family] = max(newest.get(family, ((), "", "")), (number, name, library))
    return newest


def _glibc_hint(context: CheckContext, number: VersionNumber) -> str:
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if runtime.libc.version >= number and context.target.arch in runtime.architectures
    ]
    if context.target.runtime_name and runtimes:
        return f"{context.build_hint}; or move to {runtimes[0]} or later, which has a newer glibc"
    return context.build_hint


MISSING_LIBRARY = Rule(
    id="missing-library",
    severity="error",
    title="a library of the package that is missing, or not where the loader searches",
    symptom="Import fails: `libopenblas-r0-f650aae0.so: cannot open shared object file`.",
    cause=(
        "A `.libs` folder was excluded, trimmed or moved, or comes from another version of the"
        " wheel: auditwheel gives such names to libraries inside a wheel, so no system has them."
        " Or a binary was built without an RPATH, or with a path of the machine that built it: the"
        " loader searches the RPATH or RUNPATH of the binary, LD_LIBRARY_PATH (on Lambda the root"
        " of the package, its `lib/`, and `lib/` of layers) and the system's folders."
    ),
    remedy=(
        "Rebuild the package, and do not exclude `*.libs` folders. For a binary of your own, set"
        " the path relative to the binary: `patchelf --set-rpath '$ORIGIN/../name.libs'`, or repair"
        " its wheel with auditwheel."
    ),
)
ABSENT_LIBRARY = Rule(
    id="absent-library",
    severity="error",
    title="a system library that the target is known not to have",
    symptom="Import fails: `libGL.so.1: cannot open shared object file`.",
    cause=(
        "The project relies on libraries of a desktop environment or a compiler, which the runtime"
        " does not have."
    ),
    remedy=(
        "Use the project's variant for servers if there is one (opencv-python-headless instead of"
        " opencv-python), or add the library to the package or a layer (on Lambda, `/opt/lib` and"
        " the package's `lib/` are searched)."
    ),
)
UNKNOWN_LIBRARY = Rule(
    id="unknown-library",
    severity="warning",
    title="a system library that the target may not have",
    symptom="Import may fail: `cannot open shared object file`.",
    cause=(
        "The library is neither in the package nor among those that every manylinux machine has."
        " It may be loaded only for an optional feature, such as GPU support."
    ),
    remedy="Try it on the target. If it works, ignore the finding with `--ignore`.",
)

# Absolute paths in an RPATH that a target may have; a build leaves others behind.
_TARGET_DIRECTORIES = ("/usr/", "/lib", "/opt/", "/var/")
_LIBRARY_HINT = "add the library to lib/ of the package or of a layer"
_DESKTOP_HINT = (
    f"use the project's variant for servers (such as opencv-python-headless), or {_LIBRARY_HINT}"
)


def check_needed_libraries(context: CheckContext) -> Iterator[Finding]:
    """Check that each DT_NEEDED is in the bundle or on the target; one finding per library."""
    dependents: dict[tuple[str | None, str, _Problem], list[NativeFile]] = defaultdict(list)
    preloading = Preloading(context)
    for search in context.loader.searches:
        native = search.native
        if linked_libc(native.facts) not in {None, context.target.libc.kind}:
            continue  # the wrong C library is a finding already, and its companions are missing too
        problem = _find_problem(context, search, preloading)
        if problem:
            dependents[native.entry.owner, search.name, problem].append(native)
    for (owner, library, problem), natives in dependents.items():
        verb = f"and {len(natives) - 1} more need" if len(natives) > 1 else "needs"
        yield problem.rule.finding(
            f"{natives[0].label} {verb} {library}, which {problem.text}",
            path=natives[0].entry.path,
            paths=tuple(native.entry.path for native in natives),
            owner=owner,
            hint=problem.hint,
        )


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a library won't be loaded.

    :param text: the end of the message
    """

    rule: Rule
    text: str
    hint: str


@functools.lru_cache
def _is_vendored(library: str) -> bool:
    """Whether auditwheel named *library*, after the first eight digits of its SHA-256.

    >>> _is_vendored("libgfortran-040039e1.so.5.0.0")
    True
    """
    return re.search(r"-[0-9a-f]{8}\.so(?:\.[0-9A-Za-z]+)*$", library) is not None


def _find_problem(context: CheckContext, search: Search, preloading: Preloading) -> _Problem | None:
    """Find why the library won't be loaded; None if it will, or if nothing is known of it."""
    library = search.library
    presence = library_presence(context.target, library)
    if not isinstance(search.found, str) or (search.found == "system" and presence == "present"):
        return None
    named = context.loader.named.get(library)
    if (named or search.found == "absent") and preloading.is_loaded_before(search):
        return None
    is_builders = presence == "unknown" and _names_builder(context, search)
    if not (named or search.found == "absent" or _is_vendored(library) or is_builders):
        return _find_system_problem(context, library, presence)
    if named:
        # Nothing is known of how plugins and programs are started; auditwheel gives all an RPATH.
        is_strict = context.loader.is_imported(search.native) or _is_vendored(library)
        if not is_strict or preloading.is_loaded_by_code(search):
            return None
        text = f"is in the package ({named[0].label}), but not where the loader searches"
        text = _add_paths(text, search)
    elif search.found == "absent":
        text = "is a path of the machine that built the binary"
    elif is_builders:
        text = _add_paths("is only on the machine that built the binary", search)
    else:
        text = "belongs in the package, but is missing"
    return _Problem(rule=MISSING_LIBRARY, text=text, hint=context.rebuild_hint)


def _names_builder(context: CheckContext, search: Search) -> bool:
    """Whether a module has a path of the machine that built it, where the library was."""
    facts = search.native.facts
    return context.loader.is_imported(search.native) and any(
        path.startswith("/") and not path.startswith(_TARGET_DIRECTORIES)
        for path in (*facts.rpaths, *facts.runpaths)
    )


def _add_paths(text: str, search: Search) -> str:
    """Add to *text* where the loader searches."""
    if search.found == "absent":
        return f"{text}, but only at that path"
    facts = search.native.facts
    kind = "RUNPATH" if facts.runpaths else "RPATH"
    paths = ":".join(facts.runpaths or facts.rpaths)
    return f"{text} ({kind} {paths})" if paths else f"{text} (the binary has no RPATH or RUNPATH)"


def _find_system_problem(
    context: CheckContext, library: str, presence: Presence
) -> _Problem | None:
    target = context.target.runtime_name or "the target"
    if presence == "absent":
        description = describe_absent_library(library)
        hint = _DESKTOP_HINT if "desktop" in description else _LIBRARY_HINT
        text = f"{target} does not have ({description})"
        return _Problem(rule=ABSENT_LIBRARY, text=text, hint=hint)
    return _Problem(
        rule=UNKNOWN_LIBRARY,
        text=f"is not in the package and may not be on {target}",
        hint=f"if the target has it, ignore this finding: --ignore {UNKNOWN_LIBRARY.id}",
    )
