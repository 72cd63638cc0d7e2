"""Python versions and AWS Lambda runtimes: their C library, limits and provided projects.

Sources: the AWS Lambda developer guide (runtimes, deprecation dates, quotas); the
``complete_platform`` files that the Pants project generated inside the AWS images (patch versions,
tags); aws-lambda-builders and Chalice for the C library of each base image. AWS updates the images
without notice: a patch version is a default that ``--python`` overrides.

The versions of provided projects are in ``provided.toml``, each with its source and date: the last
one that was reported, which an image need not have any more.
"""

from __future__ import annotations

import datetime
import functools
import re
import sys
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from crossdeps.errors import InputError, TargetError
from crossdeps.target.platforms import Libc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

# The newest patch release of each minor version (python.org, November 2026). ``3.9`` means it, so
# that requirements that exclude early patch releases can be satisfied.
NEWEST_PATCH: dict[int, int] = {
    7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2,
}  # fmt: skip


def full_python_version(text: str) -> str:
    """Parse ``3.9``, ``39`` or ``3.9.19`` and return MAJOR.MINOR.PATCH.

    :raises TargetError: if it is not a version of Python 3
    """
    match = re.fullmatch(r"3\.?(\d{1,2})(?:\.(\d{1,2}))?", text.strip())
    if match is None or int(match[1]) < min(NEWEST_PATCH):
        hint = f"use Python 3.{min(NEWEST_PATCH)} or later, for example 3.9 or 3.9.19"
        if re.fullmatch(r"3\.?\d{1,2}t", text.strip()):
            plain = text.strip().rstrip("t")
            abi = f"cp{plain.replace('.', '')}t"
            hint = f"use --python {plain} --abi {abi} for the free-threaded build"
        elif text.strip().startswith("python"):
            hint = (
                f"use --runtime {text.strip()} for the Lambda runtime, or a version such as 3.9.19"
            )
        raise TargetError(f"unknown Python version {text!r}", hint=hint)
    minor = int(match[1])
    patch = int(match[2]) if match[2] else NEWEST_PATCH.get(minor, 0)
    return f"3.{minor}.{patch}"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The largest artifacts that a host accepts, in bytes."""

    unzipped: int
    direct_upload: int


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime of a host.

    :param name: as the host spells it, such as ``python3.12``
    :param python: full CPython version of the image
    :param operating_system: base of the image
    :param architectures: canonical names
    :param deprecated: the announced day on which the host ends its support, if any
    :param updates_blocked: the announced day from which functions cannot be updated, if any
    """

    name: str
    python: str
    operating_system: str
    libc: Libc
    architectures: tuple[str, ...]
    limits: Limits
    deprecated: datetime.date | None = None
    updates_blocked: datetime.date | None = None

    def describe_end(self) -> str:
        """Describe the end of support, such as ``python3.9 is deprecated since 2025-12-15``."""
        text = f"{self.name} is deprecated since {self.deprecated}"
        if self.updates_blocked:
            text += f", and its functions cannot be updated from {self.updates_blocked} on"
        return text


# AWS Lambda quotas: 250 MB unzipped with all layers (262,144,000 bytes in errors of the API), 50 MB
# for a direct upload
LAMBDA_LIMITS = Limits(unzipped=262_144_000, direct_upload=52_428_800)


def _lambda_runtime(
    minor: int,
    patch: int,
    operating_system: str,
    glibc: int,
    deprecated: tuple[int, int, int],
    updates_blocked: tuple[int, int, int],
    architectures: tuple[str, ...] = ("x86_64", "aarch64"),
) -> Runtime:
    return Runtime(
        name=f"python3.{minor}",
        python=f"3.{minor}.{patch}",
        operating_system=operating_system,
        libc=Libc(kind="glibc", version=(2, glibc)),
        architectures=architectures,
        limits=LAMBDA_LIMITS,
        deprecated=datetime.date(*deprecated),
        updates_blocked=datetime.date(*updates_blocked),
    )


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        _lambda_runtime(7, 17, "Amazon Linux 1", 17, (2023, 12, 4), (2027, 3, 3), ("x86_64",)),
        _lambda_runtime(8, 19, "Amazon Linux 2", 26, (2024, 10, 14), (2027, 3, 3)),
        _lambda_runtime(9, 19, "Amazon Linux 2", 26, (2025, 12, 15), (2027, 3, 3)),
        _lambda_runtime(10, 14, "Amazon Linux 2", 26, (2026, 10, 31), (2027, 3, 3)),
        _lambda_runtime(11, 9, "Amazon Linux 2", 26, (2027, 6, 30), (2027, 8, 31)),
        _lambda_runtime(12, 3, "Amazon Linux 2023", 34, (2028, 10, 31), (2029, 1, 10)),
        _lambda_runtime(13, 0, "Amazon Linux 2023", 34, (2029, 6, 30), (2029, 8, 31)),
        _lambda_runtime(14, 0, "Amazon Linux 2023", 34, (2029, 6, 30), (2029, 8, 31)),
    )
}


def find_runtime(name: str) -> Runtime:
    """Return the runtime with this name.

    :raises TargetError: if it is unknown
    """
    runtime = RUNTIMES.get(name)
    if runtime is None:
        import difflib  # noqa: PLC0415 - for the hint only

        # 3.12, 312, py3.12 and Python 3.12.4 all mean python3.12
        version = re.fullmatch(r"\D{0,10}3\.?(\d{1,2})(?:\.\d{1,2})?", name)
        meant = f"python3.{version[1]}" if version else name
        nearest = difflib.get_close_matches(meant, RUNTIMES, n=1)
        suggestion = f"did you mean {nearest[0]}? " if nearest else ""
        raise TargetError(
            f"unknown runtime {name!r}", hint=f"{suggestion}known runtimes: {', '.join(RUNTIMES)}"
        )
    return runtime


Role = Literal["sdk", "dependency"]
Certainty = Literal["stated", "observed", "unknown", "configured"]

UNKNOWN = "unknown"
ABSENT = "absent"


class ProvidedProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is installed in a runtime.

    :param role: an ``sdk`` is a documented part of the runtime, or configured by the user; it can
        be left out of the artifact. A ``dependency`` is installed because an sdk depends on it, and
        is left out only if nothing else depends on it
    :param version: the last known version, if any
    :param certainty: ``stated`` by the host or the project's maintainers, ``observed`` by a user,
        ``configured`` by the user, or ``unknown``
    :param seen: the day on which the version was reported
    :param source: where it was reported
    """

    name: NormalizedName
    role: Role
    version: Version | None = None
    certainty: Certainty = "unknown"
    seen: datetime.date | None = None
    source: str = ""

    def describe(self) -> str:
        """Describe name and version, for example ``boto3 1.38.36 (observed on 2025-08-22)``."""
        if self.version is None:
            return f"{self.name} (version unknown)"
        when = f" on {self.seen}" if self.seen else ""
        return f"{self.name} {self.version} ({self.certainty}{when})"


def provided_projects(
    runtime_name: str | None, configured: Mapping[str, str] | None = None
) -> dict[NormalizedName, ProvidedProject]:
    """Return the projects that a runtime provides.

    :param runtime_name: of the target; None gives no projects
    :param configured: overrides by the user: project -> version, ``unknown`` for an unknown
        version, ``absent`` for a project that is not provided
    :raises InputError: if a configured version is invalid
    """
    if runtime_name is None:
        return {}
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - few builds need the table

    found = dict(_read_provided(runtime_name))
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
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        return Version(text)
    except InvalidVersion as error:
        raise InputError(
            f"{text!r} is not a valid version of {name}",
            context=(f"[tool.crossdeps.provided-versions] {name}",),
            hint=f"use a version such as 1.2.3, {UNKNOWN} or {ABSENT}",
        ) from error


@functools.lru_cache(maxsize=32)
def _read_provided(runtime: str) -> Mapping[NormalizedName, ProvidedProject]:
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above
    from packaging.version import Version  # noqa: PLC0415 - as above

    document = _read_toml()
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


def _read_toml() -> dict[str, Any]:
    import pkgutil  # noqa: PLC0415 - few builds need the table

    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415

    data = pkgutil.get_data("crossdeps.target", "provided.toml") or b""
    document: dict[str, Any] = tomllib.loads(data.decode())
    return document
