"""What a hosted runtime has beside the standard library, and how well that is known.

The facts are in ``provided.toml``, each with its source and date. A host updates its images without
notice: a version is the last one that was reported, never a promise.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.errors import InputError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from crossdeps.target.model import Target

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
