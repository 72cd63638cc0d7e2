"""The options that may stand in a requirements file, and how a line is split into them.

Source: pip's documentation, "Requirements File Format", "Supported options" and "Per-requirement
options". As with pip, a long option may be shortened as long as it stays unique.
"""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.inputs.display import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_REQUIREMENT = frozenset({"--hash", "--config-settings", "--global-option"})
_PASSED_ON = frozenset({"--config-settings", "--global-option"})  # values may be options again
_FLAGS = frozenset({"--no-index", "--prefer-binary", "--require-hashes", "--pre"})
_WITH_VALUE = PER_REQUIREMENT | {
    "--index-url",
    "--pypi-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "--requirement",
    "--constraint",
    "--editable",
    "--no-binary",
    "--only-binary",
    "--all-releases",
    "--only-final",
    "--use-feature",
}
_KNOWN = _FLAGS | _WITH_VALUE
_SHORT = {
    "-i": "--index-url",
    "-f": "--find-links",
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-C": "--config-settings",
}
_LONGEST_QUOTED = 200_000  # characters of options with quotes, which are split one by one


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option of a line.

    :param name: in full, such as ``--requirement``
    :param value: empty for a flag
    """

    name: str
    value: str = ""


def split_line(text: str) -> tuple[str, tuple[Option, ...]]:
    """Split a line into its requirement (or ``""``) and its options.

    Options start at the first word that starts with a dash.

    >>> split_line("pkg==1.0 ; python_version < '3' --hash=sha256:00")
    ("pkg==1.0 ; python_version < '3'", (Option(name='--hash', value='sha256:00'),))

    :raises InputError: if an option is unknown, or its value is missing
    """
    start = 0 if text.startswith("-") else _options_start(text)
    if start is None:
        return text, ()
    return text[:start].rstrip(), tuple(_options(_words(text[start:])))


def _options_start(text: str) -> int | None:
    if " " not in text and "\t" not in text:
        return None
    found = text.find("-")
    while found > 0 and not text[found - 1].isspace():
        found = text.find("-", found + 1)
    return found if found > 0 else None


def _words(text: str) -> list[str]:
    if not any(character in text for character in "\"'\\"):
        return text.split()
    if len(text) > _LONGEST_QUOTED:
        raise InputError(f"options of {len(text)} characters with quotes in them are too long")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(
            "a quotation mark or backslash has no partner",
            hint="close the quotation; a backslash continues a line only if nothing follows it",
        ) from error


def _options(words: list[str]) -> Iterator[Option]:
    remaining = iter(words)
    for word in remaining:
        name, value = _name_and_value(word)
        if name in _FLAGS:
            if value is not None:
                raise InputError(f"{name} takes no value", hint="leave out what stands after the =")
            yield Option(name=name)
            continue
        if value is None:
            value = next(remaining, "")
            if value.startswith("--") and name not in _PASSED_ON:
                value = ""
        if not value:
            raise InputError(
                f"{name} needs a value", hint="write it after the option, on the same line"
            )
        yield Option(name="--index-url" if name == "--pypi-url" else name, value=value)


def _name_and_value(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return _full_name(name), value if equals else None
    if not word.startswith("-"):
        raise InputError(
            f"{shown(word)} stands after an option",
            hint="a requirement comes before its options, and other options have their own line",
        )
    name = _SHORT.get(word[:2], "")
    if not name:
        raise _unknown(word)
    return name, word[2:] or None


def _full_name(name: str) -> str:
    if name in _KNOWN:
        return name
    starting = sorted(known for known in _KNOWN if known.startswith(name)) if name != "--" else []
    if len(starting) == 1:
        return starting[0]
    if starting:
        raise InputError(f"{name} may mean {' or '.join(starting)}", hint="write it in full")
    raise _unknown(name)


def _unknown(name: str) -> InputError:
    short = name[:40]
    nearest = difflib.get_close_matches(short, [*sorted(_KNOWN), *_SHORT], n=1)
    return InputError(
        f"{shown(short)} is no option of requirements files",
        hint=f"did you mean {nearest[0]}?"
        if nearest
        else "options of a command, such as --upgrade, belong on its command line",
    )
