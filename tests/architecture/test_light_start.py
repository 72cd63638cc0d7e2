from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.wheel_factory import make_wheel

ROOT = Path(__file__).parents[2]
TARGET = ["--python", "3.12", "--arch", "x86_64"]
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
    """What such a build must not load: the search, an HTTP library, readers of other formats."""
    make_wheel("small", "1.0").write_to(tmp_path)
    options = ["--cache-dir", "cache", "--isolated"]
    build = ["build", "pylock.toml", *TARGET, *options]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "crossdeps", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    run("lock", "small", "--no-index", "--find-links", ".", *TARGET, *options)
    run(*build, "-o", "first.zip")
    loaded = run(*build, "-o", "second.zip")
    assert _imported(loaded) & (HEAVY - {"packaging", "isal", "msgspec"}) == set()
    assert _modules(loaded) & NOT_FOR_A_LOCK == set()


def _imported(importtime: str) -> set[str]:
    """The top-level packages in the output of ``-X importtime``."""
    return {name.partition(".")[0] for name in _modules(importtime)}


def _modules(importtime: str) -> set[str]:
    lines = (line for line in importtime.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}
