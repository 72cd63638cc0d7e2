"""A lock as a value: read or made, upgraded, built and written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdeps.errors import OutputError, UsageError
from crossdeps.fs import current_directory, write_output
from crossdeps.report.lock import LockContent, LockReport, list_packages, lock_document
from crossdeps.requirements.files import parse_toml, read_utf8
from crossdeps.requirements.pylock import DEFAULT_LOCK, is_pylock, parse_pylock
from crossdeps.target.model import Target  # noqa: TC001 - `inspect.signature` evaluates annotations
from crossdeps.text import plural
from crossdeps.value import Value

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from crossdeps.report.lock import Divergence, Downgrade, LockedPackage, PinChange

_SOURCES = ("vcs", "directory", "archive", "sdist")


class Lock(Value, frozen=True, kw_only=True):
    """A version of every required project, and the wheels of each, for one or several targets.

    It is the content of a ``pylock.toml`` (PEP 751).

    :param content: the text, and what there is to tell about it
    :param directory: absolute, that relative paths in the text are relative to
    :param path: of the file that it was read from; None if it was made by :func:`crossdeps.lock`
    :param targets: that it was made for; empty if it was read
    """

    content: LockContent
    directory: str
    path: Path | None = None
    targets: tuple[Target, ...] = ()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Lock:
        """Read a lock, which any tool may have written.

        :raises InputError: if it cannot be read, or is not valid
        :raises UsageError: if *path* is no path
        """
        file = _check_path(path)
        text = read_utf8(file, str(file))
        directory = str(file.absolute().parent)
        packages = list_packages(parse_pylock(text, str(file), directory))
        return cls(
            content=LockContent(text=text, packages=packages), directory=directory, path=file
        )

    @classmethod
    def from_pylock(cls, pylock: Pylock) -> Lock:
        """Return the lock that is *pylock*; its relative paths start from the current directory.

        :raises IntegrityError: if a file has no hash
        """
        from crossdeps.resolution.lock.writer import dump  # noqa: PLC0415 - loads much

        content = LockContent(text=dump(pylock), packages=list_packages(pylock))
        return cls(content=content, directory=str(current_directory()))

    @classmethod
    def from_report(cls, report: LockReport) -> Lock:
        """Return the lock that was made, whose paths are absolute."""
        return cls(
            content=report.content, directory=str(current_directory()), targets=report.targets
        )

    @property
    def text(self) -> str:
        """The text of the file."""
        return self.content.text

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """The packages, in the order of the lock."""
        return self.content.packages

    @property
    def changes(self) -> tuple[PinChange, ...]:
        """The versions that differ from those of the previous lock, by name."""
        return self.content.changes

    @property
    def divergences(self) -> tuple[Divergence, ...]:
        """The projects that targets have in several versions, by name."""
        return self.content.divergences

    @property
    def downgrades(self) -> tuple[Downgrade, ...]:
        """The projects that are older than the newest because of a target, by name."""
        return self.content.downgrades

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its user should know, one sentence each."""
        return (*self.content.previous_warnings, *self.content.warnings)

    @property
    def pylock(self) -> Pylock:
        """The lock as the type of ``packaging``, with absolute paths.

        :raises InputError: if *text* is not valid
        """
        return parse_pylock(self.text, str(self.path or DEFAULT_LOCK), self.directory)

    def write(self, path: str | os.PathLike[str] = DEFAULT_LOCK) -> Path:
        """Write the lock; local paths become relative to it.

        An existing file is replaced at once, and is unchanged if that fails.

        :param path: ``pylock.toml`` or ``pylock.NAME.toml``
        :returns: the path, absolute
        :raises OutputError: if the name is another, or the file cannot be written
        :raises UsageError: if *path* is no path
        """
        file = _check_path(path).absolute()
        if not is_pylock(file):
            raise OutputError(
                f"{file.name} is not a valid name for a lock",
                hint=f"write to {DEFAULT_LOCK} or pylock.NAME.toml",
            )
        write_output(file, self._relocate(file.parent), what="the lock")
        return file

    def to_requirements(self) -> str:
        """Return the lock as the text of a requirements file with hashes."""
        from crossdeps.resolution.lock.writer import to_requirements  # noqa: PLC0415 - loads much

        return to_requirements(self.pylock)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps lock --json``."""
        report = LockReport(
            targets=self.targets, content=self.content, read_lock=lambda: self.pylock
        )
        return lock_document(report, path=str(self.path.absolute()) if self.path else None)

    def __repr__(self) -> str:
        where = f" {self.path}" if self.path else ""
        targets = f" for {plural(len(self.targets), 'target')}" if self.targets else ""
        return f"<Lock{where}: {plural(len(self.packages), 'package')}{targets}>"

    def _relocate(self, directory: Path) -> str:
        """Return the text with its local paths relative to *directory*."""
        document = parse_toml(self.text, DEFAULT_LOCK)
        is_changed = False
        for package in document["packages"]:
            sources = [package.get(kind) for kind in _SOURCES]
            for source in (*filter(None, sources), *package.get("wheels", ())):
                if "path" not in source:
                    continue
                path = os.path.join(self.directory, source["path"])  # noqa: PTH118 - text stays text
                source["path"] = os.path.relpath(path, directory).replace(os.sep, "/")
                is_changed = True
        if not is_changed:
            return self.text
        import tomli_w  # noqa: PLC0415 - few locks have local paths

        return tomli_w.dumps(document)


def _check_path(path: object) -> Path:
    if isinstance(path, (str, os.PathLike)):
        return Path(path)
    given = "None" if path is None else type(path).__name__
    raise UsageError(
        f"path must be the path of a lock, not {given}", hint=f'such as "{DEFAULT_LOCK}"'
    )
