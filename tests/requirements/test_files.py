from __future__ import annotations

from pathlib import Path

import pytest

from crossdeps.errors import InputError
from crossdeps.requirements.files import read_bytes
from tests.support.closed import close_folder


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\0\r\n")
    assert read_bytes(path, "a") == b"\0\r\n"


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(InputError, match="larger than 64 MiB"):
        read_bytes(path, "huge")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), "cannot be read: permission denied"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (ValueError("embedded null byte"), "cannot be read: embedded null byte"),
    ],
)
def test_what_the_system_refuses_is_said_in_words(
    error: Exception, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError) as caught:
        read_bytes(tmp_path / "name", "name")
    assert caught.value.message == f"name {message}"


def test_a_file_in_a_closed_folder_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking whether it is a directory, which Windows wants, is refused as well."""
    monkeypatch.setattr(Path, "open", _refuse)
    close_folder(tmp_path, monkeypatch)
    with pytest.raises(InputError, match=r"^name cannot be read: permission denied$"):
        read_bytes(tmp_path / "name", "name")


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")
