from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.cli.settings import read_python_version
from crossdeps.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("3.12\n", "3.12"),
        ("3.12.4", "3.12.4"),
        ("# pinned\n\n  3.9.18 # here\n2.7.18\n", "3.9.18"),
        ("cpython-3.11", "3.11"),
        ("python3.10", "3.10"),
        ("", None),
        ("# nothing\n", None),
    ],
)
def test_the_first_version_counts(content: str, expected: str | None, tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_text(content)
    assert read_python_version(path) == expected


@pytest.mark.parametrize("content", ["pypy3.10-7.3", "system", "my-env", "3", "2.7.18", "3.12rc1"])
def test_anything_else_is_refused_with_its_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_text(f"\n{content}\n")
    with pytest.raises(InputError) as caught:
        read_python_version(path)
    assert content in caught.value.message
    assert caught.value.context == (f"{path}:2",)
    assert "--python" in (caught.value.hint or "")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_bytes(b"3.12\xff")
    with pytest.raises(InputError):
        read_python_version(path)
