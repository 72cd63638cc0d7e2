"""The projects that are needed whatever the target is: their pages can be fetched at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.requirements.gather import gather_inputs
from crossdeps.requirements.model import Requirements

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("lines", "overrides", "names"),
    [
        (["foo", "Bar[x]>=1", "foo<2"], "", ("bar", "foo")),
        (["foo; python_version < '3'", "bar"], "", ("bar",)),
        (["foo; python_version < '3'", "foo"], "", ("foo",)),
        (["foo @ https://example.com/foo-1-py3-none-any.whl", "foo", "bar"], "", ("bar",)),
        (["foo", "bar"], "foo==1", ("bar",)),
        (["foo; python_version < '3'"], "", ()),
    ],
    ids=["plain", "marker", "both", "direct", "overridden", "none"],
)
def test_unconditional_projects(
    lines: list[str], overrides: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "overrides.txt"
    file.write_text(overrides)
    requirements = Requirements(
        requirements=tuple(lines), override_files=(str(file),) if overrides else ()
    )
    inputs = gather_inputs(requirements, environ={}, cwd=file.parent, stdin=lambda: b"")
    assert inputs.unconditional_projects == names
