"""Requirements and markers, parsed by one thread at a time.

packaging reads the strings of markers with Python's own parser, which in some releases of CPython
counts the depth of a syntax tree for all threads together (python/cpython#106905): two threads that
parse at once can end in a SystemError. Whoever parses beside the threads of a search does it here.
"""

from __future__ import annotations

import difflib
import re
import threading
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement

from crossdeps.errors import InputError
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from crossdeps.target.model import Target

_ONE_AT_A_TIME = threading.Lock()


def parsing() -> AbstractContextManager[object]:
    """A context for other uses of Python's parser."""
    return _ONE_AT_A_TIME


def parse_requirement(text: str) -> Requirement:
    """Read a dependency specifier (PEP 508).

    :raises packaging.requirements.InvalidRequirement: if it isn't one
    """
    with _ONE_AT_A_TIME:
        return Requirement(text)


def parse_marker(text: str) -> Marker:
    """Read an environment marker (PEP 508).

    :raises packaging.markers.InvalidMarker: if it isn't one
    """
    with _ONE_AT_A_TIME:
        return Marker(text)


# Of a machine that isn't here these two can't be known; Target.environment leaves them empty.
_UNKNOWABLE = re.compile(r"\bplatform[_.](?:release|version)\b")


class Markers:
    """Evaluates markers for one target (dependency specifiers, "Environment Markers")."""

    def __init__(self, target: Target) -> None:
        self._environment = {key: str(value) for key, value in target.environment.items()}
        self._known: dict[tuple[str, str], bool] = {}

    def hold(self, marker: Marker | None, extra: str = "") -> bool:
        """Whether *marker* is true for the target when *extra* is asked for."""
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
    """Whether *marker* reads a variable that can't be known of another machine."""
    return marker is not None and _UNKNOWABLE.search(str(marker)) is not None


# Dependency specifiers, "Environment Markers".
_MARKER_VARIABLES = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation"),
    *("platform_release", "platform_system", "platform_version", "python_version"),
    *("python_full_version", "implementation_name", "implementation_version", "extra"),
)
_MARKER_WORDS = {*_MARKER_VARIABLES, "and", "or", "in", "not"}
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def diagnose(text: str, error: Exception) -> InputError:
    """Say what is wrong with *text*, which the parser refused with *error*."""
    head, semicolon, tail = text.partition(";")
    if semicolon and _is_requirement(head):
        return diagnose_marker(tail)
    for check in (_check_ascii, _check_name, _check_equals, _check_two):
        if found := check(head.strip()):
            return found
    return InputError(
        f"{escape(text)} isn't a requirement: {_first_line(error)}",
        hint="write a name and, if need be, extras, versions and a marker, such as"
        " requests[socks]>=2.32; python_version >= '3.9'",
    )


def diagnose_marker(text: str) -> InputError:
    """Say what is wrong with a marker that can't be read."""
    for word in _WORD.findall(_QUOTED.sub("", text)):
        if word in _MARKER_WORDS:
            continue
        nearest = difflib.get_close_matches(word, _MARKER_VARIABLES, n=1)
        return InputError(
            f"the marker has an unknown variable, {escape(word)}",
            hint=f"did you mean {nearest[0]}?"
            if nearest
            else f"text must be quoted; variables are {', '.join(_MARKER_VARIABLES)}",
        )
    try:
        parse_marker(text.strip())
    except InvalidMarker as error:
        return InputError(
            f"the marker can't be read: {_first_line(error)}",
            hint="compare a variable with quoted text, such as python_version < '3.10'",
        )
    except RecursionError:
        pass
    return InputError("the marker is nested too deeply", hint="write it with fewer parentheses")


def _check_ascii(text: str) -> InputError | None:
    strange = next((character for character in text if not " " <= character <= "~"), None)
    if strange is None or strange == "\t":
        return None
    escaped = strange.encode("unicode_escape").decode("ascii")
    return InputError(
        f"{escape(text)} has a character that names and versions can't have, {escaped}",
        hint="names are of ASCII letters, digits, dots, dashes and underscores",
    )


def _check_name(text: str) -> InputError | None:
    if re.match(r"[A-Za-z0-9]", text):
        return None
    return InputError(
        f"{escape(text) or 'nothing'} doesn't start with a project name",
        hint="write one requirement a line, such as requests>=2.32",
    )


def _check_equals(text: str) -> InputError | None:
    corrected = re.sub(r"(?<![=<>!~])=(?!=)", "==", text)
    if corrected == text or not _is_requirement(corrected):
        return None
    return InputError(f"{escape(text)} has a single =", hint=f"did you mean {escape(corrected)}?")


def _check_two(text: str) -> InputError | None:
    for parts in _cuts(text):
        if all(map(_is_requirement, parts)):
            first, second = parts
            return InputError(
                f"two requirements stand on one line: {escape(first)} and {escape(second)}",
                hint="write one requirement a line",
            )
    return None


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    """The first few ways to cut *text* in two at white space or a comma."""
    for found in list(re.finditer(r"[ \t]*,[ \t]*|[ \t]+", text[:1000]))[:20]:
        yield text[: found.start()], text[found.end() :]


def _is_requirement(text: str) -> bool:
    try:
        parse_requirement(text)
    except (InvalidRequirement, RecursionError):
        return False
    return True


def _first_line(error: Exception) -> str:
    return escape(str(error).partition("\n")[0].rstrip(".:"))
