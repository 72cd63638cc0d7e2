"""Downloads beside a search: begun at a pin, dropped with it, waited for when chosen."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import HashMismatchError, IndexUnreachableError
from crossdeps.index.model import ProjectFile
from crossdeps.progress import Progress
from crossdeps.resolution.model import Candidate, Pin
from crossdeps.wheels.download import fetch_wheels
from crossdeps.wheels.download_queue import PARALLEL, DownloadQueue
from crossdeps.wheels.store import Store
from tests.support.wheel_factory import WheelFile, make_wheel
from tests.wheels.sources import ROOT, MemorySource, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 20.0


class GatedSource(MemorySource):
    """A source each of whose files waits until it is released, in the middle of its bytes."""

    def __init__(self, *files: WheelFile) -> None:
        super().__init__(*files)
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.unfinished: list[str] = []

    def download(
        self,
        url: str,
        destination: Path,
        *,
        size: int | None,
        hashes: dict[str, str],
        progress: Progress | None = None,
    ) -> str:
        """Report one byte, wait, and then be the file."""
        assert progress is not None
        destination.write_bytes(b"P")
        progress.fetched(url.removeprefix(ROOT), 1)
        self.begun.release()
        try:
            assert self.gate.wait(SECONDS)
            try:
                progress.fetched(url.removeprefix(ROOT), 1)
            except BaseException:
                self.unfinished.append(url.removeprefix(ROOT))
                raise
            return super().download(url, destination, size=size, hashes=hashes)
        finally:
            self.ended.release()


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str | int, int]] = []

    def fetching(self, wheels: int, size: int) -> None:
        self.events.append((wheels, size))

    def fetched(self, filename: str, size: int) -> None:
        self.events.append((filename, size))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def open_queue(store: Store) -> Iterator[Callable[..., DownloadQueue]]:
    queues: list[DownloadQueue] = []

    def start(source: MemorySource, **options: object) -> DownloadQueue:
        options.setdefault("progress", Progress())
        queues.append(DownloadQueue(store, lambda: source, **options))  # type: ignore[arg-type]
        return queues[-1]

    yield start
    for each in queues:
        each.close()


def listed(made: WheelFile, **changes: object) -> ProjectFile:
    known = {"url": ROOT + made.filename, "hashes": {"sha256": made.sha256}, "size": made.size}
    return ProjectFile(filename=made.filename, **(known | changes))  # type: ignore[arg-type]


def pin(made: WheelFile, **changes: object) -> Pin:
    name, version = canonicalize_name(made.name), Version(made.version)
    candidate = Candidate(
        name=name,
        version=version,
        file=listed(made, **changes),
        tag=Tag("py3", "none", "any"),
        tag_rank=0,
    )
    return Pin(name=name, version=version, extras=frozenset(), candidate=candidate)


def await_threads() -> None:
    """Wait until no thread of a queue is left."""
    limit = time.monotonic() + SECONDS
    while any(each.name == "crossdeps-fetch" for each in threading.enumerate()):
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_a_pin_is_downloaded_once(store: Store, open_queue: Callable[..., DownloadQueue]) -> None:
    made = make_wheel("foo", "1.0")
    source = MemorySource(made)
    queue = open_queue(source)
    queue.pinned(pin(made))
    await_threads()
    assert source.asked == [made.filename]
    assert store.has(made.sha256)
    (wheel,) = fetch_wheels(
        [selected(made)],
        store,
        lambda: pytest.fail("the source is open"),
        lambda: pytest.fail("nothing is built"),
        progress=Progress(),
        downloads=queue,
    )
    assert wheel.sha256 == made.sha256
    assert source.asked == [made.filename]


def test_few_beside_the_search_and_more_after_it(open_queue: Callable[..., DownloadQueue]) -> None:
    made = [make_wheel(f"p{number}", "1") for number in range(20)]
    source = GatedSource(*made)
    queue = open_queue(source)
    for each in made:
        queue.pinned(pin(each))
    for _ in range(2):
        assert source.begun.acquire(timeout=SECONDS)
    assert not source.begun.acquire(timeout=0.05)
    queue.request([listed(each) for each in made])
    for _ in range(PARALLEL - 2):
        assert source.begun.acquire(timeout=SECONDS)
    assert not source.begun.acquire(timeout=0.05)
    source.gate.set()
    assert [wheel.filename for wheel in queue.results()] == [each.filename for each in made]


def test_a_pin_that_is_replaced_before_its_turn_is_not_begun(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    first = [make_wheel(f"p{number}", "1") for number in range(2)]
    old, new = make_wheel("late", "2.0"), make_wheel("late", "1.0")
    source = GatedSource(*first, old, new)
    queue = open_queue(source)
    for each in (*first, old, new):
        queue.pinned(pin(each))
    source.gate.set()
    await_threads()
    assert sorted(source.asked) == sorted(each.filename for each in (*first, new))


@pytest.mark.parametrize("how", ["replaced", "not kept", "not requested", "closed"])
def test_what_is_dropped_under_way_ends_and_leaves_nothing(
    how: str, store: Store, tmp_path: Path, open_queue: Callable[..., DownloadQueue]
) -> None:
    old, new = make_wheel("foo", "2.0"), make_wheel("foo", "1.0")
    source = GatedSource(old, new)
    queue = open_queue(source)
    queue.pinned(pin(old))
    assert source.begun.acquire(timeout=SECONDS)
    if how == "replaced":
        queue.pinned(pin(new))
    elif how == "not kept":
        queue.kept([])
    elif how == "not requested":
        queue.request([listed(new)])
    else:
        queue.close()
    source.gate.set()
    await_threads()
    assert source.unfinished == [old.filename]
    assert not store.has(old.sha256)
    kept = {new.sha256} if how in ("replaced", "not requested") else set()
    assert {path.stem for path in (tmp_path / "wheels/sha256").rglob("*.whl")} == kept
    assert not list((tmp_path / "wheels/tmp").rglob("*.tmp"))


def test_what_is_kept_goes_on(open_queue: Callable[..., DownloadQueue]) -> None:
    kept, lost = make_wheel("kept", "1"), make_wheel("lost", "1")
    source = GatedSource(kept, lost)
    queue = open_queue(source)
    pins = [pin(kept), pin(lost)]
    for each in pins:
        queue.pinned(each)
    for _ in pins:
        assert source.begun.acquire(timeout=SECONDS)
    queue.kept(pins[:1])
    source.gate.set()
    await_threads()
    assert source.unfinished == [lost.filename]
    assert source.asked == [kept.filename]


def test_a_pin_that_comes_back_is_downloaded_after_all(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    made = make_wheel("foo", "1.0")
    source = GatedSource(made)
    queue = open_queue(source)
    queue.pinned(pin(made))
    assert source.begun.acquire(timeout=SECONDS)
    queue.kept([])
    queue.pinned(pin(made))
    source.gate.set()
    queue.request([listed(made)])
    (wheel,) = queue.results()
    assert wheel.sha256 == made.sha256


def test_an_early_failure_counts_only_if_the_file_is_chosen(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    good, missing = make_wheel("good", "1"), make_wheel("missing", "1")
    source = MemorySource(good)
    for chosen in ([good], [good, missing]):
        queue = open_queue(source)
        queue.pinned(pin(missing))
        await_threads()
        queue.request([listed(each) for each in chosen])
        if missing in chosen:
            with pytest.raises(IndexUnreachableError, match="no answer"):
                queue.results()
        else:
            assert [wheel.filename for wheel in queue.results()] == [good.filename]


def test_a_wrong_hash_is_found_early_and_told_late(
    store: Store, open_queue: Callable[..., DownloadQueue]
) -> None:
    made = make_wheel("foo", "1")
    wrong = {"sha256": made.sha256, "sha512": "0" * 128}
    queue = open_queue(MemorySource(made))
    queue.pinned(pin(made, hashes=wrong))
    await_threads()
    assert not store.has(made.sha256)
    queue.request([listed(made, hashes=wrong)])
    with pytest.raises(HashMismatchError):
        queue.results()


@pytest.mark.parametrize(
    "changes",
    [
        {"hashes": {}},
        {"hashes": {"md5": "0" * 32}},
        {"url": "file:///wheels/foo-1-py3-none-any.whl"},
    ],
    ids=["no hash", "weak hash", "local"],
)
def test_what_is_not_begun_before_it_is_chosen(
    changes: dict[str, object], open_queue: Callable[..., DownloadQueue]
) -> None:
    source = MemorySource()
    open_queue(source).pinned(pin(make_wheel("foo", "1"), **changes))
    await_threads()
    assert source.asked == []


def test_what_the_store_has_is_not_downloaded(
    store: Store, open_queue: Callable[..., DownloadQueue]
) -> None:
    made, told = make_wheel("foo", "1"), Told()
    path = store.work_file()
    path.write_bytes(made.content)
    store.add(path, filename=made.filename, hashes={})
    source = MemorySource()
    queue = open_queue(source, progress=told)
    queue.pinned(pin(made))
    (wheel,) = fetch_wheels(
        [selected(made)],
        store,
        lambda: source,
        lambda: pytest.fail("nothing is built"),
        progress=told,
        downloads=queue,
    )
    assert wheel.sha256 == made.sha256
    assert (source.asked, told.events) == ([], [])


def test_skipped_projects_wait_until_they_are_requested(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    made = make_wheel("boto3", "1")
    source = MemorySource(made)
    queue = open_queue(source, skipped={"boto3"})
    queue.pinned(pin(made))
    await_threads()
    assert source.asked == []
    queue.request([listed(made)])
    assert [wheel.filename for wheel in queue.results()] == [made.filename]


def test_nothing_more_is_begun_beyond_the_budget(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    small, large, other = (make_wheel(name, "1") for name in ("small", "large", "other"))
    source = MemorySource(small, large, other)
    queue = open_queue(source, budget=1_000_000)
    queue.pinned(pin(small))
    queue.pinned(pin(large, size=12_000_000))
    queue.pinned(pin(other))
    await_threads()
    assert source.asked == [small.filename]


def test_progress_is_told_when_the_choice_is_known(
    open_queue: Callable[..., DownloadQueue],
) -> None:
    chosen, given_up = make_wheel("chosen", "1"), make_wheel("up", "1")
    told = Told()
    queue = open_queue(MemorySource(chosen, given_up), progress=told)
    for each in (chosen, given_up):
        queue.pinned(pin(each))
    await_threads()
    assert told.events == []
    queue.request([listed(chosen)])
    queue.results()
    assert told.events == [(1, chosen.size), (chosen.filename, chosen.size)]
