"""What users name by place is pinned in a lock by content, and nobody's login is in it."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.requirements.model import DirectSource
from crossdeps.resolution.lock.entries import as_locked
from crossdeps.resolution.model import BuiltWheel

BUILT = BuiltWheel(
    name=canonicalize_name("foo"),
    version=Version("1.0"),
    filename="foo-1.0-py3-none-any.whl",
    metadata=b"",
    sha256="0" * 64,
    source_hashes={"sha256": "1" * 64},
    commit_id="c" * 40,
)
PINNED = frozenset({"sha256:" + "1" * 64})


@pytest.mark.parametrize(
    ("source", "location", "hashes"),
    [
        (
            DirectSource(kind="vcs", location="git+https://me:secret@host.example/p.git@main"),
            f"git+https://host.example/p.git@{'c' * 40}",
            frozenset(),
        ),
        (
            DirectSource(kind="vcs", location="git+ssh://git@host.example/p.git"),
            # the first @ is part of the address
            f"git+ssh://git@host.example/p.git@{'c' * 40}",
            frozenset(),
        ),
        (
            DirectSource(kind="wheel", location="https://t0ken@host.example/foo-1.0-a-b-c.whl"),
            "https://host.example/foo-1.0-a-b-c.whl",
            PINNED,
        ),
        (
            DirectSource(kind="archive", location="/src/foo@1/foo-1.0.tar.gz"),
            "/src/foo@1/foo-1.0.tar.gz",
            PINNED,
        ),
        (DirectSource(kind="directory", location="/src/foo"), "/src/foo", frozenset()),
    ],
    ids=["git", "git over ssh", "wheel", "local archive", "directory"],
)
def test_as_a_lock_names_it(source: DirectSource, location: str, hashes: frozenset[str]) -> None:
    locked, pinned = as_locked(source, BUILT)
    assert (locked.kind, locked.location, pinned) == (source.kind, location, hashes)
