"""Index options of requirements files, folded into one value in the order of reading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.inputs.display import redact_urls, shown
from crossdeps.inputs.locations import find_links_location, index_location
from crossdeps.inputs.model import FileOptions

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.inputs.line_options import Option
    from crossdeps.inputs.model import Origin

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
            self.warnings.append(f"{origin}: --use-feature={shown(value)} has no meaning here")
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
                    f"{shown(project) or 'nothing'} isn't a project name",
                    hint=f"{name} takes :all:, :none: or names with commas between them",
                )


def _find_links(value: str, directories: tuple[Path, ...]) -> str:
    """A URL, or an absolute path: as with pip, beside the file that says so, if it is there."""
    for directory in reversed(directories):
        if location := find_links_location(value, directory):
            return location
    raise InputError(
        f"there is no file or directory {shown(value)}", hint="create it, or correct --find-links"
    )


def _host(value: str) -> str:
    if _HOST.fullmatch(value):
        return value
    raise InputError(
        f"{shown(value)} isn't a host", hint="write HOST or HOST:PORT, without https://"
    )
