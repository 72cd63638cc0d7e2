"""The files of a directory that is an artifact."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from crossdeps.binaries import is_binary_head, read_binary
from crossdeps.bundle.found import Facts, Found
from crossdeps.bundle.model import Entry, FileContent

_CHUNK = 1 << 20


def read_directory(root: Path) -> Found:
    """Read every file below *root*. Links are followed as far as they stay inside.

    :raises OSError: if a file or directory can't be read
    """
    walk = _Walk(root)
    walk.directory(root, "", (Path(os.path.realpath(root)),))
    return Found(kind="directory", entries=tuple(walk.entries), warnings=tuple(walk.warnings))


class _Walk:
    def __init__(self, root: Path) -> None:
        self.entries: list[Entry] = []
        self.warnings: list[str] = []
        self._real_root = Path(os.path.realpath(root))

    def directory(self, directory: Path, prefix: str, trail: tuple[Path, ...]) -> None:
        for item in sorted(os.scandir(directory), key=lambda item: item.name):
            path = directory / item.name
            relative = prefix + item.name.encode("utf-8", "surrogateescape").decode(
                "utf-8", "backslashreplace"
            )
            inner = trail
            if item.is_symlink():
                target = Path(os.path.realpath(path))
                problem = self._problem_of_link(target, trail)
                if problem:
                    self.warnings.append(f"{relative} is a symbolic link {problem}: not read")
                    continue
                inner = (*trail, target)
            if item.is_dir():
                self.directory(path, f"{relative}/", inner)
            elif item.is_file():
                self.entries.append(_entry(path, relative))
            else:
                self.warnings.append(f"{relative} is neither a file nor a directory: not read")

    def _problem_of_link(self, target: Path, trail: tuple[Path, ...]) -> str:
        if not target.exists():
            return "to nothing"
        if self._real_root != target and self._real_root not in target.parents:
            return "that leads out of the artifact"
        if any(target == above or target in above.parents for above in trail):
            return "to a folder that it is in"
        return ""


def _entry(path: Path, relative: str) -> Entry:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        head = file.read(8)
        file.seek(0)
        digest = hashlib.sha256()
        size = 0
        while data := file.read(_CHUNK):
            digest.update(data)
            size += len(data)
        binary = read_binary(file) if is_binary_head(head) else None
    facts = Facts(size=size, sha256=digest.hexdigest(), binary=binary)
    return Entry(
        path=relative,
        mode=mode,
        size=facts.size,
        sha256=facts.sha256,
        content=FileContent(file=path),
        owner=None,
        binary=facts.binary,
    )
