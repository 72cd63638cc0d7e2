"""Fetching: parallel, verified, in a stable order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from packaging.version import Version

from crossdeps.errors import HashMismatchError, IndexUnreachableError, WheelError
from crossdeps.progress import Progress
from crossdeps.requirements.model import DirectSource
from crossdeps.resolution.model import BuiltWheel, SelectedPackage
from crossdeps.wheels.dist_info import check_metadata_agrees
from crossdeps.wheels.download import fetch_wheels
from crossdeps.wheels.store import Store
from tests.support.wheel_factory import WheelFile, make_wheel
from tests.support.wheel_reading import read_wheel
from tests.wheels.sources import MemorySource, selected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.requirements.model import Requirement


class Heard(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def fetching(self, wheels: int, size: int) -> None:
        self.told.append((wheels, size))


class FakeBuilder:
    """Gives *made* for everything."""

    def __init__(self, store: Store, made: WheelFile | None = None) -> None:
        self.store = store
        self.made = made
        self.asked: list[str] = []

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        self.asked.append(requirement.text)
        return self._give()

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        self.asked.append(f"{name} {file.filename}")
        return self._give()

    read_source, read_sdist = from_source, from_sdist

    def _give(self) -> BuiltWheel:
        assert self.made is not None
        path = self.store.work_file()
        path.write_bytes(self.made.content)
        wheel = self.store.add(path, filename=self.made.filename, hashes={})
        return BuiltWheel(
            name=wheel.name,
            version=wheel.version,
            filename=wheel.filename,
            metadata=wheel.metadata,
            sha256=wheel.sha256,
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def numbered(count: int) -> list[WheelFile]:
    """Wheels of growing size."""
    return [
        make_wheel(f"p{number}", "1", files={f"p{number}.py": bytes(range(256)) * number})
        for number in range(count)
    ]


def test_order_is_that_of_the_selection_and_big_ones_start_first(store: Store) -> None:
    made = numbered(12)
    source, heard = MemorySource(*made, delay=0.02), Heard()
    wheels = fetch_wheels(
        [selected(each) for each in made],
        store,
        lambda: source,
        lambda: FakeBuilder(store),
        progress=heard,
    )
    assert [wheel.filename for wheel in wheels] == [each.filename for each in made]
    biggest = sorted(made, key=lambda each: (-each.size, each.filename))
    ranks = {each.filename: rank for rank, each in enumerate(biggest)}
    # Eight threads take them in this order, and ask in any.
    assert all(ranks[name] <= position + 7 for position, name in enumerate(source.asked))
    assert 2 <= source.most_at_once <= 8
    assert heard.told == [(12, sum(each.size for each in made))]


def test_second_time_nothing_is_fetched(store: Store) -> None:
    made = numbered(3)
    items = [selected(each) for each in made]
    source, heard = MemorySource(*made), Heard()
    first = fetch_wheels(items, store, lambda: source, lambda: FakeBuilder(store), progress=heard)
    second = fetch_wheels(items, store, MemorySource, lambda: FakeBuilder(store), progress=heard)
    assert [wheel.sha256 for wheel in first] == [wheel.sha256 for wheel in second]
    assert len(heard.told) == 1


def test_nothing_selected_gives_nothing(store: Store) -> None:
    assert (
        fetch_wheels([], store, MemorySource, lambda: FakeBuilder(store), progress=Progress()) == ()
    )


def test_one_failure_ends_it(store: Store) -> None:
    made = numbered(20)
    source = MemorySource(*made[:-1], delay=0.05)
    with pytest.raises(IndexUnreachableError):
        fetch_wheels(
            [selected(each) for each in made],
            store,
            lambda: source,
            lambda: FakeBuilder(store),
            progress=Progress(),
        )
    assert len(source.asked) < 20


def test_wrong_hash_is_an_error(store: Store) -> None:
    made = make_wheel("foo", "1.0")
    with pytest.raises(HashMismatchError):
        fetch_wheels(
            [selected(made, hashes={"sha512": "0" * 128})],
            store,
            lambda: MemorySource(made),
            lambda: FakeBuilder(store),
            progress=Progress(),
        )


def test_wrong_size_is_a_warning(store: Store) -> None:
    """An index's size is advice; the hash decides (B32)."""
    made = make_wheel("foo", "1.0")
    (wheel,) = fetch_wheels(
        [selected(made, size=5)],
        store,
        lambda: MemorySource(made),
        lambda: FakeBuilder(store),
        progress=Progress(),
    )
    assert wheel.warnings == (f"its size is {made.size} bytes, and 5 on the index",)


def test_wheel_of_another_version_is_an_error(store: Store) -> None:
    made = make_wheel("foo", "1.0")
    with pytest.raises(WheelError) as caught:
        fetch_wheels(
            [structs.replace(selected(made), version=Version("2.0"))],
            store,
            lambda: MemorySource(made),
            lambda: FakeBuilder(store),
            progress=Progress(),
        )
    assert caught.value.rule == "metadata-version"


def test_sources_go_to_the_builder(store: Store) -> None:
    made = make_wheel("foo", "1.0")
    builder = FakeBuilder(store, made)
    item = selected(made)
    direct = SelectedPackage(
        name=item.name,
        version=None,
        source=DirectSource(kind="directory", location="/src/foo"),
    )
    (wheel,) = fetch_wheels([direct], store, MemorySource, lambda: builder, progress=Progress())
    assert builder.asked == ["foo @ /src/foo"]
    assert wheel.sha256 == made.sha256


HEAD = "Metadata-Version: 2.1\nName: Foo\nVersion: 1.0\n"
AGREES = {
    "the same": "Requires-Python: >=3.8\nRequires-Dist: bar >=1\nRequires-Dist: baz\n\nText\n",
    "order": "Requires-Dist: baz\nRequires-Dist: bar >=1\nRequires-Python: >=3.8\n\nText\n",
    "description": "Requires-Python: >= 3.8\nRequires-Dist: bar >=1\nRequires-Dist: baz\n\nOther\n",
}
DIFFERS = {
    "hidden dependency": "Requires-Python: >=3.8\nRequires-Dist: bar >=1\n\n",
    "other Python": "Requires-Python: >=3.9\nRequires-Dist: bar >=1\nRequires-Dist: baz\n\n",
}


def with_metadata(tmp_path: Path) -> WheelFile:
    """A wheel of Foo whose METADATA is known."""
    del tmp_path
    return make_wheel("foo", "1.0", metadata=HEAD + AGREES["the same"])


@pytest.mark.parametrize("text", AGREES.values(), ids=AGREES)
def test_metadata_agrees(text: str, tmp_path: Path) -> None:
    """Line ends, order and description may differ; nothing that resolving depends on."""
    wheel = read_wheel(with_metadata(tmp_path).write_to(tmp_path))
    check_metadata_agrees(wheel, (HEAD + text).encode())
    check_metadata_agrees(wheel, (HEAD + text).replace("\n", "\r\n").encode())


@pytest.mark.parametrize(
    "text",
    [*(HEAD + text for text in DIFFERS.values()), HEAD.replace("Foo", "Bar") + AGREES["the same"]],
    ids=[*DIFFERS, "other name"],
)
def test_metadata_that_differs_is_refused(text: str, tmp_path: Path) -> None:
    """Dependencies that the index didn't show are refused, not installed unseen (C38)."""
    wheel = read_wheel(with_metadata(tmp_path).write_to(tmp_path))
    with pytest.raises(WheelError) as caught:
        check_metadata_agrees(wheel, text.encode())
    assert caught.value.rule == "metadata-mismatch"
    assert caught.value.context[0] == wheel.filename
