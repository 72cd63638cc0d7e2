"""Real projects, read as if they were the user's own source: no false alarm."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path

import packaging
import pytest

from crossdeps.bundle.model import Bundle, Entry, FileContent
from crossdeps.target.model import Target
from crossdeps.verify.model import Handler, RuntimeContext
from crossdeps.verify.registry import verify

SITE = Path(packaging.__file__).parents[1]
PROJECTS = (
    "_pytest", "coverage", "hypothesis", "msgspec", "packaging", "pathspec", "pip", "pytest",
    "requests", "resolvelib", "rich", "shtab", "tomli_w", "urllib3",
)  # fmt: skip
PYTHON = Target(python="{}.{}.{}".format(*sys.version_info), arch="x86_64")


@lru_cache(maxsize=1)
def installed() -> Bundle:
    """Everything that the tests' environment has, without the metadata that says whose it is."""
    files = [path for path in SITE.rglob("*") if path.suffix in {".py", ".so"}]
    entries = [
        Entry(path=path.relative_to(SITE).as_posix(), mode=0o644, size=0, sha256="", owner=None,
              content=FileContent(file=path))
        for path in files
        if not any(part.endswith(".dist-info") for part in path.relative_to(SITE).parts)
    ]  # fmt: skip
    return Bundle(kind="directory", entries=tuple(sorted(entries, key=lambda entry: entry.path)))


@pytest.mark.parametrize("name", PROJECTS)
def test_what_can_be_imported_has_no_missing_import(name: str) -> None:
    """Each of them imports here, so everything that it needs at the start is here."""
    if name not in packages_distributions():
        pytest.skip(f"{name} isn't installed")
    around = RuntimeContext(handler=Handler(text=name, module=name, function="any"))
    found = verify(installed(), PYTHON, runtime_context=around)
    assert [
        item.message for item in found if item.rule in {"missing-import", "source-syntax"}
    ] == []
