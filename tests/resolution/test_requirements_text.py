"""A lock as requirements with hashes, as pip's hash-checking mode reads them."""

from __future__ import annotations

import dataclasses

import pytest
from packaging.pylock import PackageDirectory, Pylock

from crossdeps.errors import IntegrityError, ResolutionError
from crossdeps.requirements.pylock import LOCK_HEADER
from crossdeps.resolution.lock.writer import to_pylock, to_requirements
from tests.resolution.memory import Case, sha

CASE = Case(
    id="",
    index={"b": {"1.0": ['a; platform_machine == "aarch64"']}, "a": {"2": []}},
    ask=("b",),
)


def lock(*targets: str) -> Pylock:
    return to_pylock([dataclasses.replace(CASE, target=target).resolve() for target in targets])


def test_every_line_is_pinned_and_hashed() -> None:
    """In the form that pip checks (I113)."""
    text = to_requirements(lock("3.12", "3.12-arm64"))
    assert text.startswith(LOCK_HEADER)
    a, b = "a-2-py3-none-any.whl", "b-1.0-py3-none-any.whl"
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'a==2 ; platform_machine == "aarch64" \\',
        f"    --hash=sha256:{sha(a)}",
        "b==1.0 \\",
        f"    --hash=sha256:{sha(b)}",
    ]


def test_a_wheel_named_by_its_address() -> None:
    url = "https://example.org/c-5-py3-none-any.whl"
    case = Case(id="", ask=(f"c @ {url}",), builds={url: ("c-5-py3-none-any.whl", "", ())})
    text = to_requirements(to_pylock(case.resolve()))
    assert f"c @ {url} \\\n    --hash=sha256:{sha('c-5-py3-none-any.whl')}\n" in text


def test_what_has_no_hash_is_refused() -> None:
    case = dataclasses.replace(CASE, hashes=False)
    with pytest.raises(IntegrityError, match="b"):
        to_requirements(to_pylock(case.resolve()))


def test_a_directory_is_refused() -> None:
    (package,) = lock("3.12").packages
    directory = {"wheels": None, "directory": PackageDirectory(path="here")}
    changed = dataclasses.asdict(package) | directory
    made = type(package)(**changed)
    with pytest.raises(ResolutionError) as caught:
        to_requirements(dataclasses.replace(lock("3.12"), packages=[made]))
    assert "directory" in caught.value.message
