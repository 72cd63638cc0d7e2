"""Hosted runtimes, as facts: what each image's Python, architecture and C library are.

Sources: the AWS Lambda developer guide (runtimes, deprecation dates, quotas); the
``complete_platform`` files that the Pants project generated inside the AWS images (patch versions,
tags); aws-lambda-builders and Chalice for the C library of each base image. The live patch version
moves with AWS's updates: it is a default that ``--python`` overrides.
"""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass

from crossdeps.errors import TargetError
from crossdeps.target.libc import Libc


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
