"""What is known of one wheel: the same from its bytes and from the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from crossdeps.wheels.facts import (
    decode_facts,
    encode_facts,
    parent_directories,
    plan_installation,
)
from crossdeps.wheels.model import WheelFacts
from crossdeps.wheels.record import parse_installed_record
from crossdeps.wheels.store import Store
from crossdeps.wheels.store_directory import FACTS_SUFFIX, StoreDirectory
from tests.support.growth import LINEAR, growth
from tests.support.large_wheels import large_wheel
from tests.support.wheel_factory import make_elf, make_wheel
from tests.support.wheel_reading import read_wheel

if TYPE_CHECKING:
    from crossdeps.wheels.model import Wheel

HERE = Path(__file__).parents[2]
INFO = "a_b-1.0.dist-info"
MADE = make_wheel(
    "a_b",
    "1.0",
    requires=["c[x]>=1; python_version < '4' and extra == 'y'", "not valid ~~"],
    requires_python=">=3.8",
    metadata_extra=["Provides-Extra: y"],
    files={
        "a_b/__init__.py": "x",
        "a_b/native.so": make_elf(),
        "a_b/__pycache__/m.cpython-312.pyc": "1",
        "lost.pyc": "2",
        f"{INFO}/INSTALLER": "other",
        f"{INFO}/RECORD.jws": "3",
        "a_b-1.0.data/purelib/moved/x.py": "y",
        "a_b-1.0.data/data/share/doc": "z",
        "a_b-1.0.data/data/b-2.DIST-INFO/evil": "z",
        "a_b-1.0.data/headers/h.h": "h",
        "a_b-1.0.data/scripts/run": "#!python\n",
    },
    executable=["a_b/native.so"],
    entry_points={"console_scripts": {"tool": "a_b:main"}},
    tag="py2.py3-none-any",
)


def facts_of(wheel: Wheel) -> WheelFacts:
    """What is known of a wheel, without its name and place."""
    return WheelFacts(**{name: getattr(wheel, name) for name in WheelFacts.__struct_fields__})


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    return read_wheel(MADE.write_to(tmp_path))


def test_decoded_facts_are_those_that_were_read(wheel: Wheel) -> None:
    facts = facts_of(wheel)
    decoded = decode_facts(encode_facts(facts), sha256=MADE.sha256, size=MADE.size)
    assert decoded == facts
    assert [member.path for member in facts.members if member.binary] == ["a_b/native.so"]


def test_every_place_is_worked_out(wheel: Wheel) -> None:
    members = [member.path for member in wheel.members]
    moved = {members[item.index]: (item.path, item.excluded) for item in wheel.installation.moved}
    assert moved == {
        "a_b/__pycache__/m.cpython-312.pyc": ("a_b/__pycache__/m.cpython-312.pyc", "bytecode"),
        "lost.pyc": ("lost.pyc", "bytecode"),
        f"{INFO}/INSTALLER": (f"{INFO}/INSTALLER", "rewritten"),
        f"{INFO}/RECORD": (f"{INFO}/RECORD", "rewritten"),
        f"{INFO}/RECORD.jws": (f"{INFO}/RECORD.jws", "signature"),
        "a_b-1.0.data/purelib/moved/x.py": ("moved/x.py", None),
        "a_b-1.0.data/data/share/doc": ("share/doc", None),
        "a_b-1.0.data/data/b-2.DIST-INFO/evil": ("b-2.DIST-INFO/evil", None),
        "a_b-1.0.data/headers/h.h": ("h.h", "headers"),
        "a_b-1.0.data/scripts/run": ("bin/run", "scripts"),
    }
    assert wheel.installation.foreign_metadata == ("b-2.DIST-INFO/evil",)
    assert set(wheel.installation.directories) == {"a_b", INFO, "moved", "share", "b-2.DIST-INFO"}


def test_the_record_lists_what_is_installed(wheel: Wheel) -> None:
    left_out = {item.index for item in wheel.installation.moved if item.excluded}
    moved = {item.index: item.path for item in wheel.installation.moved}
    installed = {
        moved.get(index, member.path): member
        for index, member in enumerate(wheel.members)
        if index not in left_out
    }
    rows = {row.path: row for row in parse_installed_record(wheel.installation.record)}
    assert rows.keys() == {*installed, f"{INFO}/INSTALLER", f"{INFO}/RECORD"}
    for path, member in installed.items():
        assert (rows[path].sha256, rows[path].size) == (member.sha256, member.size)
    assert rows[f"{INFO}/RECORD"].digest == ""
    assert wheel.installation.size == sum(member.size for member in installed.values())
    assert wheel.installation.compressed_size == sum(
        member.compressed_size for member in installed.values()
    )


def test_metadata_is_taken_apart(wheel: Wheel) -> None:
    project = wheel.project
    assert (project.name, project.version, wheel.name) == ("a-b", "1.0", "a-b")
    assert (project.requires_python, project.provides_extras) == (">=3.8", ("y",))
    valid, invalid = project.requires
    assert (valid.project, valid.extras, valid.extra) == ("c", ("x",), "y")
    assert not invalid.is_valid
    assert wheel.expanded_tags == ("py2-none-any", "py3-none-any")
    assert wheel.tags == ("py2-none-any", "py3-none-any")


def test_a_checked_name_is_not_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store:
        path = store.work_file()
        path.write_bytes(MADE.content)
        added = store.add(path, filename=MADE.filename, hashes={"sha256": MADE.sha256})
    monkeypatch.setitem(sys.modules, "crossdeps.wheels.reader", None)
    with Store(tmp_path) as store:
        found = store.find(MADE.sha256, MADE.filename)
        assert found is not None
        assert (found.filename, found.tags) == (added.filename, added.tags)
        with pytest.raises(ImportError):  # another one is
            store.find(MADE.sha256, "A_b-1.0-py2.py3-none-any.whl")


FOREIGN = {
    "hash of another wheel": lambda facts: msgspec.structs.replace(facts, sha256="0" * 64),
    "another size": lambda facts: msgspec.structs.replace(facts, size=facts.size + 1),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_facts_of_other_bytes_are_not_believed(change: object, wheel: Wheel) -> None:
    """Even if they are undamaged."""
    assert callable(change)
    data = encode_facts(change(facts_of(wheel)))
    assert decode_facts(data, sha256=MADE.sha256, size=MADE.size) is None


def test_every_flipped_byte_is_noticed(wheel: Wheel) -> None:
    data = encode_facts(facts_of(wheel))
    for place in range(0, len(data), 13):
        damaged = data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
        assert decode_facts(damaged, sha256=MADE.sha256, size=MADE.size) is None


_KILLED = """
import os, sys
from pathlib import Path
from crossdeps.wheels.store import Store

def write_half(path, data):
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    os._exit(9)

root, wheel, sha256 = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
with Store(root) as store:
    file = store.work_file()
    file.write_bytes(wheel.read_bytes())
    Path.write_bytes = write_half
    store.add(file, filename=wheel.name, hashes={"sha256": sha256})
"""


@pytest.mark.subprocess
def test_a_process_that_is_killed_leaves_no_half_facts(tmp_path: Path) -> None:
    path = MADE.write_to(tmp_path)
    root = tmp_path / "cache"
    command = [sys.executable, "-c", _KILLED, str(root), str(path), MADE.sha256]
    assert subprocess.run(command, cwd=HERE, check=False).returncode == 9
    stored = StoreDirectory(root / "wheels").path(MADE.sha256)
    assert stored.exists()
    assert not stored.with_suffix(FACTS_SUFFIX).exists()
    with Store(root) as store:
        found = store.find(MADE.sha256, MADE.filename)
        assert found is not None
        assert facts_of(found).members == read_wheel(path).members
    assert stored.with_suffix(FACTS_SUFFIX).exists()


def test_several_wheels_are_found_in_order(tmp_path: Path) -> None:
    made = [make_wheel(f"p{number}", "1.0") for number in range(9)]
    with Store(tmp_path) as store:
        for each in made[:-1]:
            path = store.work_file()
            path.write_bytes(each.content)
            store.add(path, filename=each.filename, hashes={})
        found = store.find_all([(each.sha256, each.filename) for each in made])
        assert [wheel and wheel.filename for wheel in found] == [
            *(each.filename for each in made[:-1]), None
        ]  # fmt: skip
        assert store.find_all([]) == []
        with pytest.raises(ValueError):
            store.find_all([(made[0].sha256, made[0].filename), ("no hash", "x.whl")])


def test_directories_are_found_once() -> None:
    assert parent_directories(["a/b/c.py", "a/d.py", "e.py"]) == ("a/b", "a")


def test_the_work_on_facts_grows_with_the_files() -> None:
    def make(size: int) -> tuple[bytes, WheelFacts]:
        facts = facts_of(large_wheel("a", size))
        return encode_facts(facts), facts

    def work(pair: tuple[bytes, WheelFacts]) -> None:
        assert decode_facts(pair[0], sha256=pair[1].sha256, size=pair[1].size) is not None

    assert growth(work, make, 20_000) <= LINEAR


def test_working_out_the_installation_grows_with_the_files() -> None:
    def work(wheel: Wheel) -> None:
        assert plan_installation(wheel.dist_info, wheel.members).size == len(wheel.members)

    assert growth(work, lambda size: large_wheel("a", size), 20_000) <= LINEAR


@pytest.mark.subprocess
def test_finding_and_planning_load_no_parsers() -> None:
    """A stored wheel is found, and an artifact planned, from what is known already."""
    code = (
        "import sys, crossdeps.bundle.plan, crossdeps.wheels.download, crossdeps.wheels.store;"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    heavy = {"email", "packaging", "pathspec", "shutil", "ssl", "tempfile", "zipfile"}
    assert loaded & {*heavy, "crossdeps.wheels.reader", "crossdeps.bundle.slimming"} == set()
