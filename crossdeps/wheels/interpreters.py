"""The Pythons of this machine, for projects that the one that runs crossdeps may not build.

Searched are the directories of PATH, the versions of pyenv, and the launcher ``py`` on Windows
(PEP 397). Only pure wheels are accepted, so that the target is not what an interpreter is for.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from crossdeps.errors import SdistBuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAME: Final = re.compile(r"python3\.(\d{1,3})(?:\.exe)?", re.ASCII)
_LAUNCHER_LINE: Final = re.compile(
    r"\s*-(?:V:)?3\.(\d{1,3})\S*\s+(?:\*\s+)?(\S.*\.exe)\s*", re.ASCII
)
_PROBE: Final = (
    "import importlib.util as u, sys;"
    " print('%d.%d.%d' % sys.version_info[:3], u.find_spec('pip') is not None)"
)
_SECONDS: Final = 20
_MINORS: Final = 40  # more than Python 3 will have for long
_LATE: Final = 99  # a patch release that meets every lower bound


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A Python of this machine.

    :param path: of its executable
    :param version: such as ``3.13.0``
    :param pip: the command that runs pip for it
    """

    path: str
    version: str
    pip: tuple[str, ...]

    def satisfies(self, requires_python: str) -> bool:
        """Whether a project with this Requires-Python admits it; so does one that is invalid."""
        return _admits(requires_python, self.version)


class Interpreters:
    """Finds interpreters; each is started once at most.

    :param environ: the environment to search and to start them in
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._probed: dict[str, Interpreter | None] = {}

    @cached_property
    def running(self) -> Interpreter:
        """The one that runs crossdeps."""
        return Interpreter(
            path=sys.executable,
            version=".".join(map(str, sys.version_info[:3])),
            pip=(sys.executable, "-m", "pip"),
        )

    def find(self, requires_python: str) -> Interpreter | None:
        """Return the one that is nearest to :attr:`running` of those that a project admits.

        :param requires_python: Requires-Python of the project; empty admits all
        """
        if self.running.satisfies(requires_python):
            return self.running
        for path in self._paths:
            found = self._probe(path)
            if found is not None and found.satisfies(requires_python):
                return found
        return None

    def require(self, requires_python: str, label: str) -> Interpreter:
        """Return the one that :meth:`find` finds.

        :param label: what is built, for the message
        :raises SdistBuildError: if there is none
        """
        found = self.find(requires_python)
        if found is not None:
            return found
        minor = _nearest_minor(requires_python)
        wanted = f"Python {minor}" if minor else "such a Python"
        raise SdistBuildError(
            f"{label} can be built by Python {requires_python} only, and this machine has"
            f" {', '.join(self.versions)}",
            hint=f"install {wanted}, so that PATH or pyenv has it; or build the wheel on a machine"
            " that has one, and require its file",
            rule="sdist-python",
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of all that can be used, sorted."""
        found = {self.running.version}
        found.update(each.version for path in self._paths if (each := self._probe(path)))
        return tuple(sorted(found, key=lambda text: tuple(map(int, text.split(".")))))

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        """Executables, those of the nearest minor version first; of one, in the order of PATH."""
        own = sys.version_info[1]
        minors: dict[str, int] = {}
        for path, minor in chain(self._on_path(), self._of_pyenv(), self._of_launcher()):
            minors.setdefault(path, minor)
        return tuple(sorted(minors, key=lambda path: (abs(minors[path] - own), minors[path])))

    def _on_path(self) -> Iterator[tuple[str, int]]:
        for text in self._environ.get("PATH", "").split(os.pathsep):
            directory = Path(text)
            if text and directory.is_absolute():  # others depend on the current directory
                yield from _list_directory(directory)

    def _of_pyenv(self) -> Iterator[tuple[str, int]]:
        home = self._environ.get("HOME", "")
        root = self._environ.get("PYENV_ROOT") or (home and str(Path(home, ".pyenv")))
        if root:
            for directory in _directories(Path(root, "versions")):
                yield from _list_directory(directory / "bin")

    def _of_launcher(self) -> Iterator[tuple[str, int]]:
        if os.name != "nt":
            return
        for line in self._run(("py", "-0p")).splitlines():
            match = _LAUNCHER_LINE.fullmatch(line)
            if match:
                yield match[2], int(match[1])

    def _probe(self, path: str) -> Interpreter | None:
        """Start an interpreter; None if it is none, or has no pip and ours does not support it.

        The commands of pyenv fail for versions that are not selected.
        """
        if path not in self._probed:
            version, _, has_pip = self._run((path, "-I", "-c", _PROBE)).strip().partition(" ")
            pip: tuple[str, ...] = ()
            if re.fullmatch(r"3\.\d+\.\d+", version, re.ASCII):
                if _admits(_pip_requires_python(), version):
                    pip = (sys.executable, "-m", "pip", "--python", path)
                elif has_pip == "True":
                    pip = (path, "-m", "pip")
            found = Interpreter(path=path, version=version, pip=pip) if pip else None
            self._probed[path] = found
        return self._probed[path]

    def _run(self, command: tuple[str, ...]) -> str:
        from subprocess import DEVNULL, SubprocessError, run  # noqa: PLC0415 - builds are rare

        try:
            done = run(  # noqa: S603 - as found on PATH, where the user's shell finds it too
                command,
                env=self._environ,
                stdin=DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=True,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, ValueError, SubprocessError):
            return ""
        return done.stdout


def _admits(requires_python: str, version: str) -> bool:
    try:
        return SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _nearest_minor(requires_python: str) -> str:
    """Return the version nearest to the running one that a project admits; empty if none is."""
    own = sys.version_info[1]
    for minor in sorted(range(_MINORS), key=lambda minor: abs(minor - own)):
        if any(_admits(requires_python, f"3.{minor}.{patch}") for patch in (_LATE, 0)):
            return f"3.{minor}"
    return ""


def _pip_requires_python() -> str:
    """Requires-Python of the pip that is installed beside crossdeps."""
    from importlib.metadata import PackageNotFoundError, metadata  # noqa: PLC0415 - builds are rare

    try:
        found = metadata("pip")
    except PackageNotFoundError:
        return ""
    return next(iter(found.get_all("Requires-Python") or ()), "")


def _list_directory(directory: Path) -> Iterator[tuple[str, int]]:
    for path in _entries(directory):
        match = _NAME.fullmatch(path.name)
        if match:
            yield str(path), int(match[1])


def _directories(parent: Path) -> Iterable[Path]:
    return [path for path in _entries(parent) if path.is_dir()]


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []
