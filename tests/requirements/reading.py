"""A short way to read requirements files that a test makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import InputError
from crossdeps.requirements.gather import gather_inputs
from crossdeps.requirements.model import Requirements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.requirements.model import Inputs


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Make files; their names may have folders."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def read(
    folder: Path,
    content: str | bytes | Mapping[str, str | bytes],
    environ: Mapping[str, str] | None = None,
) -> Inputs:
    """Read ``requirements.txt``, which is *content*, or among the files of *content*."""
    write(folder, {"requirements.txt": content} if isinstance(content, (str, bytes)) else content)
    request = Requirements(requirement_files=("requirements.txt",))
    return gather(folder, request, environ)


def gather(
    folder: Path,
    request: Requirements,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> Inputs:
    """Gather with *folder* as working directory."""
    return gather_inputs(request, environ=environ or {}, cwd=folder, stdin=lambda: stdin)


def refusal(
    folder: Path,
    content: str | bytes | Mapping[str, str | bytes],
    environ: Mapping[str, str] | None = None,
) -> InputError:
    """The error that reading ends with."""
    with pytest.raises(InputError) as caught:
        read(folder, content, environ)
    return caught.value
