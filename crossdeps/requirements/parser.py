"""One requirement: a specifier, a URL or a path.

Sources: dependency specifiers (PEP 508), names and extras normalised (PEP 503, PEP 685); paths and
bare URLs as pip's documentation has them.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING

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
from crossdeps.requirements.model import Requirement, combine_hashes
from crossdeps.requirements.syntax import diagnose, diagnose_marker
from crossdeps.text import escape, redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.requirements.model import Origin

_LONGEST = 65_536  # characters; parsers of markers and versions needn't be linear beyond that
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# The common form, read without the general parser: ten times as fast.
_PLAIN = re.compile(
    rf"({_NAME})[ \t]*((?:(?:==|>=|<=|!=|~=|<|>)[ \t]*[A-Za-z0-9.*+!_-]+[ \t]*(?:,[ \t]*|$))*)"
)
_REFERENCE = re.compile(rf"({_NAME})[ \t]*(?:\[([^\]]*)\])?[ \t]*@[ \t]*(?=\S)")
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
    """Read one requirement, without options.

    :param directories: what relative paths may be relative to, first that has it; none: no paths
    :param editable: it stood after ``-e``
    :param hashes: from its ``--hash`` options, ``algorithm:hexdigest``
    :param written: how it stood in its file, where *text* had variables put in
    :raises InputError: if it can't be read, or names a file or directory that isn't there
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise InputError(
            f"a requirement of {len(text)} characters is too long: {escape(text)}",
            hint="write one requirement a line",
        )
    said = redact_urls(text if written is None else written.strip())
    if not editable and (plain := _plain(text, origin, hashes, said)):
        return plain
    refuse_ssh_shorthand(text)
    reference = _REFERENCE.match(text)
    if reference and not is_url(text):
        return _direct(
            text[reference.end() :],
            name=canonicalize_name(reference[1]),
            extras=reference[2] or "",
            origin=origin,
            directories=directories,
            editable=editable,
            hashes=hashes,
            said=said,
        )
    if editable or is_url(text) or _could_be_path(text):
        return _direct(
            text,
            name=canonicalize_name(""),
            extras="",
            origin=origin,
            directories=directories,
            editable=editable,
            hashes=hashes,
            said=said,
        )
    return _indexed(text, origin, hashes, said)


def _plain(text: str, origin: Origin, hashes: frozenset[str], said: str) -> Requirement | None:
    """Read ``name``, ``name==1.0,!=2``, with or without marker; None for any other form."""
    head, semicolon, tail = text.partition(";")
    found = _PLAIN.fullmatch(head)
    if found is None or (not found[2] and looks_like_path(found[1])):
        return None
    try:
        return Requirement(
            name=canonicalize_name(found[1]),
            specifier=_specifier_set(found[2]),
            marker=parse_marker(tail) if semicolon else None,
            hashes=hashes,
            origin=origin,
            text=said,
        )
    except InvalidSpecifier:
        return None


@functools.lru_cache(maxsize=4096)
def _specifier_set(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@functools.lru_cache(maxsize=4096)
def parse_marker(text: str) -> Marker:
    """Read an environment marker (dependency specifiers, "Environment Markers").

    :raises InputError: if it can't be read; names the nearest variable where one is misspelt
    """
    try:
        return syntax.parse_marker(text.strip())
    except (InvalidMarker, RecursionError) as error:
        raise diagnose_marker(text) from error


def _indexed(text: str, origin: Origin, hashes: frozenset[str], said: str) -> Requirement:
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
        text=said,
    )


def _direct(
    text: str,
    *,
    name: NormalizedName,
    extras: str,
    origin: Origin,
    directories: tuple[Path, ...],
    editable: bool,
    hashes: frozenset[str],
    said: str,
) -> Requirement:
    location, marker = _split_marker(text)
    if not is_url(location):
        if not directories:
            raise InputError(
                f"{escape(location)} is a path, which can't stand here", hint="write a file: URL"
            )
        location, trailing = _split_extras(location)
        extras = extras or trailing
    reference = parse_location(location, directories=directories, editable=editable)
    if name and reference.name and name != reference.name:
        raise InputError(
            f"{name} is asked for, but the file or directory is of {reference.name}",
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
        text=said,
    )


def _split_marker(text: str) -> tuple[str, Marker | None]:
    """Cut the marker off a location; after a URL, white space must be on a side of the ``;``."""
    if is_url(text):
        found = _URL_MARKER.search(text)
        if found is None:
            return text.strip(), None
        return text[: found.start()].strip(), parse_marker(text[found.end() :])
    location, semicolon, marker = text.partition(";")
    return location.strip(), parse_marker(marker) if semicolon else None


def _split_extras(text: str) -> tuple[str, str]:
    """Cut ``[extra,...]`` off the end of a path."""
    start = text.rfind("[")
    if start <= 0 or not text.endswith("]"):
        return text, ""
    return text[:start].rstrip(), text[start + 1 : -1]


def _could_be_path(text: str) -> bool:
    """Whether *text*, seen without marker and extras, is a path rather than a name."""
    return looks_like_path(_split_extras(text.partition(";")[0].strip())[0])


def parse_extras(names: Iterable[str]) -> frozenset[NormalizedName]:
    """Return normalised extra names (PEP 685); empty ones are left out.

    :raises InputError: if one isn't a valid name
    """
    extras = []
    for name in names:
        stripped = name.strip()
        if not stripped:
            continue
        if not re.fullmatch(_NAME, stripped):
            raise InputError(
                f"{escape(stripped)} isn't a valid name of an extra",
                hint="extras are of ASCII letters, digits, dots, dashes and underscores",
            )
        extras.append(canonicalize_name(stripped))
    return frozenset(extras)


def and_marker(requirement: Requirement, marker: Marker | None) -> Requirement:
    """Return *requirement*, limited to where *marker* holds, too."""
    if marker is None:
        return requirement
    own = requirement.marker
    both = marker if own is None else parse_marker(f"({own}) and ({marker})")
    return dataclasses.replace(requirement, marker=both)
