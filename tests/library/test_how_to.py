"""The how-to guide of the library works as it is written, from its first block to its last."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from tests.support.index_server import IndexServer

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(plain_index: IndexServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages assume: a project with requirements and source, and an index that has them."""
    for name, version in (("requests", "2.31"), ("requests", "2.32"), ("pyyaml", "6.0")):
        plain_index.add(make_wheel(name, version))
    monkeypatch.setenv("PIP_INDEX_URL", plain_index.url)
    (folder / "requirements.txt").write_text("requests\n")
    (folder / "src").mkdir()
    (folder / "src/app.py").write_text("def handler(event, context):\n    return event\n")
    return folder


@pytest.mark.parametrize("page", ["docs/how-to/library.md", "docs/reference/library.md"])
def test_the_blocks_run(page: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "build_script"}
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    for block in blocks:
        exec(compile(block, page, "exec"), names)  # noqa: S102 - written by us
    assert (project / "function.zip").is_file()
    if "how-to" in page:
        assert {"cancelled", "wrote"} <= set(capsys.readouterr().out.split())
        assert not (project / "cancelled.zip").exists()
