"""The target of a build: a CPython version on an architecture with a C library."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from msgspec.structs import force_setattr

from crossdeps.errors import TargetError
from crossdeps.target.platforms import Libc, Platform
from crossdeps.target.runtimes import Runtime, find_runtime, full_python_version
from crossdeps.text import join_words
from crossdeps.value import Value

if TYPE_CHECKING:
    from packaging.markers import Environment
    from packaging.tags import Tag

ARCHITECTURES = ("x86_64", "aarch64")
_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


def canonical_architecture(text: str) -> str:
    """Return the name of an architecture in tags: ``aarch64`` for ``arm64``, for example.

    :raises TargetError: if it is unknown
    """
    lowered = text.strip().lower()
    name = _ALIASES.get(lowered, lowered)
    if name not in ARCHITECTURES:
        raise TargetError(
            f"unknown architecture {text!r}",
            hint="choose x86_64 (Intel and AMD, also called amd64)"
            " or aarch64 (Graviton, also called arm64)",
        )
    return name


class Target(Value, frozen=True, kw_only=True):
    """What to build for: a Python version, an architecture and the version of its C library.

    >>> target = Target(python="3.9", arch="arm64")
    >>> target.python, target.arch, str(target.libc)
    ('3.9.25', 'aarch64', 'glibc 2.17')
    >>> [str(tag) for tag in target.tags[:2]]
    ['cp39-cp39-manylinux_2_17_aarch64', 'cp39-cp39-manylinux2014_aarch64']

    :param python: ``3.9`` (the newest patch release that crossdeps knows) or ``3.9.19``
    :param arch: ``x86_64`` or ``aarch64``, also called ``amd64`` and ``arm64``
    :param glibc: glibc version of the machine, MAJOR.MINOR; 2.17 (manylinux2014) by default
    :param musl: musl version of the machine, instead of *glibc*
    :param abi: ``cp39``, or ``cp313t`` for the free-threaded build; that of *python* by default
    :param platforms: platform tags, instead of *glibc* and *musl*; each includes the tags of older
        versions of its C library
    :param runtime_name: set by :meth:`runtime`
    :raises TargetError: if a value is unknown, or the values contradict each other
    """

    python: str
    arch: str
    glibc: str | None = None
    musl: str | None = None
    abi: str = ""
    platforms: tuple[str, ...] = ()
    runtime_name: str | None = None

    def __post_init__(self) -> None:
        for name in ("python", "arch", "glibc", "musl", "abi", "runtime_name"):
            _check_text(name, getattr(self, name), optional=name not in {"python", "arch"})
        force_setattr(self, "abi", self.abi or "")
        force_setattr(self, "python", full_python_version(self.python))
        force_setattr(self, "arch", canonical_architecture(self.arch))
        force_setattr(self, "platforms", _read_platforms(self.platforms))
        if sum((bool(self.glibc), bool(self.musl), bool(self.platforms))) > 1:
            raise TargetError(
                "more than one of glibc, musl and platforms is specified",
                hint="specify only one of them",
            )
        _find_libc(self.arch, self.glibc, self.musl, self.platforms)  # raises if there is none
        force_setattr(self, "abi", _resolve_abi(self.abi, self.python_version))

    @classmethod
    def runtime(cls, name: str, *, arch: str, python: str | None = None) -> Target:
        """Return the target of an AWS Lambda runtime, such as ``python3.12``.

        :param python: the patch release, if the image has a newer one than crossdeps knows
        :raises TargetError: if the runtime is unknown, or not available on *arch*
        """
        _check_text("the name of a runtime", name)
        _check_text("arch", arch)
        _check_text("python", python, optional=True)
        runtime = find_runtime(name)
        canonical = canonical_architecture(arch)
        if canonical not in runtime.architectures:
            raise TargetError(
                f"runtime {name} is not available on {arch}",
                hint=f"available on {join_words(runtime.architectures)}",
            )
        version = runtime.python
        if python:
            specified = full_python_version(python)
            if specified.rpartition(".")[0] != version.rpartition(".")[0]:
                raise TargetError(
                    f"runtime {name} has Python {version}, not {python}",
                    hint="omit --python, or choose the runtime with that Python version",
                )
            if python.count(".") > 1:
                version = specified
        major, minor = runtime.libc.version
        return cls(python=version, arch=canonical, glibc=f"{major}.{minor}", runtime_name=name)

    @property
    def libc(self) -> Libc:
        """The C library of the machine, and its version."""
        return _find_libc(self.arch, self.glibc, self.musl, self.platforms)

    @property
    def runtime_facts(self) -> Runtime | None:
        """The named runtime, or None if the target was not made from one."""
        return find_runtime(self.runtime_name) if self.runtime_name else None

    @property
    def python_version(self) -> tuple[int, int]:
        """Python version as (major, minor)."""
        major, minor, _ = self.python.split(".")
        return int(major), int(minor)

    @property
    def free_threaded(self) -> bool:
        """Whether the ABI is that of the free-threaded build (PEP 703)."""
        return self.abi.endswith("t")

    @property
    def platform_tags(self) -> tuple[str, ...]:
        """All compatible platform tags, best first."""
        if not self.platforms:
            return self.libc.platform_tags(self.arch)
        each = (Platform.parse(text).tags() for text in self.platforms)
        return tuple(dict.fromkeys(tag for tags in each for tag in tags))

    @property
    def tags(self) -> tuple[Tag, ...]:
        """All compatible wheel tags, best first.

        Source: the platform compatibility tags specification; the order is that of ``packaging``.
        """
        return _tags(self.python_version, self.abi, self.platform_tags)

    @property
    def tag_ranks(self) -> dict[Tag, int]:
        """Index of each tag in :attr:`tags`, 0 for the best. Shared: do not modify it."""
        return _tag_ranks(self.python_version, self.abi, self.platform_tags)

    @property
    def environment(self) -> Environment:
        """The complete marker environment (dependency specifiers, "Environment Markers").

        ``platform_release`` and ``platform_version`` of another machine are unknown, and empty.
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
        """Describe the target in full, for example ``CPython 3.9.25, x86_64, glibc 2.17``."""
        build = " free-threaded" if self.free_threaded else ""
        text = f"CPython {self.python}{build}, {self.arch}, {self.libc}"
        if self.runtime_name:
            return f"{self.runtime_name} ({text})"
        if self.platforms:
            return f"{text} ({', '.join(self.platforms)})"
        return text

    def to_dict(self) -> dict[str, object]:
        """Return the object that stands for the target in every JSON document of the command."""
        facts = self.runtime_facts
        deprecated = facts.deprecated if facts else None
        blocked = facts.updates_blocked if facts else None
        return {
            "description": self.describe(),
            "runtime": self.runtime_name,
            "implementation": "cp",
            "python": self.python,
            "abi": self.abi,
            "arch": self.arch,
            "libc": str(self.libc),
            "platforms": list(self.platforms),
            "deprecated": deprecated.isoformat() if deprecated else None,
            "updates_blocked": blocked.isoformat() if blocked else None,
        }


def _check_text(name: str, value: object, *, optional: bool = False) -> None:
    """Check a value of a target.

    :raises TargetError: if it is not a string
    """
    if isinstance(value, str) or (optional and value is None):
        return
    hint = "a number loses its zeros: 3.10 is 3.1" if isinstance(value, float) else None
    raise TargetError(f"{name} must be a string, not {value!r:.40}", hint=hint)


def _read_platforms(value: object) -> tuple[str, ...]:
    """Return one platform tag or several, in order.

    :raises TargetError: if they are something else
    """
    tags = (value,) if isinstance(value, str) else value
    if not isinstance(tags, (tuple, list)):
        raise TargetError(
            f"platforms must be a tuple of tags, not {value!r:.40}",
            hint='such as platforms=("manylinux_2_28_x86_64",)',
        )
    for text in tags:
        _check_text("a platform", text)
    return tuple(tags)


@functools.lru_cache(maxsize=32)
def _find_libc(arch: str, glibc: str | None, musl: str | None, platforms: tuple[str, ...]) -> Libc:
    versions = []
    for text in platforms:
        platform = Platform.parse(text)
        if platform.arch != arch:
            raise TargetError(
                f"platform {text} is not for architecture {arch}",
                hint="specify platforms of one architecture only",
            )
        if platform.libc:
            versions.append(platform.libc)
    if len({libc.kind for libc in versions}) > 1:
        raise TargetError(
            "platforms of both glibc and musl are specified",
            hint="a machine has only one of them: build an artifact for each",
        )
    if versions:
        return max(versions, key=lambda libc: libc.version)
    libc = Libc.parse("musl", musl) if musl else Libc.parse("glibc", glibc or "2.17")
    libc.check(arch)
    return libc


def _resolve_abi(abi: str, python: tuple[int, int]) -> str:
    """The ABI that was specified, or that of the version."""
    major, minor = python
    plain = f"cp{major}{minor}"
    default = f"{plain}m" if minor < 8 else plain
    if abi in {"", default} or (abi == f"{plain}t" and minor >= 13):
        return abi or default
    hint = f"{default} is the ABI of Python {major}.{minor}"
    if minor >= 13:
        hint += f", {plain}t that of its free-threaded build"
    if re.fullmatch(r"cp3\d+t?d", abi):
        hint += "; debug builds are not supported as targets"
    raise TargetError(f"unknown ABI {abi!r} for Python {major}.{minor}", hint=hint)


@functools.lru_cache(maxsize=32)
def _tags(python: tuple[int, int], abi: str, platforms: tuple[str, ...]) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 - loads much

    # packaging takes any argument that is missing from the host.
    specific = cpython_tags(python, [abi], platforms)
    interpreter = f"cp{python[0]}{python[1]}"
    general = compatible_tags(python, interpreter, platforms)
    return tuple(dict.fromkeys((*specific, *general)))


@functools.lru_cache(maxsize=32)
def _tag_ranks(python: tuple[int, int], abi: str, platforms: tuple[str, ...]) -> dict[Tag, int]:
    return {tag: rank for rank, tag in enumerate(_tags(python, abi, platforms))}
