"""Rules on symbol versions and shared libraries that binaries need and the target may lack."""

from __future__ import annotations

import functools
import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.binaries.model import parse_symbol_version
from crossdeps.target.runtimes import RUNTIMES
from crossdeps.verify.model import Rule
from crossdeps.verify.native import linked_libc
from crossdeps.verify.system_libraries import (
    describe_absent_library,
    library_presence,
    max_symbol_versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.native import NativeFile
    from crossdeps.verify.system_libraries import VersionNumber

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
        for family, (number, name, library) in sorted(_find_newest(context, native).items()):
            if number <= available.get(family, number):
                continue
            needs = f"{native.path} needs {name} from {library}"
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


def _find_newest(
    context: CheckContext, native: NativeFile
) -> dict[str, tuple[VersionNumber, str, str]]:
    """Find the newest version of each family that *native* requires of system libraries.

    :returns: family -> (number, name, library)
    """
    newest: dict[str, tuple[VersionNumber, str, str]] = {}
    for library, names in native.facts.versions:
        for name in names if library not in context.libraries else ():
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
    title="a vendored library that is missing, or not where the loader searches",
    symptom="Import fails: `libopenblas-r0-f650aae0.so: cannot open shared object file`.",
    cause=(
        "auditwheel gives such names to libraries inside a wheel, so no system has them: a `.libs`"
        " folder was excluded, trimmed or moved, or comes from another version of the wheel."
    ),
    remedy="Rebuild the package, and do not exclude `*.libs` folders.",
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

_LIBRARY_HINT = "add the library to lib/ of the package or of a layer"
_DESKTOP_HINT = (
    f"use the project's variant for servers (such as opencv-python-headless), or {_LIBRARY_HINT}"
)


def check_needed_libraries(context: CheckContext) -> Iterator[Finding]:
    """Check that each DT_NEEDED is in the bundle or on the target; one finding per library."""
    dependents: dict[tuple[str | None, str], list[NativeFile]] = defaultdict(list)
    for native in context.compatible_files:
        if linked_libc(native.facts) not in {None, context.target.libc.kind}:
            continue  # the wrong C library is a finding already, and its companions are missing too
        for name in dict.fromkeys(native.facts.needed):
            library = name.rpartition("/")[2]
            if library not in context.libraries or _is_unreachable(context, native, library):
                dependents[native.entry.owner, library].append(native)
    for (owner, library), natives in dependents.items():
        problem = _find_problem(context, library)
        if problem:
            rule, text, hint = problem
            verb = f"and {len(natives) - 1} more need" if len(natives) > 1 else "needs"
            yield rule.finding(
                f"{natives[0].path} {verb} {library}, which {text}",
                path=natives[0].entry.path,
                paths=tuple(native.entry.path for native in natives),
                owner=owner,
                hint=hint,
            )


@functools.lru_cache
def _is_vendored(library: str) -> bool:
    """Whether auditwheel named *library*, after the first eight digits of its SHA-256.

    >>> _is_vendored("libgfortran-040039e1.so.5.0.0")
    True
    """
    return re.search(r"-[0-9a-f]{8}\.so(?:\.[0-9A-Za-z]+)*$", library) is not None


def _is_unreachable(context: CheckContext, native: NativeFile, library: str) -> bool:
    """Whether the loader doesn't search the folders of the bundle that have *library*.

    Only vendored libraries are checked: auditwheel names their folder in the RPATH or RUNPATH of
    each module that needs them, relative to ``$ORIGIN``, while projects load libraries of their own
    in many ways. Libraries in the folder itself are loaded by modules, whose RPATH applies to them
    too.
    """
    folder = posixpath.dirname(native.entry.path)
    if context.runtime_context.layers or folder.endswith(".libs") or not _is_vendored(library):
        return False
    rpaths = [
        path.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", folder or ".")
        for path in native.facts.rpaths
        if path.startswith(("$ORIGIN", "${ORIGIN}"))
    ]
    # Lambda's LD_LIBRARY_PATH has the root of the package and its lib/ (developer guide).
    searched = (posixpath.normpath(f"{path}/{library}") for path in (*rpaths, ".", "lib"))
    return library in context.library_filenames and not any(
        path in context.entries for path in searched
    )


def _find_problem(context: CheckContext, library: str) -> tuple[Rule, str, str] | None:
    """Find why *library* won't be loaded: the rule, the end of its message, and the hint."""
    if _is_vendored(library):
        text = "belongs in the package, but is missing"
        if library in context.libraries:
            text = "is in the package, but not where the loader searches (RPATH, RUNPATH)"
        return MISSING_LIBRARY, text, context.rebuild_hint
    presence = library_presence(context.target, library)
    if presence == "present":
        return None
    target = context.target.runtime_name or "the target"
    if presence == "absent":
        description = describe_absent_library(library)
        hint = _DESKTOP_HINT if "desktop" in description else _LIBRARY_HINT
        return ABSENT_LIBRARY, f"{target} does not have ({description})", hint
    return (
        UNKNOWN_LIBRARY,
        f"is not in the package and may not be on {target}",
        f"if the target has it, ignore this finding: --ignore {UNKNOWN_LIBRARY.id}",
    )
