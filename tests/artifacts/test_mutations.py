"""A change of one file of a good artifact: ``check`` and the real importer say the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.artifacts.mutations import (
    APPLICATIONS,
    Laboratory,
    Mutation,
    Outcome,
    module_name,
    mutated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(600)]

# The emulated interpreter takes some seconds for each.
COUNTS = {"crypto": 30, "web": 30, "data": 30, "arm64": 6}
SEED = 1


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.emulation] if name == "arm64" else [])
        for name in APPLICATIONS
    ],
)
def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Each application, laid out once."""
    folder = tmp_path_factory.mktemp("laboratory")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # another user imports from it
    return Laboratory(request.param, folder)
