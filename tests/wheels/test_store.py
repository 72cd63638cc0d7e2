"""The store: what goes in comes out whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossdeps.errors import CrossdepsError, HashMismatchError, WheelError
from crossdeps.wheels.pruning import clear_store, prune_store, store_info
from crossdeps.wheels.store import Store
from crossdeps.wheels.store_directory import FACTS_SUFFIX, StoreDirectory
from tests.support.closed import close_folder
from tests.support.wheel_factory import WheelFile, make_elf, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.wheels.model import Wheel

HERE = Path(__file__).parents[2]
MADE = make_wheel(
    "foo",
    "1.0",
    tag="cp39-cp39-manylinux2014_x86_64",
    files={"foo/__init__.py": "", "foo/a.so": make_elf()},
    entry_points={"console_scripts": {"foo": "foo:main"}},
)


def add(store: Store, made: WheelFile = MADE) -> Wheel:
    """Write a wheel where downloads go, and add it."""
    path = store.work_file()
    path.write_bytes(made.content)
    return store.add(path, filename=made.filename, hashes={"sha256": made.sha256})


def stored(root: Path) -> Path:
    """The only wheel file of a store."""
    (path,) = (root / "wheels" / "sha256").glob("??/*.whl")
    return path


def facts(wheel: Wheel | None) -> object:
    """All that is known of a wheel, but where it lies."""
    assert wheel is not None
    return [getattr(wheel, name) for name in wheel.__struct_fields__ if name != "file"]


def test_found_as_added(tmp_path: Path) -> None:
    """Another process gets the facts that the first one found, and the bytes."""
    with Store(tmp_path) as store:
        first = add(store)
    with Store(tmp_path) as store:
        second = store.find(MADE.sha256, MADE.filename)
        assert facts(first) == facts(second)
        assert second is not None
        assert second.file.read_bytes() == MADE.content
        assert [each.path for each in second.members if each.binary] == ["foo/a.so"]
        assert store.warnings == ()


def test_unknown_hash_is_not_found(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert store.find("0" * 64, MADE.filename) is None


@pytest.mark.parametrize("text", ["", "../../etc", "A" * 64, "0" * 63])
def test_what_is_no_hash_is_no_path(text: str, tmp_path: Path) -> None:
    with Store(tmp_path) as store, pytest.raises(ValueError):
        store.find(text, MADE.filename)


def test_files_are_private_and_immutable(tmp_path: Path) -> None:
    """Folders 0700, wheels 0444, and no scratch left behind."""
    root = tmp_path / "cache"
    with Store(root) as store:
        add(store)
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert stat.S_IMODE(stored(root).stat().st_mode) == 0o444
    assert list((root / "wheels" / "tmp").iterdir()) == []


def test_name_is_no_part_of_the_key(tmp_path: Path) -> None:
    """The same bytes under another right name are found; under a wrong one they are refused."""
    with Store(tmp_path) as store:
        add(store)
        again = store.find(MADE.sha256, "Foo-1.0.0-cp39-cp39-manylinux2014_x86_64.whl")
        assert again is not None
        assert again.filename.startswith("Foo")
        with pytest.raises(WheelError) as caught:
            store.find(MADE.sha256, "bar-1.0-py3-none-any.whl")
        assert caught.value.rule == "metadata-name"


def rewrite(path: Path, data: bytes) -> None:
    """Replace a read-only file's content."""
    path.chmod(0o644)
    path.write_bytes(data)


def put_link(path: Path) -> None:
    """Put a link to a good copy in its place."""
    path.rename("x.whl")
    path.symlink_to(Path("x.whl").resolve())


def put_folder(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "flipped": lambda path: rewrite(path, b"Q" + path.read_bytes()[1:]),
    "cut": lambda path: rewrite(path, path.read_bytes()[:-5]),
    "empty": lambda path: rewrite(path, b""),
    "another valid wheel": lambda path: rewrite(path, make_wheel("foo", "1.0").content),
    "gone": Path.unlink,
    "link": put_link,
    "folder": put_folder,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_wheel_is_not_found_and_can_be_added_again(
    damage: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "cache"
    with Store(root) as store:
        add(store)
    damage(stored(root))
    with Store(root) as store:
        assert store.find(MADE.sha256, MADE.filename) is None
        if damage is not put_folder:
            add(store)
            assert store.find(MADE.sha256, MADE.filename) is not None


FACTS_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "cut": lambda data: data[:-9],
    "empty": lambda _: b"",
    "another version": lambda data: data.replace(b"facts 3", b"facts 2", 1),
    "not msgpack, right checksum": lambda data: (
        data[:24] + hashlib.sha256(b"\xc1").digest() + b"\xc1"
    ),
}


@pytest.mark.parametrize("damage", FACTS_DAMAGE.values(), ids=FACTS_DAMAGE)
def test_damaged_facts_are_repaired(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """The index beside a wheel is made again where it can't be believed."""
    with Store(tmp_path) as store:
        first = add(store)
    path = stored(tmp_path).with_suffix(FACTS_SUFFIX)
    good = path.read_bytes()
    path.write_bytes(damage(good))
    with Store(tmp_path) as store:
        assert facts(store.find(MADE.sha256, MADE.filename)) == facts(first)
    assert path.read_bytes() == good


def test_facts_of_another_wheel_are_not_believed(tmp_path: Path) -> None:
    other = make_wheel("bar", "2.0")
    with Store(tmp_path) as store:
        first = add(store)
        add(store, other)
    directory = StoreDirectory(tmp_path / "wheels")
    theirs = directory.path(other.sha256).with_suffix(FACTS_SUFFIX)
    directory.path(MADE.sha256).with_suffix(FACTS_SUFFIX).write_bytes(theirs.read_bytes())
    with Store(tmp_path) as store:
        assert facts(store.find(MADE.sha256, MADE.filename)) == facts(first)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_wrong_hash_is_refused_and_nothing_kept(algorithm: str, tmp_path: Path) -> None:
    """Any listed hash that is wrong refuses the file, with what was expected and what came."""
    with Store(tmp_path) as store:
        path = store.work_file()
        path.write_bytes(MADE.content)
        hashes = {"sha256": MADE.sha256, algorithm: "0" * 32}
        with pytest.raises(HashMismatchError) as caught:
            store.add(path, filename=MADE.filename, hashes=hashes)
    assert hashlib.new(algorithm, MADE.content).hexdigest() in caught.value.message
    assert "0" * 32 in caught.value.message
    assert caught.value.context == (MADE.filename,)
    assert store_info(tmp_path).wheels == 0


def test_broken_wheel_does_not_enter(tmp_path: Path) -> None:
    broken = make_wheel("foo", "1.0", record=b"")
    with Store(tmp_path) as store, pytest.raises(WheelError) as caught:
        add(store, broken)
    assert caught.value.context[0] == broken.filename
    assert store_info(tmp_path).wheels == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_temporary_store_leaves_nothing() -> None:
    with Store.temporary() as store:
        wheel = add(store)
        assert wheel.file.exists()
        assert store.find(MADE.sha256, MADE.filename) is not None
        assert store.folder is None
    assert not wheel.file.exists()


def fail_with(number: int) -> Callable[..., None]:
    """A function that fails like a system call."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_unwritable_store_is_replaced_with_one_warning(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there is used, what is new goes to a temporary folder."""
    other = make_wheel("bar", "2.0")
    with Store(tmp_path) as store:
        add(store)
    real = StoreDirectory.work_directory
    base = tmp_path / "wheels"

    def work_directory(directory: StoreDirectory) -> Path:
        if directory.base == base:
            fail_with(number)()
        return real(directory)

    monkeypatch.setattr(StoreDirectory, "work_directory", work_directory)
    with Store(tmp_path) as store:
        seeded = store.find(MADE.sha256, MADE.filename)
        assert seeded is not None
        assert seeded.file == stored(tmp_path)
        assert not store.warnings
        add(store, other)
        add(store, make_wheel("baz", "1"))
        assert store.find(other.sha256, other.filename) is not None
        (warning,) = store.warnings
        assert str(tmp_path) in warning


def test_store_at_a_file_is_replaced(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    root.write_text("")
    with Store(root) as store:
        add(store)
        assert len(store.warnings) == 1


def test_full_disk_is_told_and_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store:
        path = store.work_file()
        path.write_bytes(MADE.content)
        monkeypatch.setattr(os, "link", fail_with(errno.ENOSPC))
        monkeypatch.setattr("shutil.copyfile", fail_with(errno.ENOSPC))
        with pytest.raises(CrossdepsError) as caught:
            store.add(path, filename=MADE.filename, hashes={})
        monkeypatch.undo()
        assert "No space left" in caught.value.message
        assert store.find(MADE.sha256, MADE.filename) is None
    assert store_info(tmp_path).wheels == 0


def test_store_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path) as store:
        add(store)
    os.chown(tmp_path, 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(
        os, "geteuid", lambda: 12345
    )
    with Store(tmp_path) as store:
        assert store.find(MADE.sha256, MADE.filename) is None
        assert "another user" in store.warnings[0]
        assert store.folder is None
        add(store)


def test_wheel_stays_readable_while_the_store_is_cleared(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        add(store)
        wheel = store.find(MADE.sha256, MADE.filename)
        assert clear_store(tmp_path) >= MADE.size
        assert wheel is not None
        assert wheel.file.read_bytes() == MADE.content
        assert store_info(tmp_path).wheels == 0
        add(store)
    assert store_info(tmp_path).wheels == 1


def test_info_prune_and_clear(tmp_path: Path) -> None:
    assert store_info(tmp_path).wheels == 0
    with Store(tmp_path) as store:
        add(store)
    info = store_info(tmp_path)
    assert (info.wheels, info.size) == (1, MADE.size)
    assert prune_store(tmp_path) == 0
    orphan = stored(tmp_path).with_name(f"{'0' * 64}{FACTS_SUFFIX}")
    orphan.write_bytes(b"12345")
    left = tmp_path / "wheels" / "tmp" / "run-dead"
    left.mkdir()
    (left / "big").write_bytes(b"123")
    os.utime(left, (0, 0))
    assert prune_store(tmp_path) == 8
    assert not orphan.exists()
    assert prune_store(tmp_path, unused_days=1) == 0
    os.utime(stored(tmp_path), (0, 0))
    os.utime(stored(tmp_path).with_suffix(FACTS_SUFFIX), (0, 0))
    with Store(tmp_path) as store:
        assert store.find(MADE.sha256, MADE.filename) is not None
    assert prune_store(tmp_path, unused_days=1) == 0
    os.utime(stored(tmp_path).with_suffix(FACTS_SUFFIX), (0, 0))
    assert prune_store(tmp_path, unused_days=1) > MADE.size
    assert clear_store(tmp_path) == 0
    assert not (tmp_path / "wheels").exists()


def test_leavings_of_a_dead_process_are_swept(tmp_path: Path) -> None:
    """A folder whose lock nobody holds goes with the next run; that of a living one stays."""
    with Store(tmp_path) as living:
        living.work_file().write_bytes(b"x")
        (alive,) = (tmp_path / "wheels" / "tmp").iterdir()
        dead = alive.with_name("run-dead")
        dead.mkdir()
        (dead / "lock").touch()
        for folder in (alive, dead):
            os.utime(folder, (0, 0))
        with Store(tmp_path) as store:
            store.work_file()
            assert alive.exists()
            assert not dead.exists()


@pytest.mark.parametrize("number", range(14))
def test_any_failing_call_leaves_the_store_usable(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever call on the file system fails, the wheel is there whole or not at all."""
    calls = iter(range(1000))
    for name in ("link", "replace", "chmod", "mkdir", "unlink"):
        monkeypatch.setattr(os, name, failing(getattr(os, name), calls, number))
    with Store(tmp_path) as store, contextlib.suppress(CrossdepsError):
        add(store)
    monkeypatch.undo()
    with Store(tmp_path) as store:
        found = store.find(MADE.sha256, MADE.filename)
        assert found is None or found.file.read_bytes() == MADE.content
        assert facts(add(store)) == facts(store.find(MADE.sha256, MADE.filename))


def failing(real: Callable[..., Any], calls: Iterator[int], number: int) -> Callable[..., Any]:
    """*real*, unless it is the call with this *number*."""

    def call(*args: object, **options: object) -> object:
        if next(calls) == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*args, **options)

    return call


HAMMER = """
import hashlib, sys
from pathlib import Path
from crossdeps.wheels.pruning import clear_store
from crossdeps.wheels.store import Store
from tests.support.wheel_factory import make_wheel

root, seed = Path(sys.argv[1]), int(sys.argv[2])
wheels = [make_wheel("foo", f"{number}.0") for number in range(4)]
for turn in range(8):
    with Store(root) as store:
        for made in wheels:
            wheel = store.find(made.sha256, made.filename)
            if wheel is None:
                path = store.work_file()
                path.write_bytes(made.content)
                wheel = store.add(path, filename=made.filename, hashes={})
            assert hashlib.sha256(wheel.file.read_bytes()).hexdigest() == made.sha256
        assert store.warnings == (), store.warnings
        if (turn + seed) % 3 == 0:
            clear_store(root)
"""


@pytest.mark.subprocess
def test_many_processes_share_one_store(tmp_path: Path) -> None:
    """Adding, finding and clearing at once gives everyone the right bytes, and no error."""
    command = [sys.executable, "-c", HAMMER, str(tmp_path / "cache")]
    running = [
        subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE, text=True, cwd=HERE)
        for seed in range(6)
    ]
    told = [process.communicate(timeout=60)[1] for process in running]
    assert told == [""] * 6
    assert list(tmp_path.rglob("run-*")) == []


@pytest.mark.subprocess
def test_killed_process_leaves_a_usable_store(tmp_path: Path) -> None:
    """After kill -9 in the middle of it, the next run works, and sweeps what was left."""
    command = [sys.executable, "-c", HAMMER, str(tmp_path), "0"]
    for delay in (0.3, 0.4, 0.5, 0.6):
        with subprocess.Popen(command, cwd=HERE, stderr=subprocess.DEVNULL) as process:
            time.sleep(delay)
            process.kill()
    for folder in tmp_path.rglob("run-*"):
        os.utime(folder, (0, 0))
    with Store(tmp_path) as store:
        add(store)
        assert store.find(MADE.sha256, MADE.filename) is not None
    assert list(tmp_path.rglob("run-*")) == []


def test_a_root_in_a_closed_folder_is_worked_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for a wheel there finds none, instead of failing; the warning is said once."""
    close_folder(tmp_path, monkeypatch)
    with Store(tmp_path / "cache") as store:
        assert store.find(MADE.sha256, MADE.filename) is None
        added = add(store)
        assert facts(store.find(MADE.sha256, MADE.filename)) == facts(added)
        assert [warning for warning in store.warnings if "cannot be written" in warning]


@pytest.mark.parametrize("kept", [False, True])
def test_a_closed_store_makes_nothing_new(tmp_path: Path, *, kept: bool) -> None:
    """A download that another's failure left behind would put it where nobody removes it."""
    store = Store(tmp_path / "cache" if kept else None)
    store.close()
    with pytest.raises(CrossdepsError, match="closed"):
        store.work_file()
    assert list(tmp_path.iterdir()) == []


def test_a_closed_store_makes_no_directory(tmp_path: Path) -> None:
    """A download that nobody waits for may end after it was closed."""
    from crossdeps.wheels.store_directory import StoreDirectory

    directory = StoreDirectory(tmp_path / "wheels")
    directory.work_file()
    directory.close()
    with pytest.raises(OSError, match="the store is closed"):
        directory.work_file()
    assert list((tmp_path / "wheels/tmp").iterdir()) == []
