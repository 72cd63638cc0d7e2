"""What a target machine brings along: system libraries, symbol versions, Python projects.

Each fact has its public source beside it. Where nobody has said what an image holds, the answer is
"unknown", never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.target.model import Target

Presence = Literal["present", "absent", "unknown"]
VersionNumber = tuple[int, ...]

# The libraries that every manylinux wheel may rely on (PEP 600 and the policies that auditwheel
# carries), without those of a desktop, which no server image has by default.
_EVERYWHERE = frozenset(
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
# On the same lists, but not in every image: Amazon Linux has them in packages of their own.
_USUAL = frozenset({"libatomic.so.1", "libexpat.so.1", "libnsl.so.1"})
# musl's library is libc and loader in one.
_MUSL = ("libc.musl-", "ld-musl-", "libc.so")

# Known from reports to be missing where functions run on Amazon Linux 2 and later, even where the
# image that one builds in has them: lambci/docker-lambda#318 (libGL), Toblerity/Fiona#1078 and
# developmentseed/eoapi-cdk#181 (libexpat), isl-org/Open3D#4933 (libgomp),
# vladholubiev/serverless-libreoffice#26 (libX11); the others come with the same desktop packages.
_DESKTOP = "part of a desktop"
_ABSENT_FROM_LAMBDA: Mapping[str, str] = {
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

# The client that calls the handler; a copy of it in the package is imported instead of the image's.
_LAMBDA_MODULES = frozenset({"awslambdaric", "bootstrap"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Toolchain:
    """The newest symbol versions of the GCC runtime libraries and zlib on a kind of machine."""

    glibc: tuple[int, int]
    glibcxx: VersionNumber
    cxxabi: VersionNumber
    gcc: Mapping[str, VersionNumber]
    zlib: VersionNumber


# GLIBCXX and CXXABI of each GCC: the libstdc++ manual, "ABI Policy and Guidelines"; the floor that
# each manylinux policy allows: pypa/auditwheel, policy/manylinux-policy.json. Newest last.
_TOOLCHAINS = (
    _Toolchain(
        glibc=(2, 5),
        glibcxx=(3, 4, 8),
        cxxabi=(1, 3, 1),
        gcc={"x86_64": (4, 2, 0)},
        zlib=(1, 2, 2, 4),
    ),
    _Toolchain(
        glibc=(2, 12),
        glibcxx=(3, 4, 13),
        cxxabi=(1, 3, 3),
        gcc={"x86_64": (4, 3, 0)},
        zlib=(1, 2, 2, 4),
    ),
    _Toolchain(
        glibc=(2, 17),
        glibcxx=(3, 4, 19),
        cxxabi=(1, 3, 7),
        gcc={"x86_64": (4, 8, 0), "aarch64": (4, 7, 0)},
        zlib=(1, 2, 5, 2),
    ),
    _Toolchain(
        glibc=(2, 24),
        glibcxx=(3, 4, 22),
        cxxabi=(1, 3, 10),
        gcc={"x86_64": (4, 8, 0), "aarch64": (4, 7, 0)},
        zlib=(1, 2, 5, 2),
    ),
    # GCC 7, which Amazon Linux 2 has too.
    _Toolchain(
        glibc=(2, 26),
        glibcxx=(3, 4, 24),
        cxxabi=(1, 3, 11),
        gcc={"x86_64": (7, 0, 0), "aarch64": (7, 0, 0)},
        zlib=(1, 2, 5, 2),
    ),
    _Toolchain(
        glibc=(2, 27),
        glibcxx=(3, 4, 24),
        cxxabi=(1, 3, 11),
        gcc={"x86_64": (7, 0, 0), "aarch64": (7, 0, 0)},
        zlib=(1, 2, 9),
    ),
    _Toolchain(
        glibc=(2, 31),
        glibcxx=(3, 4, 28),
        cxxabi=(1, 3, 12),
        gcc={"x86_64": (7, 0, 0), "aarch64": (7, 0, 0)},
        zlib=(1, 2, 9),
    ),
    # GCC 11, which Amazon Linux 2023 has too.
    _Toolchain(
        glibc=(2, 34),
        glibcxx=(3, 4, 29),
        cxxabi=(1, 3, 13),
        gcc={"x86_64": (7, 0, 0), "aarch64": (11, 0)},
        zlib=(1, 2, 9),
    ),
    _Toolchain(
        glibc=(2, 35),
        glibcxx=(3, 4, 30),
        cxxabi=(1, 3, 13),
        gcc={"x86_64": (12, 0, 0), "aarch64": (11, 0)},
        zlib=(1, 2, 9),
    ),
    _Toolchain(
        glibc=(2, 39),
        glibcxx=(3, 4, 33),
        cxxabi=(1, 3, 15),
        gcc={"x86_64": (14, 0, 0), "aarch64": (14, 0, 0)},
        zlib=(1, 2, 12),
    ),
)


def symbol_floors(target: Target) -> dict[str, VersionNumber]:
    """The newest version that the target has of each family of symbol versions.

    :returns: ``GLIBC``, ``GLIBCXX``, ``CXXABI``, ``GCC``, ``ZLIB`` -> version number; empty for
        musl, whose library has no symbol versions
    """
    if target.libc.kind != "glibc":
        return {}
    glibc = target.libc.version
    fitting = [toolchain for toolchain in _TOOLCHAINS if toolchain.glibc <= glibc]
    toolchain = (fitting or _TOOLCHAINS[:1])[-1]
    if target.arch == "aarch64" and glibc == (2, 17):
        # The C library of the manylinux2014 images for aarch64 has a symbol of 2.18, and their
        # policy allows it.
        glibc = (2, 18)
    return {
        "GLIBC": glibc,
        "GLIBCXX": toolchain.glibcxx,
        "CXXABI": toolchain.cxxabi,
        "GCC": toolchain.gcc[target.arch],
        "ZLIB": toolchain.zlib,
    }


def library_presence(target: Target, name: str) -> Presence:
    """Whether the target machine has the shared library *name* (a DT_NEEDED value)."""
    if name in _python_libraries(target):
        return "present"
    if target.libc.kind == "musl":
        return "present" if name.startswith(_MUSL) else "unknown"
    if name in _EVERYWHERE:
        return "present"
    if target.runtime_facts is not None:
        return _presence_on_lambda(target, name)
    return "present" if name in _USUAL else "unknown"


def _presence_on_lambda(target: Target, name: str) -> Presence:
    # Amazon Linux 1, with glibc 2.17, had many more libraries than its successors.
    if name in _ABSENT_FROM_LAMBDA and target.libc.version > (2, 17):
        return "absent"
    # Both were part of glibc's own package until 2.28 or so.
    if name in {"libcrypt.so.1", "libnsl.so.1"} and target.libc.version < (2, 28):
        return "present"
    return "unknown"


def describe_absent_library(name: str) -> str:
    """What a library that is known to be absent is, for a message."""
    return _ABSENT_FROM_LAMBDA[name]


def _python_libraries(target: Target) -> tuple[str, ...]:
    # The images of Lambda have a Python with a shared library, already loaded when a handler is.
    if target.runtime_facts is None:
        return ()
    major, minor = target.python_version
    suffix = "m" if minor < 8 else ""
    return (f"libpython{major}.{minor}{suffix}.so.1.0", "libpython3.so")


def runtime_modules(target: Target) -> frozenset[str]:
    """Top-level modules with which the runtime calls the handler."""
    return _LAMBDA_MODULES if target.runtime_facts else frozenset()
