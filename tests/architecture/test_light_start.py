from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.wheel_factory import make_wheel

ROOT = Path(__file__).parents[2]
TARGET = ["--python", "3.12", "--arch", "x86_64"]
# All that a command line needs until the verb is known.
COMMAND_LINE = {
    "crossdeps",
    "crossdeps.cli",
    "crossdeps.cli.argument_parser",
    "crossdeps.cli.main",
    "crossdeps.cli.output",
    "crossdeps.config",
    "crossdeps.config.option_types",
    "crossdeps.config.input_options",
    "crossdeps.config.options",
    "crossdeps.errors",
    "crossdeps.progress",
    "crossdeps.version",
}
HEAVY = {
    "elftools",
    "isal",
    "jinja2",
    "msgspec",
    "packaging",
    "requests",
    "resolvelib",
    "rich",
    "urllib3",
}
SEARCH = {
    "crossdeps.requirements.gather",
    "crossdeps.resolution.candidates",
    "crossdeps.resolution.provider",
    "crossdeps.resolution.repository",
    "crossdeps.resolution.resolver",
    "crossdeps.resolution.search",
    "packaging.metadata",
}
INDEX = {
    "crossdeps.config.credentials",
    "crossdeps.index.client",
    "crossdeps.index.http_session",
    "http.client",
    "ssl",
}
# Each of these takes longer to load than all that a command needs until its target and settings are
# known.
SLOW = {
    "concurrent.futures",
    "csv",
    "dataclasses",
    "logging",
    "packaging",
    "subprocess",
    "tomli",
    "tomllib",
    "urllib.request",
}
NOT_FOR_THE_REMEMBERED = {
    "crossdeps.bundle.plan",
    "crossdeps.pipeline.assemble",
    "crossdeps.requirements.core_metadata",
    "crossdeps.requirements.syntax",
    "crossdeps.resolution.lock.selection",
    "crossdeps.verify.registry",
    "crossdeps.wheels.reader",
}
NOT_FOR_THE_UNCHANGED = {
    *NOT_FOR_THE_REMEMBERED,
    "crossdeps.binaries",
    "crossdeps.bundle.content",
    "crossdeps.bundle.destination",
    "crossdeps.bundle.write",
    "crossdeps.wheels",
}
if sys.version_info < (3, 11):  # msgspec needs uuid, which loads platform, which loads subprocess
    SLOW.remove("subprocess")
NOT_FOR_A_LOCK = {
    "crossdeps.bundle.sources",
    "crossdeps.resolution.lock.writer",
    "crossdeps.wheels.sdists",
    "email",
    "netrc",
    "pathspec",
    "platformdirs",
    "shutil",
    "tempfile",
    "tomli_w",
    "zipfile",
    *SEARCH,
    *INDEX,
}


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [(["--help"], 0), (["--version"], 0), (["build", "--help"], 0), (["no-such-verb"], 2)],
    ids=["help", "version", "help of a verb", "mistyped verb"],
)
def test_nothing_heavy_is_loaded(arguments: list[str], exit_code: int) -> None:
    """Help, version and a mistyped verb answer before any heavy import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "crossdeps", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    # argparse of Python 3.14 colors its help with a module of dataclasses.
    more = {"dataclasses", "inspect"} if sys.version_info < (3, 14) else set()
    assert _imported(done.stderr) & (HEAVY | more) == set()
    ours = {name for name in _modules(done.stderr) if name.partition(".")[0] == "crossdeps"}
    # The message about a mistake is escaped.
    assert ours == COMMAND_LINE | ({"crossdeps.text"} if exit_code else set())


@pytest.mark.subprocess
@pytest.mark.parametrize("verb", ["tags", "check"])
def test_what_asks_no_index_loads_nothing_for_it(verb: str, tmp_path: Path) -> None:
    """Describing a target, or looking at an artifact, needs neither HTTP nor a search."""
    (tmp_path / "module.py").touch()
    subject = [str(tmp_path)] if verb == "check" else []
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "crossdeps", verb, *subject, *TARGET],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _imported(done.stderr) & (HEAVY - {"packaging", "isal", "msgspec"}) == set()
    assert _modules(done.stderr) & {"email", "requests", "tempfile", *SEARCH, *INDEX} == set()


@pytest.mark.subprocess
def test_a_lock_whose_wheels_are_stored_is_built_without_resolver_and_index(
    tmp_path: Path,
) -> None:
    """What such a build must not load: the search, an HTTP library, readers of other formats.

    The first with its wheels in the store plans and verifies; for the others, that is remembered.
    """
    make_wheel("small", "1.0").write_to(tmp_path)
    options = ["--cache-dir", "cache", "--isolated"]
    build = ["build", "pylock.toml", *TARGET, *options]
    links = ["--no-index", "--find-links", "."]
    _run_and_trace(tmp_path, "lock", "small", *links, *TARGET, *options)
    _run_and_trace(tmp_path, *build, "-o", "download.zip")

    planned = _run_and_trace(tmp_path, *build, "--exclude", "*.c", "-o", "first.zip")
    assert _imported(planned) & (HEAVY - {"packaging", "isal", "msgspec"}) == set()
    assert _modules(planned) & (NOT_FOR_A_LOCK - {"pathspec"}) == set()
    assert "crossdeps.verify.registry" in _modules(planned)

    written = _run_and_trace(tmp_path, *build, "-o", "second.zip")
    assert _imported(written) & (HEAVY - {"isal", "msgspec"}) == set()
    not_for_it = SLOW | NOT_FOR_A_LOCK | NOT_FOR_THE_REMEMBERED
    assert _modules(written) & (not_for_it - {"csv"}) == set()
    assert "crossdeps.bundle.write" in _modules(written)

    unchanged = _run_and_trace(tmp_path, *build, "-o", "second.zip")
    assert _imported(unchanged) & (HEAVY - {"msgspec"}) == set()
    assert _modules(unchanged) & (SLOW | NOT_FOR_A_LOCK | NOT_FOR_THE_UNCHANGED) == set()


PREPARE = """
import os, sys
from crossdeps.cli.argument_parser import parse_arguments
from crossdeps.cli.output import Console
from crossdeps.cli.settings import build_requirements, choose_target
from crossdeps.config.pip_config import read_pip_configuration
from crossdeps.pipeline.request import build_settings, read_request
from crossdeps.pipeline.runtime import find_runtime_packages, read_runtime_context

options = parse_arguments(sys.argv[1:])
target = choose_target(options, Console(options, os.environ))
settings = build_settings(options, target)
read_request(build_requirements(options))
read_runtime_context(find_runtime_packages(settings, target))
read_pip_configuration({"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://index.example"})
print(*sys.modules)
"""


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "pylock.toml", *TARGET, "-o", "function.zip", "--source", "src", "--strict"],
        ["build", "requests>=2", "--runtime", "python3.12", "--arch", "arm64", "--layer"],
        ["lock", "-r", "requirements.in", *TARGET, "--index-url", "https://index.example/simple"],
    ],
    ids=["lock", "requirement for a runtime", "requirements file"],
)
def test_target_and_settings_are_known_before_anything_slow_is_loaded(
    arguments: list[str],
) -> None:
    """A build whose result is remembered needs little more: it looks no version up."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "crossdeps.pipeline.runtime" in loaded
    assert loaded & (SLOW | NOT_FOR_A_LOCK | (HEAVY - {"msgspec"})) == set()


SHORT_RUN = """
import sys
from crossdeps.cli.progress_display import LiveProgress

progress = LiveProgress(sys.stderr, color=True, delay=3600)
progress.resolving(1)
progress.writing("function.zip", 1)
progress.wrote("function.zip", 1)
progress.close()
print(*sys.modules)
"""


@pytest.mark.subprocess
def test_progress_of_a_short_run_loads_no_rich() -> None:
    """A run that ends before its progress is shown does not wait for the display either."""
    done = subprocess.run(
        [sys.executable, "-c", SHORT_RUN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) & (SLOW | HEAVY) == {"msgspec"}


@pytest.mark.subprocess
def test_a_lock_that_is_remembered_is_written_without_a_search(tmp_path: Path) -> None:
    """Where all that a lock was made from is the same, neither it nor a page is read again."""
    make_wheel("small", "1.0").write_to(tmp_path)
    options = ["--cache-dir", "cache", "--isolated", "--no-index", "--find-links", "."]
    lock = ["lock", "small", *TARGET, *options]
    _run_and_trace(tmp_path, *lock)
    loaded = _run_and_trace(tmp_path, *lock)  # keeps the versions of the first
    assert "crossdeps.pipeline.remembered" in _modules(loaded)
    assert _modules(loaded) & (SLOW | NOT_FOR_A_LOCK | (HEAVY - {"msgspec"})) == set()


@pytest.mark.subprocess
def test_a_bad_requirements_file_is_told_before_anything_that_builds_is_loaded(
    tmp_path: Path,
) -> None:
    (tmp_path / "requirements.txt").write_text("fine\n???\n")
    loaded = _run_and_trace(tmp_path, "build", *TARGET, "--isolated", exit_code=2)
    assert "requirements.txt:2" in loaded
    builds = {"crossdeps.pipeline.assemble", *NOT_FOR_THE_REMEMBERED, *INDEX, *SEARCH}
    needed = {"crossdeps.requirements.gather", "crossdeps.requirements.syntax"}
    assert _modules(loaded) & (builds - needed) == set()
    assert _imported(loaded) & (HEAVY - {"isal", "msgspec", "packaging"}) == set()


def _run_and_trace(folder: Path, *arguments: str, exit_code: int = 0) -> str:
    """Run a command in *folder*, and return what ``-X importtime`` prints of it."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "crossdeps", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    return done.stderr


def _imported(importtime: str) -> set[str]:
    """The top-level packages in the output of ``-X importtime``."""
    return {name.partition(".")[0] for name in _modules(importtime)}


def _modules(importtime: str) -> set[str]:
    lines = (line for line in importtime.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}
