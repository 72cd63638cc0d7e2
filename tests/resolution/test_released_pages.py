"""A page is not kept in memory once it is evaluated; its files are still there when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.config.index_options import IndexOptions
from crossdeps.derived import DerivedCache
from crossdeps.index.client import open_index
from crossdeps.index.pages.columns import ProjectFiles
from crossdeps.resolution.candidates import CandidateEvaluator
from crossdeps.resolution.file_rules import FileRules
from crossdeps.target.model import Target
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from crossdeps.resolution.evaluations import Evaluation
    from tests.support.index_server import IndexServer

TARGET = Target(python="3.12", arch="x86_64")
DEMO = canonicalize_name("demo")
PAGE = "/simple/demo/"


@pytest.fixture
def server(pypi_like_index: IndexServer) -> IndexServer:
    for number in range(20):
        pypi_like_index.add(make_wheel("demo", f"1.{number}"))
        foreign = make_wheel("demo", f"1.{number}", tag="cp312-cp312-win_amd64")
        pypi_like_index.add(foreign)
    return pypi_like_index


def evaluate(client: IndexClient, cache: Path | None) -> tuple[ProjectFiles, Evaluation]:
    page = client.page(DEMO)
    evaluator = CandidateEvaluator(TARGET, DerivedCache(cache))
    assert isinstance(page.files, ProjectFiles)
    return page.files, evaluator.evaluate_page(page, FileRules(indexes=page.found_on))


def describe(evaluation: Evaluation) -> object:
    return list(evaluation.candidates), list(evaluation.rejections)


def open_client(server: IndexServer, cache: Path | None) -> IndexClient:
    options = IndexOptions(index_url=server.url)
    return open_index(options, cache=cache)


def test_a_page_is_released_and_read_again(server: IndexServer, tmp_path: Path) -> None:
    with open_client(server, tmp_path) as client, open_client(server, None) as other:
        files, evaluation = evaluate(client, tmp_path)
        assert files._table is None
        found = evaluation.candidates[0]
        assert found.version == Version("1.19")
        assert files._table is None
        kept, expected = evaluate(other, None)
        assert describe(evaluation) == describe(expected)
        assert list(files) == list(kept)
    assert server.paths().count(PAGE) == 2


def test_a_page_that_the_cache_lost_is_requested_again(server: IndexServer, tmp_path: Path) -> None:
    with open_client(server, tmp_path) as client:
        files, evaluation = evaluate(client, tmp_path)
        before = describe(evaluation)
        files.release()
        pages = list(tmp_path.rglob("pages/*/*"))
        assert pages
        for path in pages:
            path.write_bytes(b"")
        assert len(list(files)) == 40
        assert describe(evaluation) == before
    assert server.paths().count(PAGE) == 2


def test_what_is_not_kept_is_not_read_again(server: IndexServer, tmp_path: Path) -> None:
    """An index that forbids storing, or a run without a cache: the page stays."""
    server.configure(cache_control="no-store")
    with open_client(server, tmp_path) as client:
        files, evaluation = evaluate(client, tmp_path)
        files.release()
        assert len(files) == 40
        assert len(evaluation.rejections) == 20
    assert server.paths().count(PAGE) == 1
