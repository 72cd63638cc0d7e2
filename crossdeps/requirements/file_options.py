"""The options that may stand in a requirements file, and how a line is split into them.

Source: pip's documentation, "Requirements File Format", "Supported options" and "Per-requirement
options". As with pip, a long option may be shortened as long as it stays unique.
"""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_links_location, index_location
from crossdeps.requirements.model import FileOptions
from crossdeps.text import escape, join_words, redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossdeps.requirements.model import Origin

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
            f"{escape(word)} stands after an option",
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
        raise InputError(f"{name} may mean {join_words(starting, 'or')}", hint="write it in full")
    raise _unknown(name)


def _unknown(name: str) -> InputError:
    short = name[:40]
    nearest = difflib.get_close_matches(short, [*sorted(_KNOWN), *_SHORT], n=1)
    return InputError(
        f"{escape(short)} is no option of requirements files",
        hint=f"did you mean {nearest[0]}?"
        if nearest
        else "options of a command, such as --upgrade, belong on its command line",
    )


_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\](?::\d+)?|[A-Za-z0-9._-]+(?::\d+)?|\*")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class FileOptionsBuilder:
    """Takes options one by one; what files say of one thing twice, the last one decides.

    :param directories: given with each option, what a relative path may be relative to
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._index_url: tuple[str, Origin] | None = None
        self._flags: set[str] = set()
        self._lists: dict[str, dict[str, None]] = {}

    def add(self, option: Option, origin: Origin, directories: tuple[Path, ...]) -> None:
        """Take one option.

        :raises InputError: if its value is malformed, or names a second index to start from
        """
        name, value = option.name, option.value
        if name == "--index-url":
            self._set_index_url(index_location(value, directories[-1]), origin)
        elif name == "--extra-index-url":
            self._note(name, index_location(value, directories[-1]))
        elif name == "--find-links":
            self._note(name, _find_links(value, directories))
        elif name == "--trusted-host":
            self._note(name, _host(value))
        elif name in {"--no-binary", "--only-binary"}:
            self._choose(name, {"--no-binary": "--only-binary"}.get(name, "--no-binary"), value)
        elif name in {"--all-releases", "--only-final"}:
            self._choose(name, {"--only-final": "--all-releases"}.get(name, "--only-final"), value)
        elif name == "--use-feature":
            self.warnings.append(f"{origin}: --use-feature={escape(value)} has no meaning here")
        else:
            self._flags.add(name)

    def build(self) -> FileOptions:
        """Return what was said."""
        return FileOptions(
            index_url=self._index_url[0] if self._index_url else None,
            extra_index_urls=self._said("--extra-index-url"),
            find_links=self._said("--find-links"),
            no_index="--no-index" in self._flags,
            trusted_hosts=self._said("--trusted-host"),
            pre="--pre" in self._flags,
            require_hashes="--require-hashes" in self._flags,
            only_binary=self._said("--only-binary"),
            no_binary=self._said("--no-binary"),
            all_releases=self._said("--all-releases"),
            only_final=self._said("--only-final"),
        )

    def _said(self, name: str) -> tuple[str, ...]:
        return tuple(self._lists.get(name, ()))

    def _note(self, name: str, value: str) -> None:
        self._lists.setdefault(name, {})[value] = None

    def _set_index_url(self, url: str, origin: Origin) -> None:
        """Take the one index of all files; which of two was meant is not for us to guess."""
        if self._index_url and self._index_url[0] != url:
            earlier, place = self._index_url
            raise InputError(
                f"another --index-url than {redact_urls(earlier)} ({place})",
                hint="keep one; a second index is --extra-index-url",
            )
        self._index_url = (url, origin)

    def _choose(self, name: str, opposite: str, value: str) -> None:
        """Note projects for one of two opposite options.

        As with pip: ``:all:`` undoes what was said before, ``:none:`` empties the list, and a name
        leaves the opposite list.
        """
        mine = self._lists.setdefault(name, {})
        theirs = self._lists.setdefault(opposite, {})
        for word in value.split(","):
            project = word.strip()
            if project == ":all:":
                mine.clear()
                theirs.clear()
                mine[project] = None
            elif project == ":none:":
                mine.clear()
            elif _NAME.fullmatch(project):
                normalised = canonicalize_name(project)
                theirs.pop(normalised, None)
                mine[normalised] = None
            else:
                raise InputError(
                    f"{escape(project) or 'nothing'} isn't a project name",
                    hint=f"{name} takes :all:, :none: or names with commas between them",
                )


def _find_links(value: str, directories: tuple[Path, ...]) -> str:
    """A URL, or an absolute path: as with pip, beside the file that says so, if it is there."""
    for directory in reversed(directories):
        if location := find_links_location(value, directory):
            return location
    raise InputError(
        f"there is no file or directory {escape(value)}", hint="create it, or correct --find-links"
    )


def _host(value: str) -> str:
    if _HOST.fullmatch(value):
        return value
    raise InputError(
        f"{escape(value)} isn't a host", hint="write HOST or HOST:PORT, without https://"
    )
