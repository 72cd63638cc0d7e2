"""Parse requirements and markers, one thread at a time, and explain what is wrong with them.

packaging reads the strings of markers with Python's own parser, which in some releases of CPython
counts the depth of a syntax tree for all threads together (python/cpython#106905): two threads that
parse at once can end in a SystemError. Code that may run beside the threads of a search parses
here. packaging is loaded by the first who parses: to evaluate what was parsed before needs none.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from packaging.markers import Marker
    from packaging.requirements import Requirement

    from crossdeps.target.model import Target

_ONE_AT_A_TIME = threading.Lock()


def parsing() -> AbstractContextManager[object]:
    """A context for other uses of Python's parser."""
    return _ONE_AT_A_TIME


def parse_requirement(text: str) -> Requirement:
    """Parse a dependency specifier (PEP 508).

    :raises packaging.requirements.InvalidRequirement: if it is not valid
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - see the module

    with _ONE_AT_A_TIME:
        return Requirement(text)


def parse_marker(text: str) -> Marker:
    """Parse an environment marker (PEP 508).

    :raises packaging.markers.InvalidMarker: if it is not valid
    """
    from packaging.markers import Marker  # noqa: PLC0415 - see the module

    with _ONE_AT_A_TIME:
        return Marker(text)


# Unknown for a machine other than the host; Target.environment leaves them empty.
_UNKNOWABLE = r"\bplatform[_.](?:release|version)\b"


class Markers:
    """Evaluates markers for one target (dependency specifiers, "Environment Markers")."""

    def __init__(self, target: Target) -> None:
        self._environment = {key: str(value) for key, value in target.environment.items()}
        self._known: dict[tuple[str, str], bool] = {}

    def hold(self, marker: Marker | None, extra: str = "") -> bool:
        """Whether *marker* is true for the target and *extra*."""
        if marker is None:
            return True
        key = (str(marker), extra)
        known = self._known.get(key)
        if known is None:
            # The environment is complete: packaging would fill what is missing from the host.
            environment = {**self._environment, "extra": extra}
            known = self._known[key] = marker.evaluate(environment)
        return known


def reads_unknowable(marker: Marker | None) -> bool:
    """Whether *marker* uses a variable that is unknown for another machine."""
    return marker is not None and re.search(_UNKNOWABLE, str(marker)) is not None


# Dependency specifiers, "Environment Markers".
_MARKER_VARIABLES = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation"),
    *("platform_release", "platform_system", "platform_version", "python_version"),
    *("python_full_version", "implementation_name", "implementation_version", "extra"),
)
_MARKER_WORDS = {*_MARKER_VARIABLES, "and", "or", "in", "not"}


def diagnose(text: str, error: Exception) -> InputError:
    """Explain why *text* is not a valid requirement; *error* is that of the parser."""
    head, semicolon, tail = text.partition(";")
    if semicolon and _is_requirement(head):
        return diagnose_marker(tail)
    for check in (_check_ascii, _check_name, _check_equals, _check_two):
        if found := check(head.strip()):
            return found
    return InputError(
        f"{escape(text)} is not a valid requirement: {_first_line(error)}",
        hint="a requirement is a name with optional extras, versions and marker, such as"
        " requests[socks]>=2.32; python_version >= '3.9'",
    )


def diagnose_marker(text: str) -> InputError:
    """Explain why a marker is not valid."""
    import difflib  # noqa: PLC0415 - only for errors

    from packaging.markers import InvalidMarker  # noqa: PLC0415 - see the module

    unquoted = re.sub(r"\"[^\"]*\"|'[^']*'", "", text)
    for word in re.findall(r"[A-Za-z_][A-Za-z0-9_.]*", unquoted):
        if word in _MARKER_WORDS:
            continue
        nearest = difflib.get_close_matches(word, _MARKER_VARIABLES, n=1)
        return InputError(
            f"unknown variable in the marker: {escape(word)}",
            hint=f"did you mean {nearest[0]}?"
            if nearest
            else f"text must be quoted; the variables are {', '.join(_MARKER_VARIABLES)}",
        )
    try:
        parse_marker(text.strip())
    except InvalidMarker as error:
        return InputError(
            f"the marker is not valid: {_first_line(error)}",
            hint="compare a variable with quoted text, such as python_version < '3.10'",
        )
    except RecursionError:
        pass
    return InputError("the marker is nested too deeply", hint="use fewer parentheses")


def _check_ascii(text: str) -> InputError | None:
    unusual = next((character for character in text if not " " <= character <= "~"), None)
    if unusual is None or unusual == "\t":
        return None
    escaped = unusual.encode("unicode_escape").decode("ascii")
    return InputError(
        f"{escape(text)} contains a character that is not allowed in names and versions: {escaped}",
        hint="names consist of ASCII letters, digits, dots, hyphens and underscores",
    )


def _check_name(text: str) -> InputError | None:
    if re.match(r"[A-Za-z0-9]", text):
        return None
    return InputError(
        f"{escape(text) or 'an empty requirement'} does not start with a project name",
        hint="write one requirement per line, such as requests>=2.32",
    )


def _check_equals(text: str) -> InputError | None:
    corrected = re.sub(r"(?<![=<>!~])=(?!=)", "==", text)
    if corrected == text or not _is_requirement(corrected):
        return None
    return InputError(
        f"{escape(text)} contains a single =", hint=f"did you mean {escape(corrected)}?"
    )


def _check_two(text: str) -> InputError | None:
    for parts in _splits(text):
        if all(map(_is_requirement, parts)):
            first, second = parts
            return InputError(
                f"two requirements on one line: {escape(first)} and {escape(second)}",
                hint="write one requirement per line",
            )
    return None


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """The first few ways to split *text* at white space or a comma."""
    for found in list(re.finditer(r"[ \t]*,[ \t]*|[ \t]+", text[:1000]))[:20]:
        yield text[: found.start()], text[found.end() :]


def _is_requirement(text: str) -> bool:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - see the module

    try:
        parse_requirement(text)
    except (InvalidRequirement, RecursionError):
        return False
    return True


def _first_line(error: Exception) -> str:
    return escape(str(error).partition("\n")[0].rstrip(".:"))
