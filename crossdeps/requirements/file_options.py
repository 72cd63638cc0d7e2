"""The options of requirements files, and how a line is split into them.

Source: pip's documentation, "Requirements File Format", "Supported options" and "Per-requirement
options". As in pip, a long option may be abbreviated as long as it is unique.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_links_location, index_location
from crossdeps.requirements.model import FileOptions, is_project_name
from crossdeps.text import escape, join_words, redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossdeps.requirements.model import Origin

PER_REQUIREMENT = frozenset({"--hash", "--config-settings", "--global-option"})
_PASSED_TO_BACKEND = frozenset({"--config-settings", "--global-option"})  # values may be options
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
_OPPOSITES = {
    "--no-binary": "--only-binary",
    "--only-binary": "--no-binary",
    "--all-releases": "--only-final",
    "--only-final": "--all-releases",
}
_HOST = r"\[[0-9A-Fa-f:.]+\](?::\d+)?|[A-Za-z0-9._-]+(?::\d+)?|\*"
_LONGEST_QUOTED = 200_000  # characters of options with quotes, which are split one by one


class Option(msgspec.Struct, frozen=True, kw_only=True):
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
    import shlex  # noqa: PLC0415 - rarely needed

    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(
            "unbalanced quotation mark or backslash",
            hint="close the quotation; a backslash continues a line only if nothing follows it",
        ) from error


def _options(words: list[str]) -> Iterator[Option]:
    remaining = iter(words)
    for word in remaining:
        name, value = _name_and_value(word)
        if name in _FLAGS:
            if value is not None:
                raise InputError(f"{name} takes no value", hint="remove the = and the value")
            yield Option(name=name)
            continue
        if value is None:
            value = next(remaining, "")
            if value.startswith("--") and name not in _PASSED_TO_BACKEND:
                value = ""
        if not value:
            raise InputError(
                f"{name} requires a value", hint="write it after the option, on the same line"
            )
        yield Option(name="--index-url" if name == "--pypi-url" else name, value=value)


def _name_and_value(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return _full_name(name), value if equals else None
    if not word.startswith("-"):
        raise InputError(
            f"{escape(word)} follows an option",
            hint="write a requirement before its options, and other options on their own line",
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
        raise InputError(
            f"{name} is ambiguous: {join_words(starting, 'or')}", hint="write it in full"
        )
    raise _unknown(name)


def _unknown(name: str) -> InputError:
    import difflib  # noqa: PLC0415 - only for errors

    short = name[:40]
    nearest = difflib.get_close_matches(short, [*sorted(_KNOWN), *_SHORT], n=1)
    return InputError(
        f"{escape(short)} is not an option of requirements files",
        hint=f"did you mean {nearest[0]}?"
        if nearest
        else "options of a command, such as --upgrade, are allowed on its command line only",
    )


class FileOptionsBuilder:
    """Collects options; of contradictory ones the last wins.

    :ivar absent: paths that would have been used if they existed
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.absent: list[str] = []
        self._index_url: tuple[str, Origin] | None = None
        self._flags: set[str] = set()
        self._lists: dict[str, dict[str, None]] = {}

    def add(self, option: Option, origin: Origin, directories: tuple[Path, ...]) -> None:
        """Add one option.

        :param directories: bases of relative paths

        :raises InputError: if its value is not valid, or is a second --index-url
        """
        name, value = option.name, option.value
        if name == "--index-url":
            self._set_index_url(index_location(value, directories[-1]), origin)
        elif name == "--extra-index-url":
            self._append(name, index_location(value, directories[-1]))
        elif name == "--find-links":
            self._append(name, self._find_links(value, directories))
        elif name == "--trusted-host":
            self._append(name, _host(value))
        elif name in _OPPOSITES:
            self._add_projects(name, value)
        elif name == "--use-feature":
            self.warnings.append(f"{origin}: --use-feature={escape(value)} has no effect")
        else:
            self._flags.add(name)

    def build(self) -> FileOptions:
        """Return all options."""
        return FileOptions(
            index_url=self._index_url[0] if self._index_url else None,
            extra_index_urls=self._values("--extra-index-url"),
            find_links=self._values("--find-links"),
            no_index="--no-index" in self._flags,
            trusted_hosts=self._values("--trusted-host"),
            pre="--pre" in self._flags,
            require_hashes="--require-hashes" in self._flags,
            only_binary=self._values("--only-binary"),
            no_binary=self._values("--no-binary"),
            all_releases=self._values("--all-releases"),
            only_final=self._values("--only-final"),
        )

    def _find_links(self, value: str, directories: tuple[Path, ...]) -> str:
        """A URL or an absolute path; as in pip, the directory of the file is searched first."""
        for directory in reversed(directories):
            if location := find_links_location(value, directory):
                return location
            self.absent.append(str(directory / value))
        raise InputError(
            f"no such file or directory: {escape(value)}", hint="create it, or correct --find-links"
        )

    def _values(self, name: str) -> tuple[str, ...]:
        return tuple(self._lists.get(name, ()))

    def _append(self, name: str, value: str) -> None:
        self._lists.setdefault(name, {})[value] = None

    def _set_index_url(self, url: str, origin: Origin) -> None:
        """Set the only index of all files: which of two was meant cannot be guessed."""
        if self._index_url and self._index_url[0] != url:
            earlier, earlier_origin = self._index_url
            raise InputError(
                f"--index-url was already given as {redact_urls(earlier)} ({earlier_origin})",
                hint="keep one of them; give a second index by --extra-index-url",
            )
        self._index_url = (url, origin)

    def _add_projects(self, name: str, value: str) -> None:
        """Add projects to one of two opposite options.

        As in pip, ``:all:`` replaces both lists, ``:none:`` empties the list, and a name is removed
        from the opposite list.
        """
        mine = self._lists.setdefault(name, {})
        theirs = self._lists.setdefault(_OPPOSITES[name], {})
        for word in value.split(","):
            project = word.strip()
            if project == ":all:":
                mine.clear()
                theirs.clear()
                mine[project] = None
            elif project == ":none:":
                mine.clear()
            elif is_project_name(project):
                normalised = canonicalize_name(project)
                theirs.pop(normalised, None)
                mine[normalised] = None
            else:
                raise InputError(
                    f"{escape(project) or 'an empty name'} is not a valid project name",
                    hint=f"{name} takes :all:, :none: or comma-separated names",
                )


def _host(value: str) -> str:
    if re.fullmatch(_HOST, value):
        return value
    raise InputError(
        f"{escape(value)} is not a valid host", hint="write HOST or HOST:PORT, without https://"
    )
