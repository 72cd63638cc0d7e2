"""Parse one requirement: a specifier, a URL or a path.

Sources: dependency specifiers (PEP 508), names and extras normalised (PEP 503, PEP 685); paths and
bare URLs as in pip's documentation.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements import syntax
from crossdeps.requirements.direct import (
    is_url,
    looks_like_path,
    parse_location,
    refuse_ssh_shorthand,
)
from crossdeps.requirements.model import PROJECT_NAME, Requirement, combine_hashes, is_project_name
from crossdeps.requirements.syntax import diagnose, diagnose_marker
from crossdeps.text import escape, redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.requirements.model import Origin

_LONGEST = 65_536  # characters; parsers of markers and versions need not be linear beyond that
# The common form, parsed here ten times as fast as by the general parser.
_SIMPLE = re.compile(
    rf"({PROJECT_NAME})[ \t]*"
    r"((?:(?:==|>=|<=|!=|~=|<|>)[ \t]*[A-Za-z0-9.*+!_-]+[ \t]*(?:,[ \t]*|$))*)"
)
_REFERENCE = re.compile(rf"({PROJECT_NAME})[ \t]*(?:\[([^\]]*)\])?[ \t]*@[ \t]*(?=\S)")
_URL_MARKER = re.compile(r"[ \t];|;[ \t]")


def parse_requirement(
    text: str,
    *,
    origin: Origin,
    directories: tuple[Path, ...] = (),
    editable: bool = False,
    hashes: frozenset[str] = frozenset(),
    written: str | None = None,
) -> Requirement:
    """Parse one requirement, without options.

    :param directories: bases of relative paths, of which the first that has the path counts; empty
        allows no paths
    :param editable: it was specified after ``-e``
    :param hashes: from its ``--hash`` options, ``algorithm:hexdigest``
    :param written: as written in the file, if variables were expanded in *text*
    :raises InputError: if it is not valid, or names a file or directory that does not exist
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise InputError(
            f"a requirement of {len(text)} characters is too long: {escape(text)}",
            hint="write one requirement per line",
        )
    shown = redact_urls(text if written is None else written.strip())
    if not editable and (simple := _parse_simple(text, origin, hashes, shown)):
        return simple
    refuse_ssh_shorthand(text)
    reference = None if is_url(text) else _REFERENCE.match(text)
    if reference or editable or is_url(text) or _could_be_path(text):
        return _parse_direct(
            text[reference.end() :] if reference else text,
            name=canonicalize_name(reference[1] if reference else ""),
            extras=reference[2] or "" if reference else "",
            origin=origin,
            directories=directories,
            editable=editable,
            hashes=hashes,
            shown=shown,
        )
    return _parse_specifier(text, origin, hashes, shown)


def _parse_simple(
    text: str, origin: Origin, hashes: frozenset[str], shown: str
) -> Requirement | None:
    """Parse ``name``, ``name==1.0,!=2``, with or without marker; None for any other form."""
    head, semicolon, tail = text.partition(";")
    found = _SIMPLE.fullmatch(head)
    if found is None or (not found[2] and looks_like_path(found[1])):
        return None
    try:
        return Requirement(
            name=canonicalize_name(found[1]),
            specifier=_specifier_set(found[2]),
            marker=parse_marker(tail) if semicolon else None,
            hashes=hashes,
            origin=origin,
            text=shown,
        )
    except InvalidSpecifier:
        return None


@functools.lru_cache(maxsize=4096)
def _specifier_set(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@functools.lru_cache(maxsize=4096)
def parse_marker(text: str) -> Marker:
    """Parse an environment marker (dependency specifiers, "Environment Markers").

    :raises InputError: if it is not valid; suggests the nearest variable if one is misspelt
    """
    try:
        return syntax.parse_marker(text.strip())
    except (InvalidMarker, RecursionError) as error:
        raise diagnose_marker(text) from error


def _parse_specifier(text: str, origin: Origin, hashes: frozenset[str], shown: str) -> Requirement:
    try:
        parsed = syntax.parse_requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        raise diagnose(text, error) from error
    return Requirement(
        name=canonicalize_name(parsed.name),
        extras=frozenset(canonicalize_name(extra) for extra in parsed.extras),
        specifier=parsed.specifier,
        marker=parsed.marker,
        hashes=hashes,
        origin=origin,
        text=shown,
    )


def _parse_direct(
    text: str,
    *,
    name: NormalizedName,
    extras: str,
    origin: Origin,
    directories: tuple[Path, ...],
    editable: bool,
    hashes: frozenset[str],
    shown: str,
) -> Requirement:
    location, marker = _split_marker(text)
    if not is_url(location):
        if not directories:
            raise InputError(
                f"{escape(location)} is a path, which is not allowed here", hint="use a file: URL"
            )
        location, trailing = _split_extras(location)
        extras = extras or trailing
    reference = parse_location(location, directories=directories, editable=editable)
    if name and reference.name and name != reference.name:
        raise InputError(
            f"{name} is required, but the file or directory is that of {reference.name}",
            hint=f"write {reference.name} @ …, or leave the name out",
        )
    return Requirement(
        name=name or reference.name,
        extras=parse_extras((extras or reference.extras).split(",")),
        specifier=SpecifierSet(),
        marker=marker,
        source=reference.source,
        hashes=combine_hashes(hashes, reference.hash),
        origin=origin,
        text=shown,
    )


def _split_marker(text: str) -> tuple[str, Marker | None]:
    """Split a location from its marker; next to the ``;`` after a URL must be white space."""
    if is_url(text):
        found = _URL_MARKER.search(text)
        if found is None:
            return text.strip(), None
        return text[: found.start()].strip(), parse_marker(text[found.end() :])
    location, semicolon, marker = text.partition(";")
    return location.strip(), parse_marker(marker) if semicolon else None


def _split_extras(text: str) -> tuple[str, str]:
    """Split a path from the ``[extra,...]`` at its end."""
    start = text.rfind("[")
    if start <= 0 or not text.endswith("]"):
        return text, ""
    return text[:start].rstrip(), text[start + 1 : -1]


def _could_be_path(text: str) -> bool:
    """Whether *text*, without marker and extras, is a path rather than a name."""
    return looks_like_path(_split_extras(text.partition(";")[0].strip())[0])


def parse_extras(names: Iterable[str]) -> frozenset[NormalizedName]:
    """Return normalised extra names (PEP 685); empty ones are ignored.

    :raises InputError: if one is not a valid name
    """
    extras = []
    for name in names:
        stripped = name.strip()
        if not stripped:
            continue
        if not is_project_name(stripped):
            raise InputError(
                f"{escape(stripped)} is not a valid extra name",
                hint="extra names consist of ASCII letters, digits, dots, hyphens and underscores",
            )
        extras.append(canonicalize_name(stripped))
    return frozenset(extras)


def and_marker(requirement: Requirement, marker: Marker | None) -> Requirement:
    """Return *requirement* with *marker* as an additional condition."""
    if marker is None:
        return requirement
    own = requirement.marker
    both = marker if own is None else parse_marker(f"({own}) and ({marker})")
    return replace(requirement, marker=both)
