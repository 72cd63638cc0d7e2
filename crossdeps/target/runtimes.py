"""CPython versions: reading what users write, and the newest patch release of each minor one.

Sources: the AWS Lambda developer guide (runtimes, deprecation dates, quotas); the
``complete_platform`` files that the Pants project generated inside the AWS images (patch versions,
tags); aws-lambda-builders and Chalice for the C library of each base image. The live patch version
moves with AWS's updates: it is a default that ``--python`` overrides.

The facts are in ``provided.toml``, each with its source and date. A host updates its images without
notice: a version is the last one that was reported, never a promise.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.errors import InputError, TargetError
from crossdeps.target.platforms import Libc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from crossdeps.target.model import Target

# The newest patch release of each minor version known at release time (python.org, as of
# November 2026). A bare ``3.9`` means this one, so that a requirement that excludes an early patch
# release turns nobody away.
NEWEST_PATCH: dict[int, int] = {
    7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2,
}  # fmt: skip


def full_version(text: str) -> str:
    """The full version that a user's ``3.9``, ``39`` or ``3.9.19`` means.

    :returns: MAJOR.MINOR.PATCH
    :raises TargetError: if it isn't a version of Python 3
    """
    match = re.fullmatch(r"3\.?(\d{1,2})(?:\.(\d{1,2}))?", text.strip())
    if match is None or int(match[1]) < min(NEWEST_PATCH):
        hint = f"a version of Python from 3.{min(NEWEST_PATCH)} on, such as 3.9 or 3.9.19"
        if re.fullmatch(r"3\.?\d{1,2}t", text.strip()):
            plain = text.strip().rstrip("t")
            hint = f"the free-threaded build is --python {plain} --abi cp{plain.replace('.', '')}t"
        elif text.strip().startswith("python"):
            hint = f"--runtime {text.strip()} names a Lambda runtime; --python takes 3.9 or 3.9.19"
        raise TargetError(f"unknown Python version {text!r}", hint=hint)
    minor = int(match[1])
    patch = int(match[2]) if match[2] else NEWEST_PATCH.get(minor, 0)
    return f"3.{minor}.{patch}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a host accepts, in bytes."""

    unzipped: int
    direct_upload: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """A named hosted image.

    :param name: as the host spells it, such as ``python3.12``
    :param python: full CPython version of the image
    :param operating_system: the image's base
    :param architectures: those offered, canonical names
    :param deprecated: the day from which the host no longer supports it, if announced
    """

    name: str
    python: str
    operating_system: str
    libc: Libc
    architectures: tuple[str, ...]
    limits: Limits
    deprecated: datetime.date | None = None


# AWS Lambda quotas: 250 MB unzipped with all layers (262,144,000 bytes in the API's own error),
# 50 MB for a direct upload.
LAMBDA_LIMITS = Limits(unzipped=262_144_000, direct_upload=52_428_800)

_BOTH = ("x86_64", "aarch64")


def _lambda(
    minor: int,
    patch: int,
    operating_system: str,
    glibc: int,
    deprecated: tuple[int, int, int],
    architectures: tuple[str, ...] = _BOTH,
) -> Runtime:
    return Runtime(
        name=f"python3.{minor}",
        python=f"3.{minor}.{patch}",
        operating_system=operating_system,
        libc=Libc(kind="glibc", version=(2, glibc)),
        architectures=architectures,
        limits=LAMBDA_LIMITS,
        deprecated=datetime.date(*deprecated),
    )


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        _lambda(7, 17, "Amazon Linux 1", 17, (2023, 12, 4), ("x86_64",)),
        _lambda(8, 19, "Amazon Linux 2", 26, (2024, 10, 14)),
        _lambda(9, 19, "Amazon Linux 2", 26, (2025, 12, 15)),
        _lambda(10, 14, "Amazon Linux 2", 26, (2026, 10, 31)),
        _lambda(11, 9, "Amazon Linux 2", 26, (2027, 6, 30)),
        _lambda(12, 3, "Amazon Linux 2023", 34, (2028, 10, 31)),
        _lambda(13, 0, "Amazon Linux 2023", 34, (2029, 6, 30)),
        _lambda(14, 0, "Amazon Linux 2023", 34, (2029, 6, 30)),
    )
}


def find_runtime(name: str) -> Runtime:
    """Look a runtime up by name.

    :raises TargetError: if there is none of that name, with the nearest
    """
    try:
        return RUNTIMES[name]
    except KeyError:
        nearest = difflib.get_close_matches(name, RUNTIMES, n=1)
        meant = f"did you mean {nearest[0]}? " if nearest else ""
        raise TargetError(
            f"unknown runtime {name!r}", hint=f"{meant}known: {', '.join(RUNTIMES)}"
        ) from None


Role = Literal["sdk", "dependency"]
Certainty = Literal["stated", "observed", "unknown", "configured"]

UNKNOWN = "unknown"
ABSENT = "absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvidedProject:
    """A project that a runtime has.

    :param role: an ``sdk`` is a documented part of the runtime, or named by the user: it can be
        left to it. A ``dependency`` is there because an sdk needs it, and is left to the runtime
        only where nothing else needs it
    :param version: the last one known; None where none is
    :param certainty: ``stated`` by the host or the project's maintainers, ``observed`` by a user,
        ``configured`` by this project's own configuration, or ``unknown``
    :param seen: the day on which the version was reported
    :param source: where
    """

    name: NormalizedName
    role: Role
    version: Version | None = None
    certainty: Certainty = "unknown"
    seen: datetime.date | None = None
    source: str = ""

    def describe(self) -> str:
        """The project and what is known of its version, for people.

        :returns: such as ``boto3 1.38.36 (observed on 2025-08-22)``
        """
        if self.version is None:
            return f"{self.name} (version unknown)"
        when = f" on {self.seen}" if self.seen else ""
        return f"{self.name} {self.version} ({self.certainty}{when})"


def provided_projects(
    target: Target, configured: Mapping[str, str] | None = None
) -> dict[NormalizedName, ProvidedProject]:
    """Everything that the runtime of *target* has; nothing where no runtime was named.

    :param configured: what the user knows better: project -> version, ``unknown`` for one that is
        there in some version, ``absent`` for one that isn't there after all
    :raises InputError: if a configured version isn't one
    """
    if target.runtime_name is None:
        return {}
    found = dict(_table(target.runtime_name))
    for text, version in (configured or {}).items():
        name = canonicalize_name(text)
        if version == ABSENT:
            found.pop(name, None)
        else:
            found[name] = ProvidedProject(
                name=name,
                role="sdk",
                version=_parse(text, version),
                certainty="unknown" if version == UNKNOWN else "configured",
                source="the project's configuration",
            )
    return dict(sorted(found.items()))


def _parse(name: str, text: str) -> Version | None:
    if text == UNKNOWN:
        return None
    try:
        return Version(text)
    except InvalidVersion as error:
        raise InputError(
            f"{text!r} isn't a version of {name} that a runtime could have",
            context=(f"[tool.crossdeps.provided-versions] {name}",),
            hint=f"a version such as 1.2.3, or {UNKNOWN}, or {ABSENT}",
        ) from error


@functools.lru_cache(maxsize=32)
def _table(runtime: str) -> Mapping[NormalizedName, ProvidedProject]:
    document = _read_table()
    everywhere: dict[Role, list[str]] = document["everywhere"]
    facts = document["runtime"].get(runtime, {"certainty": "unknown"})
    versions = {canonicalize_name(name): text for name, text in facts.get("versions", {}).items()}
    found: dict[NormalizedName, ProvidedProject] = {}
    for role, names in everywhere.items():
        for name in map(canonicalize_name, names):
            known = name in versions
            found[name] = ProvidedProject(
                name=name,
                role=role,
                version=Version(versions[name]) if known else None,
                certainty=facts["certainty"] if known else "unknown",
                seen=facts["seen"] if known else None,
                source=facts["source"] if known else "",
            )
    return found


def _read_table() -> dict[str, Any]:
    # Few runs ask for it, so that the others need not load a TOML parser.
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415
    from importlib.resources import files  # noqa: PLC0415

    text = files("crossdeps.target").joinpath("provided.toml").read_text(encoding="utf-8")
    document: dict[str, Any] = tomllib.loads(text)
    return document
