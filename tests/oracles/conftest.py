"""The package index, opened once for all oracles of a worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crossdeps.config.index_options import gather_index_options
from crossdeps.index.client import IndexClient, open_index
from tests.support.built_once import CACHE_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def package_index() -> Iterator[IndexClient]:
    """The default index and nothing else: what uv asks, too. Pages are fetched once."""
    options = gather_index_options(os.environ, isolated=True)
    with open_index(options, cache=CACHE_ROOT / "index") as client:
        yield client
