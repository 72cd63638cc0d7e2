"""The library: lock, build and check, without a command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

import crossdeps
from crossdeps.pipeline.lock import lock as run_lock
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from tests.support.command_line import fill
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from tests.support.index_server import IndexServer

INTEL = Target(python="3.12", arch="x86_64")
ARM = Target(python="3.12", arch="aarch64")


@pytest.fixture
def settings(plain_index: IndexServer) -> crossdeps.Settings:
    fill(plain_index)
    return crossdeps.Settings(index_url=plain_index.url, isolated=True)


class TestBuild:
    def test_the_report_tells_what_was_made(
        self, settings: crossdeps.Settings, tmp_path: Path
    ) -> None:
        report = crossdeps.build(["tree"], INTEL, tmp_path / "out.zip", settings=settings)
        assert report.artifact.path == tmp_path / "out.zip"
        assert report.artifact.size == (tmp_path / "out.zip").stat().st_size
        assert [(line.name, line.requested) for line in report.packages] == [
            ("leaf", False),
            ("native", False),
            ("pure", False),
            ("tree", True),
        ]
        assert report.findings == ()

    def test_a_file_of_requirements_may_be_named(
        self, settings: crossdeps.Settings, tmp_path: Path
    ) -> None:
        file = tmp_path / "requirements.txt"
        file.write_text("pure<2\n")
        report = crossdeps.build(file, INTEL, tmp_path / "out", settings=settings)
        assert [line.version for line in report.packages] == ["1.1"]

    def test_your_own_code_lies_beside(self, settings: crossdeps.Settings, tmp_path: Path) -> None:
        (tmp_path / "src").mkdir()
        (tmp_path / "src/app.py").write_text("import pure\n")
        out = tmp_path / "out"
        crossdeps.build(["pure"], INTEL, out, source=tmp_path / "src", settings=settings)
        assert (out / "app.py").is_file()
        assert (out / "pure/__init__.py").is_file()

    def test_nothing_is_written_when_it_would_fail_there(
        self, settings: crossdeps.Settings, plain_index: IndexServer, tmp_path: Path
    ) -> None:
        from tests.support.wheel_factory import make_elf

        tag = "cp312-cp312-manylinux2014_x86_64"
        lying = {"lying/_x.so": make_elf(machine="aarch64")}
        plain_index.add(make_wheel("lying", "1.0", tag=tag, files=lying))
        plain_index.add(make_wheel("empty", "1.0", tag=tag, files={"empty/_x.so": b""}))
        with pytest.raises(crossdeps.FindingsError) as caught:
            crossdeps.build(["lying"], INTEL, tmp_path / "out.zip", settings=settings)
        assert caught.value.findings[0].rule == "wrong-machine"
        with pytest.raises(crossdeps.FindingsError, match="it is empty"):
            crossdeps.build(["empty"], INTEL, tmp_path / "out.zip", settings=settings)
        assert list(tmp_path.iterdir()) == []

    def test_a_dry_run_writes_nothing(self, settings: crossdeps.Settings, tmp_path: Path) -> None:
        output = tmp_path / "out.zip"
        report = crossdeps.build(["pure"], INTEL, output, settings=settings, dry_run=True)
        assert report.artifact.path is None
        assert list(tmp_path.iterdir()) == []


class TestLock:
    def test_it_is_the_standard_s_own_type(self, settings: crossdeps.Settings) -> None:
        lock = crossdeps.lock(["native"], (INTEL, ARM), settings=settings).pylock
        (package,) = lock.packages
        assert [wheel.filename for wheel in package.wheels or ()] == [
            "native-1.0-cp312-cp312-manylinux_2_17_aarch64.whl",
            "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        ]

    def test_preferences_are_kept_where_they_fit(self, plain_index: IndexServer) -> None:
        fill(plain_index)
        settings = Settings(index=FileOptions(index_url=plain_index.url), isolated=True)
        name = canonicalize_name("pure")
        for version, kept in (("1.0", "1.0"), ("0.9", "2.0")):
            preferences = {name: Version(version)}
            lock = run_lock(["pure"], INTEL, settings=settings, preferences=preferences)
            assert str(lock.packages[0].version) == kept

    def test_the_order_of_targets_never_matters_to_the_pins(
        self, settings: crossdeps.Settings
    ) -> None:
        item, two = (
            crossdeps.lock(["tree"], targets, settings=settings)
            for targets in ((INTEL, ARM), (ARM, INTEL))
        )
        assert [(p.name, p.version) for p in item.packages] == [
            (p.name, p.version) for p in two.packages
        ]


class TestCheck:
    def test_another_tool_s_directory(self, tmp_path: Path) -> None:
        from tests.support.wheel_factory import make_elf

        (tmp_path / "x.so").write_bytes(make_elf(machine="aarch64"))
        assert crossdeps.check(tmp_path, ARM) == ()
        (finding,) = crossdeps.check(tmp_path, INTEL)
        assert finding.rule == "wrong-machine"

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(crossdeps.ArtifactReadError):
            crossdeps.check(tmp_path / "nothing", INTEL)


class TestQuietLibrary:
    def test_it_prints_nothing_and_leaves_the_process_as_it_was(
        self, settings: crossdeps.Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        import os
        import signal

        before = (dict(os.environ), Path.cwd(), signal.getsignal(signal.SIGTERM), os.umask(0o22))
        os.umask(before[3])
        crossdeps.build(["tree"], INTEL, tmp_path / "out", settings=settings)
        with pytest.raises(crossdeps.ProjectNotFoundError):
            crossdeps.lock(["purr"], INTEL, settings=settings)
        after = (dict(os.environ), Path.cwd(), signal.getsignal(signal.SIGTERM), os.umask(0o22))
        os.umask(after[3])
        assert after == before
        assert capfd.readouterr() == ("", "")
