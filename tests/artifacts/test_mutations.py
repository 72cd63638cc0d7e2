"""A change of one file of a good artifact: ``check`` and the real importer say the same."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests.artifacts.mutations import (
    APPLICATIONS,
    Laboratory,
    Mutation,
    module_name,
    mutated,
)

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(600)]

# The emulated interpreter takes some seconds for each.
COUNTS = {"crypto": 20, "web": 20, "data": 15, "arm64": 4}
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
) -> Laboratory:
    """Each application, laid out once."""
    folder = tmp_path_factory.mktemp("laboratory")
    top = Path(tempfile.gettempdir())
    for parent in (folder, *folder.parents):
        if top in parent.parents:
            parent.chmod(0o755)  # another user imports from it
    return Laboratory(request.param, folder)


def test_the_artifact_is_good(laboratory: Laboratory) -> None:
    """Unchanged, it has no finding, and every top-level module imports."""
    assert laboratory.check() == ()
    assert laboratory.modules - {"_cffi_backend"} <= laboratory.importable


def test_check_and_importer_agree(laboratory: Laboratory) -> None:
    """After each change, but for the differences that :meth:`Outcome.explain` explains."""
    mutations = laboratory.mutations(SEED, COUNTS[laboratory.name])
    outcomes = [laboratory.run(mutation) for mutation in mutations]
    wrong = [outcome for outcome in outcomes if not outcome.agrees and not outcome.explain()]
    assert not wrong, "\n".join(map(str, wrong))
    # The changes are worth it: some break an import, and check has an error for some of these.
    assert Counter(bool(outcome.failures) for outcome in outcomes)[True] > 0
    assert any(outcome.failures and outcome.agrees for outcome in outcomes)


def test_a_mutation_is_undone(laboratory: Laboratory) -> None:
    """The artifact is the same after every kind of change."""

    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(laboratory.root.rglob("*"))
        }

    before = state()
    for kind, others in (("remove", []), ("swap", ["shop/prices.py"]), ("move", ["shop/x.py"])):
        mutation = Mutation(kind=kind, paths=("tools.py", *others), recorded=True)
        with mutated(laboratory.root, mutation):
            assert state() != before
        assert state() == before


def test_module_names() -> None:
    """Only what an importer would look for by its name."""
    assert module_name("a/b.py") == "a.b"
    assert module_name("a/__init__.py") == "a"
    assert module_name("a/b.cpython-312-x86_64-linux-gnu.so") == "a.b"
    assert module_name("a.libs/b.so") is None
    assert module_name("a-1.dist-info/b.py") is None
