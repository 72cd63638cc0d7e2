"""Sources are built by a Python that they admit, if this machine has one; or are not built."""

from __future__ import annotations

import os
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import SdistBuildError
from crossdeps.wheels.interpreters import Interpreters
from crossdeps.wheels.sdists import SourceBuilder
from crossdeps.wheels.store import Store
from tests.support.sdist_factory import make_sdist
from tests.wheels.sources import MemorySource, selected
from tests.wheels.test_sdists import Heard, from_sdist, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.interpreters import Interpreter
    from tests.support.sdist_factory import SdistFile

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
WITH_VERSION = b"""
import sys
with open("foo/built_by.py", "w") as file:
    file.write("VERSION = '%d.%d'" % sys.version_info[:2])
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def other(python_interpreters: tuple[Interpreter, ...]) -> Interpreter:
    """A Python of another minor version than this one."""
    others = [each for each in python_interpreters if each.minor != OWN]
    if not others:
        pytest.skip("there is one CPython only")
    return others[-1]


def make_builder(
    store: Store, *files: SdistFile, path: str | Path = "", heard: Heard | None = None
) -> SourceBuilder:
    return SourceBuilder(
        store,
        MemorySource(*files),
        environ={**os.environ, "PATH": str(path), "PYENV_ROOT": "/nonexistent", "HOME": ""},
        pip_settings={"PIP_NO_INDEX": "1"},
        progress=heard or Heard(),
    )


def make_project(requires_python: str, *, static: bool, failure: str = "") -> SdistFile:
    """An sdist whose package says which Python has built it.

    :param static: whether its metadata can be read without a build
    """
    sdist = make_sdist("foo", "1.0", requires_python=requires_python, failure=failure)
    texts = {path: data.decode() for path, data in sdist.sources.items()}
    table = f"requires-python = {requires_python!r}\n"
    pyproject = texts["pyproject.toml"] + table
    if not static:
        pyproject = pyproject.partition("[project]")[0]
        texts["PKG-INFO"] = texts["PKG-INFO"].replace("2.2", "2.1").replace(
            f"Requires-Python: {requires_python}\n", ""
        )  # fmt: skip
    backend = texts["backend.py"].replace(
        "def package_files():\n", f"def package_files():\n    exec({WITH_VERSION.decode()!r})\n"
    )
    files = {
        "foo/__init__.py": "", "pyproject.toml": pyproject, "backend.py": backend,
        "PKG-INFO": texts["PKG-INFO"],
    }  # fmt: skip
    return make_sdist("foo", "1.0", requires_python=requires_python, files=files)


def only(found: Interpreter) -> str:
    return f"=={found.minor}.*"


@pytest.mark.subprocess
@pytest.mark.parametrize("static", [True, False], ids=["static", "known after a build"])
def test_a_source_is_built_by_a_python_that_it_admits(
    static: bool, store: Store, other: Interpreter, tmp_path: Path
) -> None:
    sdist = make_project(only(other), static=static)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / f"python{other.minor}").symlink_to(other.executable)
    heard = Heard()
    made = make_builder(store, sdist, path=tmp_path / "bin", heard=heard)
    built = from_sdist(made, sdist)
    wheel = store.find(built.sha256, built.filename)
    assert wheel is not None
    with zipfile.ZipFile(wheel.file) as opened:
        assert opened.read("foo/built_by.py").decode() == f"VERSION = '{other.minor}'"
    version = ".".join(map(str, other.version))
    again = [f"foo-1.0.tar.gz with Python {version}"]
    if not static:
        again = ["foo-1.0.tar.gz", f"foo 1.0 with Python {version}"]
    assert heard.built == again
    (note,) = made.notes
    assert f"was built with Python {version}" in note


@pytest.mark.subprocess
def test_the_running_python_is_used_where_it_may_be(store: Store, tmp_path: Path) -> None:
    sdist = make_project(f"=={OWN}.*", static=True)
    heard = Heard()
    made = make_builder(store, sdist, path=tmp_path, heard=heard)
    assert from_sdist(made, sdist).filename
    assert (heard.built, made.notes) == (["foo-1.0.tar.gz"], ())


@pytest.mark.subprocess
@pytest.mark.parametrize("static", [True, False], ids=["static", "known after a build"])
@pytest.mark.parametrize("requires_python", [">=3.39", "==3.9.*,<3.9.1", "<2"])
def test_without_one_it_says_which(
    static: bool, requires_python: str, store: Store, tmp_path: Path
) -> None:
    project = make_project(requires_python, static=static).write_project(tmp_path / "foo")
    made = make_builder(store, path=tmp_path)
    with pytest.raises(SdistBuildError) as caught:
        made.from_source(requirement("directory", str(project)))
    assert caught.value.rule == "sdist-python"
    assert f"can be built by Python {requires_python} only" in caught.value.message
    assert ".".join(map(str, sys.version_info[:3])) in caught.value.message
    wanted = {">=3.39": "Python 3.39", "==3.9.*,<3.9.1": "Python 3.9"}.get(requires_python)
    assert f"install {wanted or 'such a Python'}," in (caught.value.hint or "")


@pytest.mark.subprocess
@pytest.mark.parametrize("kind", ["directory", "archive", "sdist"])
def test_static_metadata_is_read_without_a_build(kind: str, store: Store, tmp_path: Path) -> None:
    """Whatever Python the build would take; a build that would fail is not noticed."""
    sdist = make_project(">=3.39", static=True, failure="never built")
    heard = Heard()
    made = make_builder(store, sdist, path=tmp_path, heard=heard)
    if kind == "sdist":
        item = selected(sdist)
        assert item.file is not None
        read = made.read_sdist(item.name, item.file)
    else:
        location = sdist.write_to(tmp_path)
        if kind == "directory":
            location = sdist.write_project(tmp_path / "foo")
        read = made.read_source(requirement("archive" if kind == "archive" else "directory",
                                            str(location)))  # fmt: skip
    assert (read.name, str(read.version), read.filename, read.sha256) == ("foo", "1.0", "", "")
    assert b"Requires-Python: >=3.39" in read.metadata
    assert heard.built == []
    assert read.source_hashes == ({} if kind == "directory" else {"sha256": sdist.sha256})
    assert made.has_built


@pytest.mark.subprocess
def test_what_was_read_is_built_when_it_is_needed(store: Store) -> None:
    """From the copy that was fetched to read it."""
    sdist = make_project(">=3", static=True)
    asked = requirement("archive", f"https://files.example/{sdist.filename}")
    source = MemorySource(sdist)
    heard = Heard()
    made = SourceBuilder(
        store, source, environ=os.environ, pip_settings={"PIP_NO_INDEX": "1"}, progress=heard
    )
    assert made.read_source(asked).filename == ""
    assert made.from_source(asked).filename == "foo-1.0-py3-none-any.whl"
    assert made.read_source(asked).filename == "foo-1.0-py3-none-any.whl"
    assert (len(source.asked), len(heard.built)) == (1, 1)


class TestInterpreters:
    @pytest.mark.subprocess
    def test_those_of_path_and_pyenv_are_found(self, other: Interpreter, tmp_path: Path) -> None:
        name = f"python{other.minor}"
        on_path = tmp_path / "bin"
        of_pyenv = tmp_path / "pyenv" / "versions" / "x" / "bin"
        for folder in (on_path, of_pyenv):
            folder.mkdir(parents=True)
            (folder / name).symlink_to(other.executable)
        everywhere = {"PATH": str(on_path), "PYENV_ROOT": str(tmp_path / "pyenv")}
        for environ, folder in (
            (everywhere, on_path),
            ({"PYENV_ROOT": str(tmp_path / "pyenv")}, of_pyenv),
        ):
            found = Interpreters(environ).find(only(other))
            assert found is not None
            assert found.path == str(folder / name)
            assert found.version == ".".join(map(str, other.version))

    @pytest.mark.subprocess
    def test_what_is_no_python_is_passed_over(self, other: Interpreter, tmp_path: Path) -> None:
        """A command of pyenv whose version is not selected, another program, a broken link."""
        contents = {"a": "#!/bin/sh\nexit 127\n", "b": "#!/bin/sh\necho 3.13\n", "c": "no program"}
        for folder, text in contents.items():
            path = tmp_path / folder / f"python{other.minor}"
            path.parent.mkdir()
            path.write_text(text)
            path.chmod(0o755)
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / f"python{other.minor}").symlink_to(tmp_path / "absent")
        folders = ["", "relative", *(str(tmp_path / name) for name in "abcd")]
        found = Interpreters({"PATH": os.pathsep.join(folders)})
        assert found.find(only(other)) is None
        assert found.versions == (found.running.version,)

    def test_none_is_started_where_the_running_one_will_do(self, tmp_path: Path) -> None:
        """Processes are forbidden to this test."""
        path = tmp_path / "python3.99"
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        found = Interpreters({"PATH": str(tmp_path)})
        for requires_python in ("", ">=3", "not a specifier"):
            assert found.find(requires_python) is found.running
