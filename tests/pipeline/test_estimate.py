"""What is known of sizes before anything is downloaded: dry runs, and what can never fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from packaging.utils import canonicalize_name

import crossdeps
from crossdeps.cli.main import main
from crossdeps.pipeline.build import build
from crossdeps.pipeline.lock import lock
from crossdeps.pipeline.request import Settings
from crossdeps.report.build import render_report
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from crossdeps.verify.model import Ignore
from tests.support.index_server import Settings as Habits
from tests.support.wheel_factory import make_elf, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index_server import IndexServer

LAMBDA = Target.runtime("python3.12", arch="x86_64")
LIMIT = 262_144_000
HUGE = 800_000_000
BIG = make_wheel("big", "2.0", requires=["small"])
SMALL = make_wheel("small", "1.0", tag="cp312-cp312-manylinux2014_x86_64")


@pytest.fixture
def server(pypi_like_index: IndexServer) -> IndexServer:
    return pypi_like_index


@pytest.fixture
def settings(server: IndexServer, tmp_path: Path) -> Settings:
    return Settings(
        index=FileOptions(index_url=server.url), isolated=True, cache=tmp_path / "cache"
    )


def downloads(server: IndexServer) -> list[str]:
    return [path for path in server.paths() if path.endswith(".whl")]


def test_a_dry_run_downloads_nothing(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    server.add(BIG, size=30_000_000)
    server.add(SMALL, size=60_000_000)
    dry = replace(settings, dry_run=True)
    report = build(["big"], LAMBDA, tmp_path / "out.zip", settings=dry)
    assert downloads(server) == []
    assert not (tmp_path / "out.zip").exists()
    assert report.artifact.path is None
    assert report.artifact.planned_path == tmp_path / "out.zip"
    assert report.artifact.estimated
    assert (report.artifact.size, report.total_unzipped) == (90_000_000, 90_000_000)
    assert [(line.name, line.version, line.size, line.sha256) for line in report.packages] == [
        ("big", "2.0", 30_000_000, BIG.sha256),
        ("small", "1.0", 60_000_000, SMALL.sha256),
    ]
    assert report.packages[0].requested
    assert report.packages[1].tags == ("cp312-cp312-manylinux2014_x86_64",)
    first, second = report.notes
    assert first.startswith("2 packages of 90.0 MB are not all in the cache")
    assert "files were not checked" in first
    assert "cannot be uploaded directly" in second
    text = render_report(report)
    assert "about 90.0 MB zipped, at least 90.0 MB unzipped, 34% of Lambda's 262.1 MB" in text
    assert report.to_dict()["artifact"]["estimated"] is True


def test_a_dry_run_with_all_wheels_in_the_cache_checks_them(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    server.add(SMALL)
    build(["small"], LAMBDA, tmp_path / "out.zip", settings=settings)
    dry = replace(settings, dry_run=True)
    report = build(["small"], LAMBDA, tmp_path / "other.zip", settings=dry)
    assert not report.artifact.estimated
    assert report.artifact.entries > 0
    assert report.notes == ()
    foreign = {"native/_x.so": make_elf(machine="aarch64")}
    server.add(make_wheel("native", "1.0", tag="cp312-cp312-manylinux2014_x86_64", files=foreign))
    report = build(["native"], LAMBDA, tmp_path / "other.zip", settings=dry)
    assert report.artifact.estimated
    for each in (settings, dry):  # the first downloads it, and then both see what is in it
        with pytest.raises(crossdeps.FindingsError) as caught:
            build(["native"], LAMBDA, tmp_path / "other.zip", settings=each)
        assert caught.value.findings[0].rule == "wrong-machine"


@pytest.mark.parametrize("name", ["out.zip", "out"])
def test_a_dry_run_shows_what_would_be_written(
    server: IndexServer, settings: Settings, tmp_path: Path, name: str
) -> None:
    server.add(SMALL)
    (tmp_path / "app.py").write_text("print()")
    dry = replace(settings, dry_run=True)
    out, source = tmp_path / name, tmp_path / "app.py"
    written = build(["small"], LAMBDA, tmp_path / f"first-{name}", source=source,
                              settings=settings).artifact  # fmt: skip
    report = build(["small"], LAMBDA, out, source=source, settings=dry)
    artifact = report.artifact
    assert (artifact.size, artifact.unzipped, artifact.entries) == (
        written.size, written.unzipped, written.entries,
    )  # fmt: skip
    assert (artifact.path, artifact.planned_path) == (None, out)
    assert f"Output    {out} (not written: dry run)" in render_report(report)
    assert report.to_dict()["artifact"]["planned_path"] == str(out)
    assert not out.exists()


def test_an_estimate_counts_the_source_and_names_what_it_leaves_out(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    server.add(SMALL)
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text("print()")
    (source / ".env").write_text("secret")
    dry = replace(settings, dry_run=True)
    report = build(["small"], LAMBDA, tmp_path / "out.zip", source=source, settings=dry)
    assert report.artifact.estimated
    assert report.artifact.unzipped == SMALL.size + len("print()")
    assert report.source_left_out == (("secrets", ".env"),)
    assert ".env (may hold secrets)" in report.notes[0]


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_excluded_project_is_no_package_of_it(
    server: IndexServer, settings: Settings, tmp_path: Path, *, dry_run: bool
) -> None:
    server.add(BIG)
    server.add(SMALL)
    layout = replace(settings.layout, excluded_projects=(canonicalize_name("small"),))
    each = replace(settings, dry_run=dry_run, layout=layout)
    report = build(["big"], LAMBDA, tmp_path / "out.zip", settings=each)
    assert [line.name for line in report.packages] == ["big"]
    assert [(rule, owner) for rule, owner, _ in report.removed] == [("excluded-project", "small")]
    assert report.removed[0][2] > 0
    text = render_report(report)
    assert "1 package\n" in text
    if dry_run:
        assert report.notes[0].startswith("1 package of ")


def test_a_dry_run_of_a_lock_downloads_nothing(
    server: IndexServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(BIG)
    server.add(SMALL)
    lock = str(tmp_path / "pylock.toml")
    common = ["--runtime", "python3.12", "--arch", "x86_64", "--isolated"]
    assert main(["lock", "big", "-o", lock, "-i", server.url, *common]) == 0
    server.forget_requests()
    capsys.readouterr()
    assert main(["build", lock, "--dry-run", "--json", *common]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["artifact"]["estimated"] is True
    assert document["artifact"]["unzipped"] == BIG.size + SMALL.size
    assert server.requests == ()


def test_local_wheels_are_not_estimated(settings: Settings, tmp_path: Path) -> None:
    links = tmp_path / "wheels"
    links.mkdir()
    SMALL.write_to(links)
    local = FileOptions(no_index=True, find_links=(str(links),))
    dry = replace(settings, index=local, dry_run=True)
    report = build(["small"], LAMBDA, tmp_path / "out.zip", settings=dry)
    assert not report.artifact.estimated


def test_an_unknown_size_is_told(
    make_index: Callable[..., IndexServer], settings: Settings, tmp_path: Path
) -> None:
    server = make_index(Habits(sizes=False, metadata_keys="both"))
    server.add(SMALL)
    dry = replace(settings, index=FileOptions(index_url=server.url), dry_run=True)
    report = build(["small"], LAMBDA, tmp_path / "out", settings=dry)
    assert report.notes[0].endswith("no size is stated for 1 of them")
    assert "at least 0 B unzipped" in render_report(report)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_fit_is_refused_before_it_is_downloaded(
    server: IndexServer, settings: Settings, tmp_path: Path, *, dry_run: bool
) -> None:
    server.add(BIG, size=HUGE)
    server.add(SMALL)
    settings = replace(settings, dry_run=dry_run)
    with pytest.raises(crossdeps.FindingsError) as caught:
        build(["big"], LAMBDA, tmp_path / "out.zip", settings=settings)
    assert downloads(server) == []
    assert caught.value.exit_code == 7
    (finding,) = caught.value.findings
    assert (finding.rule, finding.severity) == ("too-large", "error")
    least = HUGE + SMALL.size - (HUGE + SMALL.size) // 16
    assert finding.message == (
        f"the artifact has at least {least:,} bytes unzipped, by the sizes that the index states;"
        " python3.12 accepts 262,144,000"
    )
    assert finding.details[0] == " 800.0 MB  big 2.0"
    assert finding.hint is not None
    assert "container image" in finding.hint


def test_what_can_fit_is_not_refused(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    """Headers of an archive are no content: its size proves a little less than itself."""
    server.add(SMALL, size=LIMIT + 1_000_000)
    report = build(["small"], LAMBDA, tmp_path / "out.zip", settings=settings)
    assert report.artifact.path is not None


@pytest.mark.parametrize(
    "how", ["ignored", "another rule", "excluded", "slim", "pattern", "no runtime", "stored"]
)
def test_where_it_is_downloaded_all_the_same(
    server: IndexServer, settings: Settings, tmp_path: Path, how: str
) -> None:
    server.add(BIG, size=HUGE)
    server.add(SMALL)
    target, layout, refused = LAMBDA, settings.layout, False
    if how == "ignored":
        settings = replace(settings, ignore=(Ignore(rule="too-large"),))
    elif how == "another rule":
        settings = replace(settings, ignore=(Ignore(rule="wrong-machine"),))
        refused = True
    elif how == "excluded":
        layout = replace(layout, excluded_projects=(canonicalize_name("big"),))
    elif how == "slim":
        layout = replace(layout, slim=True)
    elif how == "pattern":
        layout = replace(layout, exclude=("big/data/*",))
    elif how == "no runtime":
        target = Target(python="3.12", arch="x86_64")
    else:
        plain = Target(python="3.12", arch="x86_64")
        build(["big"], plain, tmp_path / "first.zip", settings=settings)
    settings = replace(settings, layout=layout)
    if refused:
        with pytest.raises(crossdeps.FindingsError):
            build(["big"], target, tmp_path / "out.zip", settings=settings)
        return
    report = build(["big"], target, tmp_path / "out.zip", settings=settings)
    assert report.artifact.path is not None


def test_layers_count(server: IndexServer, settings: Settings, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    with (layer / "python/data").open("wb") as file:
        file.truncate(200_000_000)
    server.add(SMALL, size=100_000_000)
    for layers in ((), (layer,)):
        each = replace(settings, layers=layers, dry_run=True)
        if not layers:
            build(["small"], LAMBDA, tmp_path / "out.zip", settings=each)
            continue
        with pytest.raises(crossdeps.FindingsError, match="with its layers") as caught:
            build(["small"], LAMBDA, tmp_path / "out.zip", settings=each)
        assert caught.value.findings[0].details[0] == " 200.0 MB  layers"


def test_offline_a_missing_wheel_is_an_error_as_before(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    server.add(SMALL)
    lock(["small"], LAMBDA, settings=settings)
    offline = replace(settings, offline=True, dry_run=True)
    with pytest.raises(crossdeps.OfflineError):
        build(["small"], LAMBDA, tmp_path / "out.zip", settings=offline)
