"""A wheel on disk, read as it is when it enters the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.fs import hash_file
from crossdeps.wheels.facts import name_wheel
from crossdeps.wheels.reader import check_name, read_facts

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.wheels.model import Wheel


def read_wheel(path: Path, filename: str | None = None) -> Wheel:
    """Read a wheel strictly.

    :param filename: the name under which it was published; that of *path* by default
    """
    filename = path.name if filename is None else filename
    facts = read_facts(path, sha256=hash_file(path), filename=filename)
    return name_wheel(facts, path, check_name(facts, filename))
