"""The target: one Python, on one architecture, with one C library."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags

from crossdeps.errors import TargetError
from crossdeps.target.platforms import Libc, Platform
from crossdeps.target.runtimes import Runtime, find_runtime, full_version

if TYPE_CHECKING:
    from packaging.markers import Environment

ARCHITECTURES = ("x86_64", "aarch64")
_ARCHITECTURE_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


def canonical_architecture(text: str) -> str:
    """The tag name of an architecture: ``arm64`` means ``aarch64``, ``amd64`` means ``x86_64``.

    :raises TargetError: if it is neither of the two
    """
    name = text.strip().lower()
    name = _ARCHITECTURE_ALIASES.get(name, name)
    if name not in ARCHITECTURES:
        raise TargetError(
            f"unknown architecture {text!r}",
            hint="x86_64 (Intel and AMD, also written amd64)"
            " or aarch64 (Graviton, also written arm64)",
        )
    return name


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What we build for: Python x architecture x C library floor.

    >>> target = Target(python="3.9", arch="arm64")
    >>> target.python, target.arch, str(target.libc)
    ('3.9.25', 'aarch64', 'glibc 2.17')
    >>> [str(tag) for tag in target.tags[:2]]
    ['cp39-cp39-manylinux_2_17_aarch64', 'cp39-cp39-manylinux2014_aarch64']

    :param python: ``3.9`` (its newest patch release known here) or ``3.9.19``
    :param arch: ``x86_64`` or ``aarch64``; ``amd64`` and ``arm64`` are understood
    :param glibc: the glibc of the machine, MAJOR.MINOR; 2.17 (manylinux2014) when nothing is said
    :param musl: the musl of the machine, instead of a glibc
    :param abi: ``cp39``, or ``cp313t`` for the free-threaded build; that of *python* by default
    :param platforms: explicit platform tags, instead of *glibc* and *musl*; each accepts all that
        its own C library floor accepts
    :param runtime_name: set by :meth:`runtime`
    :raises TargetError: if the parts are unknown or contradict each other
    """

    python: str
    arch: str
    glibc: str | None = None
    musl: str | None = None
    abi: str = ""
    platforms: tuple[str, ...] = ()
    runtime_name: str | None = None
    libc: Libc = field(init=False)

    def __post_init__(self) -> None:
        set_field = functools.partial(object.__setattr__, self)
        set_field("python", full_version(self.python))
        set_field("arch", canonical_architecture(self.arch))
        if sum((bool(self.glibc), bool(self.musl), bool(self.platforms))) > 1:
            raise TargetError(
                "more than one of glibc, musl and platforms was given",
                hint="they are three ways to say the same thing: give one",
            )
        set_field("libc", self._floor())
        set_field("abi", self._checked_abi())

    @classmethod
    def runtime(cls, name: str, *, arch: str, python: str | None = None) -> Target:
        """The target of a named Lambda runtime, such as ``python3.12``.

        :param python: another patch release than the one in our table, where the image has moved on
        :raises TargetError: if the runtime doesn't exist, or not on *arch*
        """
        runtime = find_runtime(name)
        canonical = canonical_architecture(arch)
        if canonical not in runtime.architectures:
            raise TargetError(
                f"runtime {name} isn't offered on {arch}",
                hint=f"it is on {', '.join(runtime.architectures)}",
            )
        version = full_version(python) if python and python.count(".") > 1 else runtime.python
        if python and full_version(python).split(".")[:2] != version.split(".")[:2]:
            raise TargetError(
                f"runtime {name} has Python {runtime.python}, not {python}",
                hint="leave out --python, or name the runtime of that Python",
            )
        major, minor = runtime.libc.version
        return cls(python=version, arch=canonical, glibc=f"{major}.{minor}", runtime_name=name)

    @property
    def runtime_facts(self) -> Runtime | None:
        """The facts of the named runtime, or None where only a machine was described."""
        return find_runtime(self.runtime_name) if self.runtime_name else None

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the Python."""
        major, minor, _ = self.python.split(".")
        return int(major), int(minor)

    @property
    def free_threaded(self) -> bool:
        """Whether this is the free-threaded build (PEP 703)."""
        return self.abi.endswith("t")

    @property
    def platform_tags(self) -> tuple[str, ...]:
        """Every platform tag that fits, best first."""
        if not self.platforms:
            return self.libc.platforms(self.arch)
        each = (Platform.parse(text).platforms() for text in self.platforms)
        return tuple(dict.fromkeys(tag for tags in each for tag in tags))

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Every wheel tag that fits, best first.

        Source: the platform compatibility tags specification; the order is that of ``packaging``.
        """
        return _tags(self.python_version, self.abi, self.platform_tags)

    @property
    def tag_ranks(self) -> dict[Tag, int]:
        """Each fitting tag with its place in :attr:`tags`, 0 the best. Shared: don't change it."""
        return _tag_ranks(self.python_version, self.abi, self.platform_tags)

    @property
    def environment(self) -> Environment:
        """The complete marker environment (dependency specifiers, "Environment Markers").

        ``platform_release`` and ``platform_version`` of a machine that isn't here can't be known
        and are empty.
        """
        major, minor = self.python_version
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": self.arch,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": f"{major}.{minor}",
            "sys_platform": "linux",
        }

    def describe(self) -> str:
        """The target in full, for people, such as ``CPython 3.9.25, x86_64, glibc 2.17``."""
        build = " free-threaded" if self.free_threaded else ""
        text = f"CPython {self.python}{build}, {self.arch}, {self.libc}"
        if self.runtime_name:
            return f"{self.runtime_name} ({text})"
        if self.platforms:
            return f"{text} ({', '.join(self.platforms)})"
        return text

    def _floor(self) -> Libc:
        if self.platforms:
            floors = []
            for text in self.platforms:
                platform = Platform.parse(text)
                if platform.arch != self.arch:
                    raise TargetError(
                        f"platform {text} isn't of architecture {self.arch}",
                        hint="give platforms of one architecture only",
                    )
                if platform.libc:
                    floors.append(platform.libc)
            if len({floor.kind for floor in floors}) > 1:
                raise TargetError(
                    "platforms of both glibc and musl were given",
                    hint="a machine has one of the two: make one package for each",
                )
            if floors:
                return max(floors, key=lambda floor: floor.version)
        kind, text = ("musl", self.musl) if self.musl else ("glibc", self.glibc or "2.17")
        libc = Libc.parse("musl" if kind == "musl" else "glibc", text)
        libc.check(self.arch)
        return libc

    def _checked_abi(self) -> str:
        major, minor = self.python_version
        plain = f"cp{major}{minor}"
        native = f"{plain}m" if minor < 8 else plain
        given = self.abi or native
        if given == native or (given == f"{plain}t" and minor >= 13):
            return given
        hint = f"{native} is the ABI of Python {major}.{minor}"
        if minor >= 13:
            hint += f", {plain}t that of its free-threaded build"
        if re.fullmatch(r"cp3\d+t?d", given):
            hint += "; debug builds aren't a target: no hosted runtime is one"
        raise TargetError(f"unknown ABI {given!r} for Python {major}.{minor}", hint=hint)


@functools.lru_cache(maxsize=32)
def _tags(python: tuple[int, int], abi: str, platforms: tuple[str, ...]) -> tuple[Tag, ...]:
    # All three arguments are always given: packaging asks the host for any that is missing.
    specific = cpython_tags(python, [abi], platforms)
    interpreter = f"cp{python[0]}{python[1]}"
    general = compatible_tags(python, interpreter, platforms)
    return tuple(dict.fromkeys((*specific, *general)))


@functools.lru_cache(maxsize=32)
def _tag_ranks(python: tuple[int, int], abi: str, platforms: tuple[str, ...]) -> dict[Tag, int]:
    return {tag: rank for rank, tag in enumerate(_tags(python, abi, platforms))}
