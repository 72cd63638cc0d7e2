from __future__ import annotations

from pathlib import Path

import pytest

from crossdeps.errors import InputError
from crossdeps.requirements.pylock import is_pylock, read_pylock
from tests.requirements.reading import write

DIGEST = "ab" * 32
LOCK = f"""\
lock-version = "1.0"
created-by = "a test"
requires-python = ">=3.9"

[[packages]]
name = "pkg"
version = "1.0"
[[packages.wheels]]
url = "https://h.example/pkg-1.0-py3-none-any.whl"
size = 12
hashes = {{sha256 = "{DIGEST}"}}

[[packages]]
name = "local"
directory = {{path = "../local"}}

[[packages]]
name = "near"
version = "2"
wheels = [{{path = "wheels/near-2-py3-none-any.whl", hashes = {{sha256 = "{DIGEST}"}}}}]
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pylock.toml", True),
        ("sub/pylock.toml", True),
        ("pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("pylock..toml", False),
        ("Pylock.toml", False),
        ("pyproject.toml", False),
        ("requirements.txt", False),
    ],
)
def test_a_lock_is_known_by_its_name(name: str, expected: bool) -> None:
    assert is_pylock(Path(name)) is expected


def test_a_lock_is_read_and_its_paths_are_absolute(tmp_path: Path) -> None:
    write(tmp_path, {"sub/pylock.toml": LOCK})
    lock = read_pylock(tmp_path / "sub/pylock.toml")
    pkg, local, near = lock.packages
    assert pkg.wheels is not None
    assert pkg.wheels[0].size == 12
    assert local.directory is not None
    assert local.directory.path == str(tmp_path / "sub/../local")
    assert near.wheels is not None
    assert near.wheels[0].path == str(tmp_path / "sub/wheels/near-2-py3-none-any.whl")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["lock-version"]),
        ("lock-version = 1", ["lock-version"]),
        (LOCK.replace('"1.0"', '"2.0"', 1), ["unsupported lock-version", "2.0"]),
        (LOCK.replace('name = "pkg"', 'name = "Pkg_X"'), ["packages[0].name"]),
        (LOCK.replace("size = 12", 'size = "big"'), ["packages[0].wheels[0].size"]),
        (LOCK.replace('version = "1.0"\n[', 'version = "one"\n['), ["packages[0].version"]),
        (
            LOCK.replace('hashes = {sha256 = "', 'hashes = {} # "', 1),
            ["packages[0].wheels[0].hashes"],
        ),
        (LOCK.replace("[[packages]]", "[packages]", 1), []),
        ("packages = 1\nlock-version = '1.0'\ncreated-by = 'x'", ["packages"]),
        ("packages = [1]\nlock-version = '1.0'\ncreated-by = 'x'", ["packages[0]"]),
        (b"\xff", ["UTF-8"]),
        ("[", ["TOML"]),
    ],
)
def test_a_lock_that_breaks_the_rules_is_refused_with_the_key(
    content: str | bytes, parts: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"pylock.toml": content})
    with pytest.raises(InputError) as caught:
        read_pylock(tmp_path / "pylock.toml")
    text = f"{caught.value} {caught.value.hint}"
    assert "pylock.toml" in text
    for part in parts:
        assert part in text


def test_a_missing_lock_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_pylock(tmp_path / "pylock.toml")


@pytest.mark.parametrize("version", ["1.1", "1.2.3"])
def test_a_newer_minor_version_is_read_and_not_logged(
    version: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The command says it; a line of packaging's own would be outside of what it prints."""
    write(tmp_path, {"pylock.toml": LOCK.replace('"1.0"', f'"{version}"', 1)})
    lock = read_pylock(tmp_path / "pylock.toml")
    assert str(lock.lock_version) == version
    assert len(lock.packages) == 3
    assert not caplog.records


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    write(tmp_path, {"pylock.toml": b"\xef\xbb\xbf" + LOCK.encode()})
    assert len(read_pylock(tmp_path / "pylock.toml").packages) == 3
