"""Which system libraries and symbol versions a target machine has.

Each fact names its public source. Where nothing is known about an image, the answer is "unknown",
never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crossdeps.target.model import Target

Presence = Literal["present", "absent", "unknown"]
VersionNumber = tuple[int, ...]

# The libraries that every manylinux wheel may rely on (PEP 600 and auditwheel's policies), without
# those of a desktop environment, which server images lack by default.
_BASE_LIBRARIES = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libanl.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libmvec.so.1",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
        "libz.so.1",
    }
)
# On the same lists, but not in every image: Amazon Linux has them in separate packages.
_USUAL_LIBRARIES = frozenset({"libatomic.so.1", "libexpat.so.1", "libnsl.so.1"})
# musl's C library is also its loader.
_MUSL_LIBRARIES = ("libc.musl-", "ld-musl-", "libc.so")

# Reported as missing where functions run on Amazon Linux 2 and later, even if the build image has
# them: lambci/docker-lambda#318 (libGL), Toblerity/Fiona#1078 and developmentseed/eoapi-cdk#181
# (libexpat), isl-org/Open3D#4933 (libgomp), vladholubiev/serverless-libreoffice#26 (libX11); the
# others come from the same desktop packages.
_DESKTOP = "part of a desktop environment"
_ABSENT_ON_LAMBDA = {
    "libEGL.so.1": _DESKTOP,
    "libGL.so.1": _DESKTOP,
    "libICE.so.6": _DESKTOP,
    "libSM.so.6": _DESKTOP,
    "libX11.so.6": _DESKTOP,
    "libXext.so.6": _DESKTOP,
    "libXrender.so.1": _DESKTOP,
    "libexpat.so.1": "the Expat XML parser",
    "libglib-2.0.so.0": _DESKTOP,
    "libgobject-2.0.so.0": _DESKTOP,
    "libgomp.so.1": "GCC's OpenMP runtime",
    "libgthread-2.0.so.0": _DESKTOP,
}

# The newest symbol versions of the GCC runtime libraries and zlib, by the glibc of the machine; the
# last row at or below the target's glibc applies. GLIBCXX and CXXABI of each GCC: the libstdc++
# manual, "ABI Policy and Guidelines"; the floor that each manylinux policy allows: pypa/auditwheel,
# policy/manylinux-policy.json. 2.26 is GCC 7, as in Amazon Linux 2; 2.34 is GCC 11, as in Amazon
# Linux 2023.
_TOOLCHAINS = (
    # glibc, GLIBCXX, CXXABI, GCC on x86_64, GCC on aarch64, ZLIB
    ((2, 5), "3.4.8", "1.3.1", "4.2.0", "", "1.2.2.4"),
    ((2, 12), "3.4.13", "1.3.3", "4.3.0", "", "1.2.2.4"),
    ((2, 17), "3.4.19", "1.3.7", "4.8.0", "4.7.0", "1.2.5.2"),
    ((2, 24), "3.4.22", "1.3.10", "4.8.0", "4.7.0", "1.2.5.2"),
    ((2, 26), "3.4.24", "1.3.11", "7.0.0", "7.0.0", "1.2.5.2"),
    ((2, 27), "3.4.24", "1.3.11", "7.0.0", "7.0.0", "1.2.9"),
    ((2, 31), "3.4.28", "1.3.12", "7.0.0", "7.0.0", "1.2.9"),
    ((2, 34), "3.4.29", "1.3.13", "7.0.0", "11.0", "1.2.9"),
    ((2, 35), "3.4.30", "1.3.13", "12.0.0", "11.0", "1.2.9"),
    ((2, 39), "3.4.33", "1.3.15", "14.0.0", "14.0.0", "1.2.12"),
)


def max_symbol_versions(target: Target) -> dict[str, VersionNumber]:
    """Return the newest version that the target has of each family of symbol versions.

    :returns: ``GLIBC``, ``GLIBCXX``, ``CXXABI``, ``GCC``, ``ZLIB`` -> version number; empty for
        musl, whose library has no symbol versions
    """
    if target.libc.kind != "glibc":
        return {}
    glibc = target.libc.version
    row = next((row for row in reversed(_TOOLCHAINS) if row[0] <= glibc), _TOOLCHAINS[0])
    _, glibcxx, cxxabi, gcc_x86_64, gcc_aarch64, zlib = row
    if target.arch == "aarch64" and glibc == (2, 17):
        # The C library of the manylinux2014 images for aarch64 has a symbol of 2.18, and their
        # policy allows it.
        glibc = (2, 18)
    return {
        "GLIBC": glibc,
        "GLIBCXX": parse_version_number(glibcxx),
        "CXXABI": parse_version_number(cxxabi),
        "GCC": parse_version_number(gcc_aarch64 if target.arch == "aarch64" else gcc_x86_64),
        "ZLIB": parse_version_number(zlib),
    }


def parse_version_number(text: str) -> VersionNumber:
    """Parse a dotted version number.

    >>> parse_version_number("3.4.19")
    (3, 4, 19)
    """
    return tuple(int(part) for part in text.split("."))


def library_presence(target: Target, name: str) -> Presence:
    """Whether the target machine has the shared library *name* (a DT_NEEDED value)."""
    if target.runtime_name and name in _python_libraries(target):
        return "present"
    if target.libc.kind == "musl":
        return "present" if name.startswith(_MUSL_LIBRARIES) else "unknown"
    if name in _BASE_LIBRARIES:
        return "present"
    if target.runtime_name:
        return _presence_on_lambda(target, name)
    return "present" if name in _USUAL_LIBRARIES else "unknown"


def _presence_on_lambda(target: Target, name: str) -> Presence:
    # Amazon Linux 1, with glibc 2.17, had many more libraries than its successors.
    if name in _ABSENT_ON_LAMBDA and target.libc.version > (2, 17):
        return "absent"
    # Both were part of glibc's own package until 2.28 or so.
    if name in {"libcrypt.so.1", "libnsl.so.1"} and target.libc.version < (2, 28):
        return "present"
    return "unknown"


def _python_libraries(target: Target) -> tuple[str, ...]:
    # The Python of Lambda's images is a shared library, already loaded when a handler is called.
    major, minor = target.python_version
    suffix = "m" if minor < 8 else ""
    return (f"libpython{major}.{minor}{suffix}.so.1.0", "libpython3.so")


def describe_absent_library(name: str) -> str:
    """Describe a library that is known to be absent, for a message."""
    return _ABSENT_ON_LAMBDA[name]
