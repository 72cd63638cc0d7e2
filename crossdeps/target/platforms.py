"""C libraries of Linux, and the platform tags that are compatible with each version."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from crossdeps.errors import TargetError

LibcKind = Literal["glibc", "musl"]

# Legacy platform names, by the glibc version for which each stands (PEP 600)
_LEGACY_ALIASES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# The oldest glibc for which an architecture has manylinux tags (PEP 513, PEP 599); manylinux1 and
# manylinux2010 are defined for x86 only (PEP 513, PEP 571)
_OLDEST_GLIBC = {"x86_64": (2, 5), "aarch64": (2, 17)}
_OLDEST_MUSL = (1, 0)

_PLATFORM = (
    r"(?:(?P<legacy>manylinux(?:1|2010|2014))"
    r"|manylinux_(?P<glibc>\d+_\d+)"
    r"|musllinux_(?P<musl>\d+_\d+)"
    r"|(?P<bare>linux)"
    r")_(?P<arch>x86_64|aarch64)"
)


class Libc(msgspec.Struct, frozen=True, kw_only=True):
    """The C library of a machine and its version.

    :param kind: ``glibc`` or ``musl``
    :param version: (major, minor)
    """

    kind: LibcKind
    version: tuple[int, int]

    @classmethod
    def parse(cls, kind: LibcKind, text: str) -> Libc:
        """Parse a version such as ``2.17`` or ``1.2``.

        :raises TargetError: if it is not MAJOR.MINOR
        """
        match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text)
        if match is None:
            raise TargetError(
                f"invalid {kind} version {text!r}: must be MAJOR.MINOR",
                hint="for example 2.17 (manylinux2014), 2.26 (Amazon Linux 2), 2.34 (AL2023)",
            )
        return cls(kind=kind, version=(int(match[1]), int(match[2])))

    def __str__(self) -> str:
        return f"{self.kind} {self.version[0]}.{self.version[1]}"

    def platform_tag(self, arch: str) -> str:
        """Return the tag of this version (PEP 600, PEP 656), such as manylinux_2_17_x86_64."""
        prefix = "manylinux" if self.kind == "glibc" else "musllinux"
        return f"{prefix}_{self.version[0]}_{self.version[1]}_{arch}"

    def platform_tags(self, arch: str) -> tuple[str, ...]:
        """Return all platform tags that are compatible with this version, best first.

        A wheel for an older glibc runs on a newer one (PEP 600), so the tags are those of this
        version and all earlier ones, each followed by its legacy alias. The same holds for musl
        (PEP 656).
        """
        major, newest = self.version
        if self.kind == "musl":
            return tuple(f"musllinux_{major}_{minor}_{arch}" for minor in range(newest, -1, -1))
        oldest = _OLDEST_GLIBC[arch]
        names: list[str] = []
        for minor in range(newest, oldest[1] - 1, -1):
            names.append(f"manylinux_{major}_{minor}_{arch}")
            if (major, minor) in _LEGACY_ALIASES:
                names.append(f"{_LEGACY_ALIASES[major, minor]}_{arch}")
        return tuple(names)

    def check(self, arch: str) -> None:
        """Check that platform tags for *arch* with this version exist.

        :raises TargetError: if none is defined
        """
        oldest = _OLDEST_GLIBC[arch] if self.kind == "glibc" else _OLDEST_MUSL
        if self.version[0] != oldest[0] or self.version < oldest:
            raise TargetError(
                f"{self} is not a valid target on {arch}",
                hint=f"platform tags for {arch} start at {self.kind} {oldest[0]}.{oldest[1]}"
                f" and have major version {oldest[0]}",
            )


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed ``--platform`` value.

    :param libc: None for ``linux_*``, which states no C library
    """

    arch: str
    libc: Libc | None

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Parse a platform tag such as manylinux2014_x86_64, manylinux_2_28_aarch64, linux_x86_64.

        :raises TargetError: if it is not a Linux platform tag of a known architecture
        """
        normalised = text.strip().lower().replace("-", "_").replace(".", "_")
        match = re.fullmatch(_PLATFORM, re.sub(r"_(arm64|amd64)$", _canonical_suffix, normalised))
        if match is None:
            raise TargetError(
                f"unknown platform {text!r}",
                hint="use a Linux platform tag, such as manylinux2014_x86_64,"
                " manylinux_2_28_aarch64, musllinux_1_2_x86_64",
            )
        libc: Libc | None = None
        if match["legacy"]:
            version = next(v for v, name in _LEGACY_ALIASES.items() if name == match["legacy"])
            libc = Libc(kind="glibc", version=version)
        elif match["glibc"]:
            libc = Libc.parse("glibc", match["glibc"].replace("_", "."))
        elif match["musl"]:
            libc = Libc.parse("musl", match["musl"].replace("_", "."))
        if libc is not None:
            libc.check(match["arch"])
        return cls(arch=match["arch"], libc=libc)

    def tags(self) -> tuple[str, ...]:
        """Return all platform tags that are compatible with this platform, best first."""
        return self.libc.platform_tags(self.arch) if self.libc else (f"linux_{self.arch}",)


def platform_architecture(text: str) -> str:
    """Return the architecture of a platform tag.

    :raises TargetError: if it is not a Linux platform tag of a known architecture
    """
    return Platform.parse(text).arch


def _canonical_suffix(match: re.Match[str]) -> str:
    return {"arm64": "_aarch64", "amd64": "_x86_64"}[match[1]]
