"""Building what users name themselves: pure or refused, killed in time, cached by content."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import HashMismatchError, InputError, SdistBuildError, WheelError
from crossdeps.progress import Progress
from crossdeps.requirements.model import DirectSource, Origin, Requirement
from crossdeps.wheels.pip_build import pip_environment
from crossdeps.wheels.sdists import SourceBuilder
from crossdeps.wheels.store import Store
from tests.support.sdist_factory import SdistFile, make_sdist
from tests.support.wheel_factory import make_wheel
from tests.wheels.sources import ROOT, MemorySource, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crossdeps.requirements.model import SourceKind
    from crossdeps.resolution.model import BuiltWheel


class Heard(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.lines: list[str] = []

    def building(self, project: str) -> None:
        self.built.append(project)

    def build_output(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def heard() -> Heard:
    return Heard()


def builder(
    store: Store, heard: Heard, *files: SdistFile, timeout: float = 100
) -> tuple[SourceBuilder, MemorySource]:
    """A builder without an index, and where it fetches from."""
    source = MemorySource(*files)
    made = SourceBuilder(
        store,
        source,
        environ=os.environ,
        pip_settings={"PIP_NO_INDEX": "1"},
        progress=heard,
        timeout=timeout,
    )
    return made, source


def requirement(
    kind: SourceKind,
    location: str,
    *,
    name: str = "foo",
    hashes: frozenset[str] = frozenset(),
    subdirectory: str | None = None,
) -> Requirement:
    """A requirement that names its source."""
    return Requirement(
        name=canonicalize_name(name),
        specifier=SpecifierSet(),
        source=DirectSource(kind=kind, location=location, subdirectory=subdirectory),
        hashes=hashes,
        origin=Origin(file="requirements.txt", line=3),
        text=f"{name} @ {location}",
    )


def from_sdist(made: SourceBuilder, sdist: SdistFile) -> BuiltWheel:
    """Ask for the wheel of an sdist on an index."""
    item = selected(sdist)
    assert item.file is not None
    return made.from_sdist(item.name, item.file)


@pytest.mark.subprocess
def test_sdist_is_built_once_for_its_content(store: Store, heard: Heard) -> None:
    """The second run takes the wheel from the store, without fetching the sdist."""
    sdist = make_sdist("foo", "1.0", requires=["bar>=1"])
    made, source = builder(store, heard, sdist)
    first = from_sdist(made, sdist)
    assert (first.name, first.version) == ("foo", Version("1.0"))
    assert b"Requires-Dist: bar>=1" in first.metadata
    assert first.source_hashes == {"sha256": sdist.sha256}
    wheel = store.find(first.sha256, first.filename)
    assert wheel is not None
    assert heard.built == [sdist.filename]
    assert any("foo" in line for line in heard.lines)
    again, unused = builder(store, heard)
    assert from_sdist(again, sdist) == first
    assert len(heard.built) == 1
    assert source.asked == [sdist.filename]
    assert unused.asked == []


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("sdist", "rule"),
    [
        (make_sdist("foo", "1.0", native=True), "sdist-native"),
        (make_sdist("foo", "1.0", wheel_tag="py3-none-linux_x86_64"), "sdist-native"),
        (make_sdist("foo", "1.0", wheel_tag="cp39-abi3-any"), "sdist-native"),
    ],
    ids=["native", "platform", "abi"],
)
def test_native_result_is_refused(sdist: SdistFile, rule: str, store: Store, heard: Heard) -> None:
    """What the host compiled is not for the target (G101)."""
    made, _ = builder(store, heard, sdist)
    with pytest.raises(SdistBuildError) as caught:
        from_sdist(made, sdist)
    assert caught.value.rule == rule
    assert caught.value.hint
    assert caught.value.exit_code == 6


@pytest.mark.subprocess
def test_failure_shows_its_last_lines_and_keeps_the_log(store: Store, heard: Heard) -> None:
    sdist = make_sdist("foo", "1.0", failure="no compiler today")
    made, _ = builder(store, heard, sdist)
    with pytest.raises(SdistBuildError) as caught:
        from_sdist(made, sdist)
    assert any("no compiler today" in line for line in caught.value.context)
    (log,) = [line for line in caught.value.context if line.startswith("log: ")]
    with open(log.removeprefix("log: "), encoding="utf-8") as file:  # noqa: PTH123
        assert "no compiler today" in file.read()


@pytest.mark.subprocess
def test_mislabelled_sdist_is_refused(store: Store, heard: Heard) -> None:
    sdist = make_sdist("foo", "2.0")
    item = selected(make_sdist("foo", "1.0"))
    assert item.file is not None
    made, source = builder(store, heard)
    source.content[item.file.url] = sdist.content
    item.file.hashes["sha256"] = sdist.sha256  # type: ignore[index]
    with pytest.raises(SdistBuildError) as caught:
        made.from_sdist(item.name, item.file)
    assert caught.value.rule == "sdist-identity"


@pytest.mark.subprocess
def test_directory_is_built_once_a_run_and_never_kept(
    store: Store, heard: Heard, tmp_path: Path
) -> None:
    sdist = make_sdist("foo", "1.0")
    project = sdist.write_project(tmp_path / "has space" / "foo")
    asked = requirement("directory", str(project))
    made, _ = builder(store, heard)
    assert made.from_source(asked) == made.from_source(asked)
    assert len(heard.built) == 1
    builder(store, heard)[0].from_source(asked)
    assert len(heard.built) == 2


@pytest.mark.subprocess
def test_failure_says_who_asked(store: Store, heard: Heard, tmp_path: Path) -> None:
    project = make_sdist("foo", "1.0", failure="broken").write_project(tmp_path / "foo")
    made, _ = builder(store, heard)
    with pytest.raises(SdistBuildError) as caught:
        made.from_source(requirement("directory", str(project)))
    assert caught.value.context[0] == "requirements.txt:3"


@pytest.mark.subprocess
@pytest.mark.parametrize("where", ["path", "url"])
def test_archive_with_subdirectory_is_built(
    where: str, store: Store, heard: Heard, tmp_path: Path
) -> None:
    sdist = make_sdist("foo", "1.0")
    inner = {f"inner/{path}": data for path, data in sdist.sources.items()}
    outer = make_sdist("outer", "1.0", files=inner)
    location = str(outer.write_to(tmp_path)) if where == "path" else ROOT + outer.filename
    asked = requirement("archive", location, subdirectory="inner")
    made, _ = builder(store, heard, outer)
    built = made.from_source(asked)
    assert built.filename == "foo-1.0-py3-none-any.whl"
    assert built.source_hashes["sha256"] == outer.sha256
    builder(store, heard, outer)[0].from_source(asked)
    assert len(heard.built) == 1


@pytest.mark.subprocess
def test_repository_is_built_and_its_revision_told(
    store: Store, heard: Heard, tmp_path: Path
) -> None:
    """A requirement that the user wrote is built (G101)."""
    project = make_sdist("foo", "1.0").write_project(tmp_path / "foo")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    made, _ = builder(store, heard)
    built = made.from_source(requirement("vcs", f"git+file://{project}"))
    assert built.commit_id == head.stdout.strip()
    assert built.name == "foo"


@pytest.mark.subprocess
def test_what_git_cannot_clone_needs_no_other_version(
    store: Store, heard: Heard, tmp_path: Path
) -> None:
    made, _ = builder(store, heard)
    with pytest.raises(SdistBuildError) as caught:
        made.from_source(requirement("vcs", f"git+file://{tmp_path}/nope"))
    assert (caught.value.hint or "").startswith("check the URL and the revision")


@pytest.mark.subprocess
def test_build_that_takes_too_long_is_killed(store: Store, heard: Heard) -> None:
    """With all its children: they would outlast the test."""
    sdist = make_sdist("foo", "1.0")
    backend = b"import time\nprint('sleeping', flush=True)\ntime.sleep(600)\n"
    slow = make_sdist("foo", "1.0", files={"foo/__init__.py": b"", "backend.py": backend})
    made, _ = builder(store, heard, slow, timeout=3)
    with pytest.raises(SdistBuildError) as caught:
        from_sdist(made, slow)
    assert caught.value.rule == "sdist-timeout"
    assert sdist.filename == slow.filename


@pytest.mark.subprocess
def test_interrupt_kills_the_build(store: Store, tmp_path: Path) -> None:
    """Whatever ends the call ends the processes that it started."""
    mark = tmp_path / "alive"
    backend = f"""
import os, time
while True:
    with open({str(mark)!r}, "a") as file:
        file.write(".")
    time.sleep(0.02)
"""
    slow = make_sdist("foo", "1.0", files={"foo/__init__.py": b"", "backend.py": backend})

    class Interrupted(Heard):
        def build_output(self, line: str) -> None:
            super().build_output(line)
            for _ in range(200):
                if mark.exists() and mark.read_text():
                    raise KeyboardInterrupt
                time.sleep(0.05)

    made, _ = builder(store, Interrupted(), slow)
    with pytest.raises(KeyboardInterrupt):
        from_sdist(made, slow)
    size = mark.stat().st_size
    time.sleep(0.3)
    assert mark.stat().st_size == size


@pytest.mark.parametrize("where", ["path", "file URL", "https"])
def test_named_wheel_is_read_not_built(
    where: str, store: Store, heard: Heard, tmp_path: Path
) -> None:
    wheel = make_wheel("foo", "1.0")
    path = wheel.write_to(tmp_path)
    location = {"path": str(path), "file URL": path.as_uri(), "https": ROOT + wheel.filename}
    made, source = builder(store, heard)
    source.content = {location["https"]: wheel.content, location["file URL"]: wheel.content}
    built = made.from_source(requirement("wheel", location[where]))
    assert (built.sha256, built.metadata) == (wheel.sha256, wheel.metadata)
    assert heard.built == []
    assert path.exists()


WHEEL = make_wheel("foo", "1.0")
REFUSED: dict[str, tuple[Callable[[Path], Requirement], type[Exception]]] = {
    "http without hash": (
        lambda _: requirement("wheel", "http://files.example/foo-1.0-py3-none-any.whl"),
        InputError,
    ),
    "wrong hash": (
        lambda folder: requirement(
            "wheel", str(WHEEL.write_to(folder)), hashes=frozenset({f"sha256:{'0' * 64}"})
        ),
        HashMismatchError,
    ),
    "another project": (
        lambda folder: requirement("wheel", str(WHEEL.write_to(folder)), name="bar"),
        SdistBuildError,
    ),
    "missing wheel": (lambda folder: requirement("wheel", str(folder / "a.whl")), InputError),
    "missing directory": (lambda folder: requirement("directory", str(folder / "a")), InputError),
    "broken wheel": (
        lambda folder: requirement(
            "wheel", str(make_wheel("foo", "1.0", omit=["RECORD"]).write_to(folder))
        ),
        WheelError,
    ),
    "no file name": (lambda _: requirement("wheel", "https://files.example/"), InputError),
    "traversal in the URL": (
        lambda _: requirement("wheel", "https://files.example/%2e%2e%2fa%2f.."),
        InputError,
    ),
}


@pytest.mark.parametrize(("make", "kind"), REFUSED.values(), ids=REFUSED)
def test_bad_source_is_refused(
    make: Callable[[Path], Requirement], kind: type[Exception], store: Store, tmp_path: Path
) -> None:
    """What can't be found or believed is refused before anything is built (G101)."""
    made, _ = builder(store, Heard())
    with pytest.raises(kind):
        made.from_source(make(tmp_path))


def test_one_of_several_hashes_is_enough(store: Store, heard: Heard, tmp_path: Path) -> None:
    """As with ``--hash`` given twice: any of them may be the file's."""
    digest = hashlib.sha512(WHEEL.content).hexdigest()
    hashes = frozenset({f"sha256:{'0' * 64}", f"sha512:{digest}"})
    made, _ = builder(store, heard)
    path = WHEEL.write_to(tmp_path)
    assert made.from_source(requirement("wheel", str(path), hashes=hashes)).sha256 == WHEEL.sha256


def test_environment_of_pip_is_the_run_s_not_the_user_s() -> None:
    environ = {"PATH": "/bin", "PIP_INDEX_URL": "x", "PYTHONPATH": "y", "PIP_TARGET": "z"}
    found = pip_environment(environ, {"PIP_INDEX_URL": "https://index.example/simple"})
    assert found["PATH"] == "/bin"
    assert found["PIP_INDEX_URL"] == "https://index.example/simple"
    assert found["PIP_CONFIG_FILE"] == os.devnull
    assert not {"PYTHONPATH", "PIP_TARGET"} & set(found)
