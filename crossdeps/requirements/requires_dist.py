"""What METADATA and WHEEL declare, taken apart so that a check reads it without parsing.

The parsers of packaging take most of a second for a few hundred projects, and a tenth of one to
load. What they make of a line depends on nothing else: it is kept as text. The common forms of
conditions are evaluated here, by the rules of the dependency specifiers and version specifiers
specifications; packaging evaluates the rest.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from crossdeps.requirements.core_metadata import Headers


class RequiresDist(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A Requires-Dist line (dependency specifiers, PEP 508).

    :param line: as written; the other fields are empty if it cannot be parsed
    :param name: as written
    :param project: *name*, normalised
    :param extras: the extras of that project that are required, normalised and sorted
    :param specifier: as packaging writes it; empty accepts every version
    :param url: of a direct reference
    :param extra: the extra of this project that the line belongs to, normalised; empty if it
        belongs to none, or if the marker is of an uncommon form
    :param marker: the rest of the marker, as packaging writes it; empty always applies
    """

    line: str
    name: str = ""
    project: str = ""
    extras: tuple[str, ...] = ()
    specifier: str = ""
    url: str = ""
    extra: str = ""
    marker: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the line could be parsed."""
        return bool(self.name)


class ProjectMetadata(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The fields of METADATA that a check reads (core metadata specification).

    :param name: normalised
    :param version: as written
    :param public_version: *version* in normal form (version specifiers, "Normalization")
    :param requires: Requires-Dist, in file order
    :param provides_extras: Provides-Extra, as written
    """

    name: str
    version: str
    public_version: str
    requires: tuple[RequiresDist, ...]
    requires_python: str | None
    provides_extras: tuple[str, ...]


def read_project_metadata(
    headers: Headers, *, name: NormalizedName, public_version: str
) -> ProjectMetadata:
    """Take METADATA apart, of which the *name* and *public_version* have been read."""
    return ProjectMetadata(
        name=name,
        version=headers.get("Version"),
        public_version=public_version,
        requires=tuple(map(take_apart, headers.get_all("Requires-Dist"))),
        requires_python=headers.get("Requires-Python") or None,
        provides_extras=headers.get_all("Provides-Extra"),
    )


# Patterns are text: ``re`` compiles them on first use.
_EXTRA = r'(?:(?P<rest>.+) and )?extra == "(?P<extra>[^"]+)"'


def take_apart(line: str) -> RequiresDist:
    """Parse a Requires-Dist line; an invalid one has only its text."""
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - parsed once a wheel
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    from crossdeps.requirements.syntax import parse_requirement  # noqa: PLC0415

    try:
        requirement = parse_requirement(line)
    except InvalidRequirement:
        return RequiresDist(line=line)
    marker, extra = str(requirement.marker or ""), ""
    if (found := re.fullmatch(_EXTRA, marker)) and _is_conjunction(found["rest"] or ""):
        marker, extra = found["rest"] or "", found["extra"]
    return RequiresDist(
        line=line,
        name=requirement.name,
        project=canonicalize_name(requirement.name),
        extras=tuple(sorted(map(canonicalize_name, requirement.extras))),
        specifier=str(requirement.specifier),
        url=requirement.url or "",
        extra=extra,
        marker=marker,
    )


# A marker as packaging writes it: comparisons, "and", "or" and parentheses.
_MARKER_PART = (
    r"(?P<bracket>[()])|(?P<word>and|or)(?= )"
    r'|(?P<variable>[a-z_]+) (?P<operator>[=!<>~]+|in|not in) "(?P<value>[^"]*)"'
)
_MEANING: Final[Mapping[str, Callable[[int], bool]]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_VERSIONS: Final = {"python_version", "python_full_version", "implementation_version"}


_MOST_TAGS = 10_000


def expand_tag(line: str) -> list[str]:
    """Return the tags that a Tag line of WHEEL stands for (platform compatibility tags).

    :returns: none if the line is invalid, or a set of more than any wheel has
    """
    parts = [part.split(".") for part in line.lower().split("-")]
    is_valid = len(parts) == 3 and not any("" in part for part in parts)
    if not is_valid or math.prod(map(len, parts)) > _MOST_TAGS:
        return []
    return ["-".join(tag) for tag in itertools.product(*parts)]


class Conditions:
    """Evaluates the conditions of Requires-Dist lines in one environment.

    :param environment: complete, without ``extra``
    """

    def __init__(self, environment: Mapping[str, object]) -> None:
        self._environment = {key: str(value) for key, value in environment.items()}
        self._known: dict[tuple[str, str], bool] = {}

    def hold(self, required: RequiresDist, extra: str) -> bool:
        """Whether the marker of a line is true when *extra*, which may be empty, is required."""
        if required.extra not in {"", extra}:
            return False
        if not required.marker:
            return True
        key = (required.marker, extra)
        known = self._known.get(key)
        if known is None:
            environment = {**self._environment, "extra": extra}
            known = self._known[key] = evaluate(required.marker, environment)
        return known


class UncommonFormError(Exception):
    """A marker or specifier that is left to packaging."""


def evaluate(marker: str, environment: Mapping[str, str]) -> bool:
    """Whether *marker*, as packaging writes it, is true.

    :param environment: complete; *extra* normalised
    """
    try:
        return _evaluate(_tokenize(marker), environment)
    except UncommonFormError:
        from crossdeps.requirements.syntax import parse_marker  # noqa: PLC0415 - rarely needed

        return parse_marker(marker).evaluate(dict(environment))


def _tokenize(marker: str) -> Iterator[re.Match[str]]:
    pattern, position = re.compile(_MARKER_PART), 0
    while position < len(marker):
        token = pattern.match(marker, position)
        if token is None:
            raise UncommonFormError
        yield token
        position = token.end() + marker.startswith(" ", token.end())


def _is_conjunction(marker: str) -> bool:
    """Whether "and" joins another condition to the whole of *marker*."""
    depth = 0
    try:
        for token in _tokenize(marker):
            depth += {"(": 1, ")": -1}.get(token[0], 0)
            if token[0] == "or" and not depth:
                return False
    except UncommonFormError:
        return False
    return True


def _evaluate(tokens: Iterator[re.Match[str]], environment: Mapping[str, str]) -> bool:
    """Evaluate up to the end or the closing bracket; "and" binds tighter than "or"."""
    groups = [True]
    for token in tokens:
        if token[0] == ")":
            break
        if token[0] == "or":
            groups.append(True)
        elif token[0] == "(":
            groups[-1] &= _evaluate(tokens, environment)
        elif token[0] != "and":
            groups[-1] &= _compare(token, environment)
    return any(groups)


def _compare(token: re.Match[str], environment: Mapping[str, str]) -> bool:
    variable, operator, value = token["variable"], token["operator"], token["value"]
    found = environment.get(variable)
    if found is None:
        raise UncommonFormError
    if variable in _VERSIONS:
        return _holds(operator, value, _release(found))
    if operator == "==":
        return found == value
    if operator == "!=":
        return found != value
    raise UncommonFormError


def accepts(specifier: str, version: str) -> bool:
    """Whether *specifier*, as packaging writes it, accepts *version*, pre-releases included.

    :raises packaging.specifiers.InvalidSpecifier: if the specifier is invalid
    :raises packaging.version.InvalidVersion: if the version is invalid
    """
    try:
        # All of them are read: an invalid one counts even behind one that refuses the version.
        return all(list(_parse_clauses(specifier, _release(version))))
    except UncommonFormError:
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - rarely needed
        from packaging.version import Version  # noqa: PLC0415

        return SpecifierSet(specifier).contains(Version(version), prereleases=True)


_CLAUSE = r"\s*(~=|==|!=|<=|>=|<|>)\s*([0-9.*]+)\s*"
_RELEASE = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"


def _parse_clauses(specifier: str, release: tuple[int, ...]) -> Iterable[bool]:
    for clause in specifier.split(","):
        found = re.fullmatch(_CLAUSE, clause)
        if found:
            yield _holds(found[1], found[2], release)
        elif clause or specifier:
            raise UncommonFormError


def _release(version: str) -> tuple[int, ...]:
    """Parse a final release without epoch, post-release or local version."""
    if not re.fullmatch(_RELEASE, version):
        raise UncommonFormError
    return tuple(map(int, version.split(".")))


def _holds(operator: str, value: str, release: tuple[int, ...]) -> bool:
    """Whether a final *release* satisfies a clause (version specifiers, by the operator's name)."""
    if value.endswith(".*") and operator in {"==", "!="}:
        prefix = _release(value.removesuffix(".*"))
        return (_pad(release, len(prefix))[: len(prefix)] == prefix) is (operator == "==")
    stated = _release(value)
    if operator == "~=" and len(stated) > 1:
        prefix = stated[:-1]
        same = _pad(release, len(prefix))[: len(prefix)] == prefix
        return same and _order(release, stated) >= 0
    meaning = _MEANING.get(operator)
    if meaning is None:
        raise UncommonFormError
    return meaning(_order(release, stated))


def _order(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Compare releases, of which the shorter is padded with zeros: below, at or above 0."""
    first, second = _pad(one, len(other)), _pad(other, len(one))
    return (first > second) - (first < second)


def _pad(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))
