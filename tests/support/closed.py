"""Folders that may not be entered, also where the tests run as root."""

from __future__ import annotations

import io
import os
import pathlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_CALLS = ("stat", "lstat", "open", "scandir", "mkdir", "link")


def close_folder(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let every call to the system on what is in *folder* fail with EACCES."""

    def refusing(call: Any) -> Any:  # noqa: ANN401 - any call's
        def wrapper(path: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any call's
            if isinstance(path, (str, os.PathLike)) and folder in Path(path).parents:
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return call(path, *args, **options)

        return wrapper

    for name in _CALLS:
        patch.setattr(os, name, refusing(getattr(os, name)))
    patch.setattr(io, "open", refusing(io.open))
    accessor = getattr(pathlib, "_NormalAccessor", None)  # of Python 3.10, which keeps the calls
    for name in _CALLS:
        if hasattr(accessor, name):
            patch.setattr(accessor, name, staticmethod(refusing(getattr(accessor, name))))
