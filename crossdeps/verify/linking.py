"""Symbol versions that the target's libraries are too old to have."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.target.runtimes import RUNTIMES
from crossdeps.verify.images import describe_absent_library, library_presence, symbol_floors
from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.native import linked_libc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.images import VersionNumber
    from crossdeps.verify.native import NativeFile

GLIBC_TOO_OLD = Rule(
    id="glibc-too-old",
    severity="error",
    title="a binary that needs a newer glibc than the target has",
    symptom="Import fails: `/lib64/libc.so.6: version 'GLIBC_2.28' not found`.",
    cause=(
        "The binary was linked on a newer system than the target: a wheel for a newer manylinux,"
        " or a local build."
    ),
    remedy=(
        "Build for the target, so that a wheel for its glibc is chosen; or move to a runtime with"
        " a newer one (python3.12 and later have glibc 2.34)."
    ),
)
SYMBOL_TOO_NEW = Rule(
    id="symbol-version-too-new",
    severity="error",
    title="a binary that needs newer GCC runtime libraries or zlib than the target has",
    symptom="Import fails: `libstdc++.so.6: version 'GLIBCXX_3.4.29' not found`, or CXXABI, GCC.",
    cause=(
        "The binary was compiled by a newer GCC than the one whose libraries the target has, and"
        " the libraries aren't in the package."
    ),
    remedy=(
        "Take a wheel that follows the manylinux policy of the target, or put the newer library"
        " into the package as auditwheel does."
    ),
)

_VERSION = re.compile(r"(?P<family>[A-Z]+)_(?P<number>\d+(?:\.\d+)*)")
# Marks that glibc has beside its numbered versions, and the first version that has each.
_GLIBC_MARKS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_GNU2_TLS": (2, 42)}


def check_symbol_versions(context: CheckContext) -> Iterator[Finding]:
    """Every symbol version that a binary needs is one that the target has."""
    floors = symbol_floors(context.target)
    for native in context.natives if floors else ():
        if native.standing != "fits":
            continue
        for family, (number, name, library) in sorted(_newest(context, native).items()):
            if number <= floors.get(family, number):
                continue
            if family == "GLIBC":
                yield GLIBC_TOO_OLD.finding(
                    f"{native.path} needs {name} from {library};"
                    f" the target has {context.target.libc}",
                    path=native.entry.path,
                    owner=native.entry.owner,
                    hint=_glibc_hint(context, number),
                )
            else:
                floor = ".".join(str(part) for part in floors[family])
                yield SYMBOL_TOO_NEW.finding(
                    f"{native.path} needs {name} from {library};"
                    f" the target's has versions up to {family}_{floor}",
                    path=native.entry.path,
                    owner=native.entry.owner,
                    hint=f"build for the target: {context.build_command}",
                )


def _newest(context: CheckContext, native: NativeFile) -> dict[str, tuple[VersionNumber, str, str]]:
    """The newest version of each family that isn't met by a library of the bundle itself."""
    newest: dict[str, tuple[VersionNumber, str, str]] = {}
    for library, names in native.facts.versions:
        if library in context.libraries:
            continue
        for name in names:
            parsed = _parse(name)
            if parsed is None:
                continue
            family, number = parsed
            newest[family] = max(newest.get(family, ((), "", "")), (number, name, library))
    return newest


def _parse(name: str) -> tuple[str, VersionNumber] | None:
    if name in _GLIBC_MARKS:
        return "GLIBC", _GLIBC_MARKS[name]
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    return match["family"], tuple(int(part) for part in match["number"].split("."))


def _glibc_hint(context: CheckContext, number: VersionNumber) -> str:
    build = f"build for the target: {context.build_command}"
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if runtime.libc.version >= number and context.target.arch in runtime.architectures
    ]
    if context.target.runtime_name and runtimes:
        return f"{build}; or move to {runtimes[0]} or later, whose glibc is new enough"
    return build


MISSING_LIBRARY = Rule(
    id="missing-library",
    severity="error",
    title="a library that belongs to the package is missing, or isn't where it is looked for",
    symptom="Import fails: `libopenblas-r0-f650aae0.so: cannot open shared object file`.",
    cause=(
        "The name is one that auditwheel gives to libraries inside a wheel, so no system has it: a"
        " `.libs` folder was left out, trimmed, moved, or comes from another version of the wheel."
    ),
    remedy="Build the package anew, and don't exclude `*.libs` folders.",
)
ABSENT_LIBRARY = Rule(
    id="absent-library",
    severity="error",
    title="a system library that the target is known not to have",
    symptom="Import fails: `libGL.so.1: cannot open shared object file`.",
    cause="The project counts on a desktop's or a compiler's libraries; the runtime has none.",
    remedy=(
        "Take the variant for servers where there is one (opencv-python-headless instead of"
        " opencv-python), or put the library into the package or a layer (`/opt/lib` and the"
        " package's `lib/` are searched on Lambda)."
    ),
)
UNKNOWN_LIBRARY = Rule(
    id="unknown-library",
    severity="warning",
    title="a system library that the target may not have",
    symptom="Import may fail: `cannot open shared object file`.",
    cause=(
        "The library isn't in the package, and not among those that every manylinux machine has."
        " It may be loaded only when an optional feature is used, such as a GPU."
    ),
    remedy="Try it on the target; if it works there, silence the finding with `--ignore`.",
)

_LIBRARY_HINT = "put the library into lib/ of the package or of a layer"
_DESKTOP_HINT = (
    "take the project's variant for servers (such as opencv-python-headless), or put the library"
    " into lib/ of the package or of a layer"
)

# auditwheel names a library that it puts into a wheel after the first eight digits of its SHA-256:
# libgfortran-040039e1.so.5.0.0
_GRAFTED = re.compile(r"-[0-9a-f]{8}\.so(?:\.[0-9A-Za-z]+)*$")


def check_needed_libraries(context: CheckContext) -> Iterator[Finding]:
    """Every DT_NEEDED is in the bundle, or on the target: one finding for each that isn't."""
    needing: dict[tuple[str | None, str], list[NativeFile]] = defaultdict(list)
    for native in context.natives:
        # Where the C library is the wrong one, its companions are missing too: that's no news.
        if native.standing == "fits" and linked_libc(native.facts) in {
            None,
            context.target.libc.kind,
        }:
            for name in dict.fromkeys(native.facts.needed):
                library = name.rpartition("/")[2]
                if library not in context.libraries or _is_out_of_reach(context, native, library):
                    needing[native.entry.owner, library].append(native)
    for (owner, library), natives in needing.items():
        judged = _judge(context, library)
        if judged:
            rule, text, hint = judged
            verb = f"and {len(natives) - 1} more need" if len(natives) > 1 else "needs"
            yield rule.finding(
                f"{natives[0].path} {verb} {library}, which {text}",
                path=natives[0].entry.path,
                paths=tuple(native.entry.path for native in natives),
                owner=owner,
                hint=hint,
            )


def _is_out_of_reach(context: CheckContext, native: NativeFile, library: str) -> bool:
    """Whether the loader looks for a library of the package in other folders than its own.

    Asked of grafted libraries only: auditwheel names their folder in each module that needs them,
    as RPATH or RUNPATH with ``$ORIGIN``, while projects load libraries of their own in many ways.
    The libraries in the folder itself are loaded by modules, whose folders count for them too.
    """
    folder = posixpath.dirname(native.entry.path)
    if not _GRAFTED.search(library) or folder.endswith(".libs") or context.runtime_context.layers:
        return False
    own = [
        path.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", folder or ".")
        for path in native.facts.rpaths
        if path.startswith(("$ORIGIN", "${ORIGIN}"))
    ]
    # LD_LIBRARY_PATH of Lambda has the root of the package and its lib/ (developer guide).
    looked_for = {posixpath.normpath(f"{place}/{library}") for place in (*own, ".", "lib")}
    there = {path for path in context.entries if posixpath.basename(path) == library}
    return bool(there) and there.isdisjoint(looked_for)


def _judge(context: CheckContext, library: str) -> tuple[Rule, str, str] | None:
    if _GRAFTED.search(library):
        text = "belongs into the package and isn't there"
        if library in context.libraries:
            text = "is in the package, but not where it is looked for (RPATH, RUNPATH)"
        return MISSING_LIBRARY, text, f"build it anew: {context.build_command}"
    presence = library_presence(context.target, library)
    if presence == "present":
        return None
    where = context.target.runtime_name or "the target"
    if presence == "absent":
        kind = describe_absent_library(library)
        return (
            ABSENT_LIBRARY,
            f"{where} doesn't have ({kind})",
            _DESKTOP_HINT if "desktop" in kind else _LIBRARY_HINT,
        )
    return (
        UNKNOWN_LIBRARY,
        f"isn't in the package and may not be on {where}",
        f"if it is there, silence this: --ignore {UNKNOWN_LIBRARY.id}",
    )
