"""What code uses: found once for each wheel, and found again where what was kept is damaged."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.code_uses import test_directories as directories_of
from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import Layout, WheelContent
from crossdeps.bundle.plan import plan_bundle
from crossdeps.derived import DerivedCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.bundle.model import Bundle, Content
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel
    from tests.bundle.conftest import WheelMaker

FILES = {
    "a/__init__.py": "import b.tests.used\nattach_stub('x')\n",
    "a/__init__.pyi": "",
    "a/other.pyi": "",
    "a/build.py": "compile('a/kept.c')",
    "a/kept.c": "",
    "a/lost.c": "",
    "a/test/t.py": "",
    "a-1.0.data/scripts/run.py": "#!python\nimport b.tests.by_script\n",
    "a-1.0.data/purelib/moved.py": "from b.tests import by_moved\n",
}
TESTS = {
    "b/__init__.py": "",
    "b/tests/__init__.py": "",
    "b/tests/used.py": "from . import helper\n",
    "b/tests/helper.py": "",
    "b/tests/by_script.py": "",
    "b/tests/by_moved.py": "",
    "b/tests/lost.py": "import b.tests.never",
    "b/tests/never.py": "",
}
REMOVED = {"a/other.pyi", "a/lost.c", "a/test/t.py", "b/tests/lost.py", "b/tests/never.py"}
KINDS = ("code-uses-1", "file-uses-3")
LAYOUT = Layout(slim=True, scripts=True)


@pytest.fixture
def wheels(wheel: WheelMaker) -> list[Wheel]:
    return [wheel("a", files=FILES), wheel("b", files=TESTS)]


def removed(bundle: Bundle) -> set[str]:
    kept = {entry.path for entry in bundle.entries}
    return {path for path in {**FILES, **TESTS} if ".data/" not in path} - kept


def entries(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_uses_are_found_across_wheels(wheels: list[Wheel], target: Target) -> None:
    assert removed(plan_bundle(wheels, target, LAYOUT)) == REMOVED


def test_the_code_of_a_wheel_is_read_once(
    wheels: list[Wheel], target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later, only modules in test directories that are used; and scripts, to make them portable."""
    cache = DerivedCache(tmp_path)
    first = plan_bundle(wheels, target, LAYOUT, cache=cache)
    read: list[str] = []
    real = ContentReader.read

    def note(reader: ContentReader, content: Content) -> bytes:
        if isinstance(content, WheelContent):
            read.append(content.member.path)
        return real(reader, content)

    monkeypatch.setattr(ContentReader, "read", note)
    assert plan_bundle(wheels, target, LAYOUT, cache=cache) == first
    assert set(read) == {
        "a-1.0.data/scripts/run.py",
        *(f"b/tests/{name}.py" for name in ("__init__", "used", "helper", "by_script", "by_moved")),
    }
    assert removed(first) == REMOVED


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "cut": lambda data: data[:-2],
    "emptied": lambda _: b"",
    "other format": lambda data: data.replace(b"derived", b"DERIVED", 1),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_changes_nothing(
    damage: Callable[[bytes], bytes], wheels: list[Wheel], target: Target, tmp_path: Path
) -> None:
    cache = DerivedCache(tmp_path)
    first = plan_bundle(wheels, target, LAYOUT, cache=cache)
    kept = {path: path.read_bytes() for path in entries(tmp_path)}
    assert len(kept) == 4
    for path, data in kept.items():
        path.write_bytes(damage(data))
    assert plan_bundle(wheels, target, LAYOUT, cache=cache) == first
    assert {path: path.read_bytes() for path in entries(tmp_path)} == kept


def test_swapped_values_are_not_believed(
    wheels: list[Wheel], target: Target, tmp_path: Path
) -> None:
    cache = DerivedCache(tmp_path)
    first = plan_bundle(wheels, target, LAYOUT, cache=cache)
    for kind in KINDS:
        one, other = entries(tmp_path / "derived" / kind)
        old = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(old)
    assert plan_bundle(wheels, target, LAYOUT, cache=cache) == first


def test_a_value_in_another_form_is_made_again(
    wheels: list[Wheel], target: Target, tmp_path: Path
) -> None:
    cache = DerivedCache(tmp_path)
    for each, kind in itertools.product(wheels, KINDS):
        cache.write(kind, each.sha256, b"\xc1")
    assert removed(plan_bundle(wheels, target, LAYOUT, cache=cache)) == REMOVED


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/a.py", ["tests"]),
        ("a/test/tests/b.py", ["a/test/tests", "a/test"]),
        ("a/SelfTest/b/c.py", ["a/SelfTest"]),
        ("a/mytests/b.py", []),
        ("a/tests.py", []),
        ("test", []),
    ],
)
def test_test_directories_are_found(path: str, expected: list[str]) -> None:
    assert directories_of(path) == expected
