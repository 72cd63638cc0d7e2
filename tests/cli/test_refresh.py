"""``--refresh``: the indexes are asked although everything is cached and fresh."""

from __future__ import annotations

import pytest

from tests.support.command_line import TARGET, CommandLine
from tests.support.wheel_factory import make_wheel

CACHE = ("--cache-dir", "cache")


@pytest.fixture
def fresh(run: CommandLine) -> CommandLine:
    """An index whose pages stay fresh, and a cache of what ``tree`` requires."""
    run.index.configure(etags=True, cache_control="max-age=600", metadata_keys="both")
    assert run("lock", "tree", "-o", "pylock.first.toml", *TARGET, *CACHE).code == 0
    run.index.forget_requests()
    return run


def statuses(run: CommandLine) -> list[int]:
    """The answers to requests for pages."""
    return [each.status for each in run.index.requests if each.path.startswith("/simple/")]


def test_fresh_pages_are_not_requested(fresh: CommandLine) -> None:
    assert fresh("lock", "tree", "-o", "pylock.toml", *TARGET, *CACHE).code == 0
    assert statuses(fresh) == []


def test_pages_are_revalidated(fresh: CommandLine) -> None:
    before = fresh("lock", "tree", "-o", "pylock.a.toml", *TARGET, *CACHE)
    after = fresh("lock", "tree", "-o", "pylock.b.toml", "--refresh", *TARGET, *CACHE)
    assert (before.code, after.code) == (0, 0)
    assert statuses(fresh) == [304] * 4
    first, second = (fresh.folder / f"pylock.{name}.toml" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("verb", ["lock", "build", "why"])
def test_a_new_version_is_found(fresh: CommandLine, verb: str) -> None:
    fresh.index.add(make_wheel("leaf", "1.1", requires=["pure<2"]))
    fresh.write("requirements.txt", "tree")
    subject = {
        "lock": ["-r", "requirements.txt", "--dry-run"],
        "build": ["-r", "requirements.txt", "-o", "out"],
        "why": ["leaf", "-r", "requirements.txt"],
    }[verb]
    stale = fresh(verb, *subject, "--json", *TARGET, *CACHE)
    assert "1.1" not in versions_of_leaf(stale.document)
    told = fresh(verb, *subject, "--json", "--refresh", *TARGET, *CACHE)
    assert "1.1" in versions_of_leaf(told.document)
    again = fresh(verb, *subject, "--json", *TARGET, *CACHE)
    assert "1.1" in versions_of_leaf(again.document)


def versions_of_leaf(document: object) -> str:
    """What a document says of ``leaf``."""
    assert isinstance(document, dict)
    packages = document.get("packages", [document.get("project", {})])
    return str([each for each in packages if each.get("name") == "leaf"])


def test_it_needs_the_network(fresh: CommandLine) -> None:
    told = fresh("lock", "tree", "--refresh", "--offline", *TARGET, *CACHE)
    assert (told.code, told.out) == (2, "")
    assert "--refresh needs the network, which --offline disables" in told.err
