"""The library does what the command does: its results are the command's documents."""

from __future__ import annotations

import copy
import json
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import crossdeps
from crossdeps.cli.main import main
from tests.support.wheel_factory import make_elf, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index_server import IndexServer

INTEL = crossdeps.Target(python="3.12", arch="x86_64")
ARM = crossdeps.Target(python="3.12", arch="arm64")
OPTIONS = ("--python", "3.12", "--arch", "x86_64")


class Command:
    """The command with the same index and cache; returns the document that it prints."""

    def __init__(
        self, index: IndexServer, cache: Path, capture: pytest.CaptureFixture[str]
    ) -> None:
        self._more = ("--isolated", "--index-url", index.url, "--cache-dir", str(cache))
        self._capture = capture

    def __call__(self, verb: str, *arguments: str) -> dict[str, Any]:
        more = self._more if verb in {"build", "lock", "why"} else ()
        self._capture.readouterr()
        main([verb, *arguments, *more, "--json"])
        document: dict[str, Any] = json.loads(self._capture.readouterr().out)
        return document


@pytest.fixture
def command(
    plain_index: IndexServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    return Command(plain_index, tmp_path / "cache", capsys)


class TestDocuments:
    def test_of_build(self, command: Command, shared: crossdeps.Settings) -> None:
        report = crossdeps.build(["tree"], INTEL, "out.zip", settings=shared)
        assert report.to_dict() == command("build", "tree", "-o", "out.zip", *OPTIONS)

    def test_of_lock(self, command: Command, shared: crossdeps.Settings) -> None:
        lock = crossdeps.lock(["tree"], INTEL, settings=shared)
        assert lock.to_dict() == command("lock", "tree", "--dry-run", *OPTIONS)

    def test_of_a_finding(self, command: Command, folder: Path) -> None:
        (folder / "out").mkdir()
        (folder / "out/x.so").write_bytes(make_elf(machine="aarch64"))
        findings = crossdeps.check("out", INTEL)
        document = command("check", "out", *OPTIONS)
        assert [finding.to_dict() for finding in findings] == document["findings"] != []
        assert str(findings[0]).startswith(f"error[{findings[0].rule}]: ")

    def test_of_why(self, command: Command, shared: crossdeps.Settings, folder: Path) -> None:
        (folder / "requirements.txt").write_text("tree\n")
        found = crossdeps.why("leaf", "requirements.txt", INTEL, settings=shared)
        assert found.to_dict() == command("why", "leaf", *OPTIONS)

    def test_of_diff(self, command: Command, folder: Path) -> None:
        for name, text in (("a", "1"), ("b", "2")):
            (folder / name).mkdir()
            (folder / name / "module.py").write_text(text)
        found = crossdeps.diff("a", folder / "b")
        assert found.differs
        assert found.to_dict() == command("diff", "a", "b")
        assert repr(found).startswith("<Comparison of a and b: ")

    def test_of_report(self, command: Command, shared: crossdeps.Settings) -> None:
        crossdeps.build(["tree"], INTEL, "out.zip", settings=shared)
        found = crossdeps.report("out.zip", INTEL)
        assert found.to_dict() == command("report", "out.zip", *OPTIONS)
        assert repr(found).startswith("<Inspection of out.zip: 4 projects, ")

    def test_of_tags(self, command: Command) -> None:
        found = crossdeps.tags(INTEL)
        assert found.tags == INTEL.tags
        assert found.to_dict() == command("tags", *OPTIONS)


class TestKeywords:
    def test_they_shape_the_package(self, shared: crossdeps.Settings, folder: Path) -> None:
        (folder / "src").mkdir()
        (folder / "src/app.py").write_text("def handler(event, context): pass\n")
        (folder / "constraints.txt").write_text("pure<1.1\n")
        report = crossdeps.build(
            ["leaf"], INTEL, "layer.zip",
            settings=shared, source="src", layer=True, exclude=["*.pyi"], slim=True,
            constraints="constraints.txt", no_deps=False, exclude_project="leaf",
        )  # fmt: skip
        assert [(line.name, line.version) for line in report.packages] == [("pure", "1.0")]
        names = zipfile.ZipFile(folder / "layer.zip").namelist()
        assert {"python/app.py", "python/pure/__init__.py"} <= set(names)
        assert not any(name.startswith("python/leaf") for name in names)

    def test_groups_and_extras_of_a_project(self, shared: crossdeps.Settings, folder: Path) -> None:
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\ndependencies = ["leaf"]\n'
            '[project.optional-dependencies]\nfast = ["native"]\n'
            '[dependency-groups]\nonly = ["pure==2.0"]\n'
        )

        def names(**options: Any) -> list[str]:  # noqa: ANN401 - of several types
            lock = crossdeps.lock("pyproject.toml", INTEL, settings=shared, **options)
            return [package.name for package in lock.packages]

        assert names() == ["leaf", "pure"]
        assert names(extras="fast") == ["leaf", "native", "pure"]
        lock = crossdeps.lock([], INTEL, settings=shared, groups=["only"])
        assert [(each.name, each.version) for each in lock.packages] == [("pure", "2.0")]
        lock = crossdeps.lock([], INTEL, settings=shared, extras=["fast"])
        assert [each.name for each in lock.packages] == ["leaf", "native", "pure"]

    def test_those_of_a_check(self, folder: Path) -> None:
        (folder / "out").mkdir()
        (folder / "out/x.so").write_bytes(make_elf(machine="aarch64"))
        (finding,) = crossdeps.check("out", INTEL)
        assert crossdeps.check("out", INTEL, ignore=[finding.rule]) == ()
        assert crossdeps.check("out", INTEL, settings=crossdeps.Settings(ignore="*:x.so")) == ()
        with pytest.raises(crossdeps.UsageError, match="handler"):
            crossdeps.check("out", INTEL, handler="no")

    def test_requirements_and_files_in_one_list(
        self, shared: crossdeps.Settings, folder: Path
    ) -> None:
        (folder / "more.txt").write_text("pure<2\n")
        (folder / "list").write_text("native\n")
        for file in ("more.txt", folder / "more.txt"):
            lock = crossdeps.lock([file, folder / "list", "leaf"], INTEL, settings=shared)
            assert [package.name for package in lock.packages] == ["leaf", "native", "pure"]


class TestLock:
    def test_it_is_written_read_and_built(self, shared: crossdeps.Settings, folder: Path) -> None:
        lock = crossdeps.lock(["tree"], [INTEL, ARM], settings=shared)
        assert lock.write("pylock.toml") == folder / "pylock.toml"
        read = crossdeps.Lock.read("pylock.toml")
        assert (read.text, read.pylock, read.packages) == (lock.text, lock.pylock, lock.packages)
        (folder / "pylock.toml").rename(folder / "elsewhere.toml")  # only the value is used
        locks: list[Any] = [lock, read, lock.pylock, lock, read]
        digests = {
            crossdeps.build(each, ARM, f"{number}.zip", settings=shared).artifact.sha256
            for number, each in enumerate(locks)
        }
        assert len(digests) == 1
        assert crossdeps.why("leaf", read, ARM, settings=shared).version == "1.0"

    def test_it_is_what_the_command_writes(
        self, command: Command, shared: crossdeps.Settings, folder: Path
    ) -> None:
        """Local paths are relative to the lock, wherever it is written."""
        make_wheel("local", "1.0").write_to(folder)
        requirements = ["./local-1.0-py3-none-any.whl", "pure"]
        (folder / "sub").mkdir()
        crossdeps.lock(requirements, INTEL, settings=shared).write("sub/pylock.toml")
        crossdeps.Lock.read("sub/pylock.toml").write("pylock.moved.toml")
        for name in ("sub/pylock.toml", "pylock.moved.toml"):
            ours = (folder / name).read_text()
            command("lock", *requirements, "-o", name, *OPTIONS)
            assert ours == (folder / name).read_text()
        crossdeps.build(crossdeps.Lock.read("sub/pylock.toml"), INTEL, "out", settings=shared)
        assert (folder / "out/local/__init__.py").is_file()

    def test_versions_of_the_previous_lock_are_kept(self, shared: crossdeps.Settings) -> None:
        old = crossdeps.lock(["pure<2"], INTEL, settings=shared)
        old.write("pylock.toml")

        def pins(previous: Any, **options: Any) -> list[str | None]:  # noqa: ANN401
            lock = crossdeps.lock(["pure"], INTEL, settings=shared, previous=previous, **options)
            assert bool(lock.changes) == (lock.packages[0].version != "1.1")
            return [package.version for package in lock.packages]

        for previous in (old, old.pylock, "pylock.toml", crossdeps.Lock.read("pylock.toml")):
            assert pins(previous) == ["1.1"]
            assert pins(previous, upgrade_package="pure") == ["2.0"]
            assert pins(previous, upgrade=True) == ["2.0"]
        assert crossdeps.lock(["pure"], INTEL, settings=shared, previous="no.toml").changes == ()

    def test_extras_and_groups_of_it_are_chosen(
        self, shared: crossdeps.Settings, folder: Path
    ) -> None:
        text = crossdeps.lock(["leaf", "native"], INTEL, settings=shared).text
        text = text.replace("created-by", 'extras = ["fast"]\ncreated-by', 1)
        text = text.replace('name = "native"', 'name = "native"\nmarker = "\'fast\' in extras"', 1)
        (folder / "pylock.toml").write_text(text)
        read = crossdeps.Lock.read("pylock.toml")
        locks: list[Any] = ["pylock.toml", read]
        for lock in locks:
            for extras, count in ((None, 2), ("fast", 3)):
                report = crossdeps.build(lock, INTEL, "out", settings=shared, extras=extras)
                assert len(report.packages) == count
        with pytest.raises(crossdeps.InputError, match="constraints"):
            crossdeps.build(read, INTEL, "out", settings=shared, constraints="c.txt")
        with pytest.raises(crossdeps.InputError, match="is a lock"):
            crossdeps.lock(read, INTEL, settings=shared)

    def test_it_is_not_written_under_a_name_that_no_tool_reads(
        self, shared: crossdeps.Settings, folder: Path
    ) -> None:
        lock = crossdeps.lock(["pure"], INTEL, settings=shared)
        with pytest.raises(crossdeps.OutputError) as caught:
            lock.write("multi.toml")
        assert "pylock.NAME.toml" in (caught.value.hint or "")
        with pytest.raises(crossdeps.OutputError):
            lock.write("missing/pylock.toml")
        assert list(folder.iterdir()) == []

    def test_it_has_the_form_of_requirements(self, shared: crossdeps.Settings) -> None:
        lock = crossdeps.lock(["pure"], INTEL, settings=shared)
        assert "pure==2.0 \\\n    --hash=sha256:" in lock.to_requirements()

    @pytest.mark.parametrize("text", ["", "[", "lock-version = '1.0'"])
    def test_an_invalid_one_is_an_input_error(self, folder: Path, text: str) -> None:
        (folder / "pylock.toml").write_text(text)
        with pytest.raises(crossdeps.InputError):
            crossdeps.Lock.read("pylock.toml")
        with pytest.raises(crossdeps.InputError):
            crossdeps.Lock.read("missing/pylock.toml")


class TestResultsAsValues:
    def test_they_are_short_on_a_prompt(self, shared: crossdeps.Settings) -> None:
        report = crossdeps.build(["tree"], INTEL, "out.zip", settings=shared)
        assert repr(report).startswith("<Report: 4 packages for CPython 3.12")
        assert len(repr(report)) < 200
        lock = crossdeps.lock(["tree"], [INTEL, ARM], settings=shared)
        assert repr(lock) == "<Lock: 4 packages for 2 targets>"

    def test_a_notebook_shows_a_table(self, shared: crossdeps.Settings, folder: Path) -> None:
        (folder / "<b>").mkdir()
        report = crossdeps.build(["tree"], INTEL, "<b>/out.zip", settings=shared)
        html = report._repr_html_()
        assert html.count("<tr>") == 5
        assert "<b>" not in html

    def test_they_travel_between_processes(self, shared: crossdeps.Settings) -> None:
        first = crossdeps.build(["tree"], INTEL, "out.zip", settings=shared)
        remembered = crossdeps.build(["tree"], INTEL, "out.zip", settings=shared)
        for report in (first, remembered):
            for again in (
                pickle.loads(pickle.dumps(report)),  # noqa: S301 - made here
                copy.deepcopy(report),
                copy.copy(report),
            ):
                assert again.to_dict() == report.to_dict()
                assert again.lock == report.lock
        lock = crossdeps.lock(["tree"], INTEL, settings=shared)
        values: list[object] = [
            lock, INTEL, shared, crossdeps.tags(INTEL), crossdeps.diff("out.zip", "out.zip"),
            crossdeps.report("out.zip"), crossdeps.why("leaf", lock, INTEL, settings=shared),
        ]  # fmt: skip
        for value in values:
            assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - made here
            assert copy.deepcopy(value) == value
