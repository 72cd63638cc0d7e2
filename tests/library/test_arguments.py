"""Wrong arguments are errors of crossdeps, which say what to give instead."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import crossdeps
from crossdeps.config.options import OPTIONS, Options
from crossdeps.pipeline.keywords import KEYWORDS, OF_VERB, make_options
from crossdeps.pipeline.request import build_settings

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = crossdeps.Target(python="3.12", arch="x86_64")
NAME = 'crossdeps.Target.runtime("python3.12", arch="x86_64")'

build: Any = crossdeps.build
lock: Any = crossdeps.lock
Target: Any = crossdeps.Target


@pytest.mark.parametrize(
    ("call", "kind", "message", "hint"),
    [
        (lambda: build(["a"], "python3.12"), "TargetError", "not 'python3.12'", NAME),
        (lambda: build(["a"], None), "TargetError", "not None", "crossdeps.Target("),
        (lambda: build(["a"], [TARGET]), "TargetError", "not a list", NAME),
        (lambda: lock(["a"], []), "TargetError", "no target", "a list of them"),
        (lambda: lock(["a"], {TARGET}), "TargetError", "not a set", "no order"),
        (lambda: lock(["a"], [TARGET, "arm64"]), "TargetError", "not 'arm64'", NAME),
        (lambda: build("requests", TARGET), "InputError", "no file requests", '["requests"]'),
        (lambda: build("a[b]>=2", TARGET), "InputError", "no file a[b]>=2", '["a[b]>=2"]'),
        (lambda: build("no.txt", TARGET), "InputError", "no such file: no.txt", "check the path"),
        (lambda: build({"a"}, TARGET), "UsageError", "not a set", "no order"),
        (lambda: build(b"a", TARGET), "UsageError", "not bytes", "decode"),
        (lambda: build(None, TARGET), "UsageError", "not None", "requirements.txt"),
        (lambda: build(iter(["a"]), TARGET), "UsageError", "not a list_iterator", "list(...)"),
        (lambda: build(["a", 3], TARGET), "UsageError", "not an int", "requests>=2"),
        (lambda: build(["a"], TARGET, None), "UsageError", "output must be the path", ""),
        (lambda: build(["a"], TARGET, b"x"), "UsageError", "not b'x'", "decode"),
        (lambda: build(["a"], TARGET, cache="x"), "UsageError", "no keyword 'cache'", "cache_dir"),
        (lambda: build(["a"], TARGET, cache_dir=3), "UsageError", "must be a string", ""),
        (lambda: build(["a"], TARGET, exlude="x"), "UsageError", "'exlude'", "mean exclude?"),
        (lambda: build(["a"], TARGET, arch="arm64"), "UsageError", "'arch'", "crossdeps.Target"),
        (lambda: build(["a"], TARGET, slim="yes"), "UsageError", "must be True or False", ""),
        (lambda: build(["a"], TARGET, exclude={"x"}), "UsageError", "not a set", "no order"),
        (lambda: build(["a"], TARGET, exclude=[b"x"]), "UsageError", "must be a string", ""),
        (lambda: build(["a"], TARGET, timeout="3"), "UsageError", "must be a number", ""),
        (lambda: build(["a"], TARGET, timeout=0), "UsageError", "greater than 0", ""),
        (lambda: build(["a"], TARGET, retries=-1), "UsageError", "non-negative", ""),
        (lambda: build(["a"], TARGET, retries=True), "UsageError", "must be a number", ""),
        (lambda: build(["a"], TARGET, index_strategy="x"), "UsageError", "safe, first", ""),
        (lambda: build(["a"], TARGET, pre_releases={"a": "x"}), "UsageError", "one of", ""),
        (lambda: build(["a"], TARGET, project_index=["x"]), "UsageError", "mapping", ""),
        (lambda: build(["a"], TARGET, exclude_newer=3), "UsageError", "must be a date", ""),
        (lambda: build(["a"], TARGET, exclude_newer="x"), "UsageError", "neither a date", "7 days"),
        (lambda: build(["a"], TARGET, ignore="no-such"), "UsageError", "unknown rule", ""),
        (lambda: build(["a"], TARGET, settings={}), "UsageError", "not a dict", "Settings("),
        (lambda: build(["a"], TARGET, progress=print), "UsageError", "progress", "Progress"),
        (lambda: lock(["a"], TARGET, slim=True), "UsageError", "'slim'", "keyword of build"),
        (lambda: lock(["a"], TARGET, upgrade_package=3), "UsageError", "not an int", ""),
        (lambda: crossdeps.check(None, TARGET), "UsageError", "path must be", ""),  # type: ignore[arg-type]
        (lambda: crossdeps.why(None, ["a"], TARGET), "UsageError", "not None", ""),  # type: ignore[arg-type]
        (
            lambda: crossdeps.why("a>1", ["a"], TARGET),
            "UsageError",
            "invalid project name",
            "after it",
        ),
        (lambda: crossdeps.tags("arm64"), "TargetError", "not 'arm64'", NAME),  # type: ignore[arg-type]
        (lambda: crossdeps.diff(None, "b"), "UsageError", "before must be", ""),  # type: ignore[arg-type]
        (lambda: crossdeps.report("a", "arm64"), "TargetError", "not 'arm64'", NAME),  # type: ignore[arg-type]
        (lambda: crossdeps.Settings(slim=1), "UsageError", "slim must be", ""),  # type: ignore[arg-type]
        (lambda: Target(python=3.10, arch="arm64"), "TargetError", "not 3.1", "zeros"),
        (lambda: Target(python="3.12", arch=None), "TargetError", "arch must be", ""),
        (lambda: Target(python="3.12", arch="arm64", glibc=2.28), "TargetError", "glibc", ""),
        (lambda: Target(python="3.12", arch="arm64", platforms={"x"}), "TargetError", "tuple", ""),
        (lambda: Target.runtime(None, arch="arm64"), "TargetError", "name of a runtime", ""),
    ],
    ids=lambda value: "call" if callable(value) else None,  # not the address of a lambda
)
def test_a_wrong_argument_is_an_error_of_ours(
    call: Callable[[], object], kind: str, message: str, hint: str
) -> None:
    with pytest.raises(crossdeps.CrossdepsError) as caught:
        call()
    assert type(caught.value).__name__ == kind
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_secret_is_not_in_the_message() -> None:
    wrong: Any = {"index_url": ("https://user:hunter2@example.org/simple",)}
    with pytest.raises(crossdeps.UsageError) as caught:
        crossdeps.Settings(**wrong)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"
    url = "https://user:hunter2@example.org/simple"
    assert "hunter2" not in repr(crossdeps.Settings(index_url=url, proxy=url, find_links=[url]))


NOT_OF_THE_LIBRARY = {
    # What is said by the arguments of the functions, or by crossdeps.Target.
    "requirements", "requirement_files", "artifact", "project", "old", "new", "action",
    "archs", "runtimes", "python", "platforms", "abi", "implementation",
    "output", "lock_output", "report_output", "lock_file", "findings_format",
    "upgrade", "upgraded_packages", "newest_per_target",
    # Files are not written by locking, and results are values: nothing of them is printed.
    "check", "format", "markdown", "exit_code", "json", "report", "quiet", "verbose",
    "no_progress", "color",
    # Only in pip's configuration.
    "all_releases", "only_final", "only_binary", "no_binary",
}  # fmt: skip


def test_every_other_option_of_the_command_is_a_keyword() -> None:
    assert {option.name for option in KEYWORDS.values()} == OPTIONS.keys() - NOT_OF_THE_LIBRARY
    assert KEYWORDS.keys() == OF_VERB["build"]


@pytest.mark.parametrize("verb", OF_VERB)
def test_a_function_has_the_options_of_its_command(verb: str) -> None:
    """But for ``--strict`` of check and ``--dry-run`` of lock: it only returns what it finds."""
    options = {option.name for option in KEYWORDS.values() if verb in option.verbs}
    meaningless = {"check": {"strict"}, "lock": {"dry_run"}}.get(verb, set())
    known = {KEYWORDS[keyword].name for keyword in OF_VERB[verb]}
    assert known == options - meaningless


def test_values_become_those_of_the_command_line() -> None:
    when = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone.utc)
    options = make_options(
        "build",
        crossdeps.Settings(slim=True, handler="app.handler", find_links=[Path("wheels")]),
        {
            "exclude": "tests/", "source": ["src", Path("more")], "handler": None,
            "exclude_newer": when, "timeout": 3, "pre_releases": {"Some.Name": "allow"},
        },
    )  # fmt: skip
    assert options == Options(
        "build", slim=True, find_links=("wheels",), excludes=("tests/",), sources=("src", "more"),
        exclude_newer=when.isoformat(), timeout=3.0, pre_releases={"some-name": "allow"},
    )  # fmt: skip


def test_a_duration_counts_back_from_now() -> None:
    week = datetime.timedelta(days=7)
    before = datetime.datetime.now(datetime.timezone.utc)
    options = make_options("lock", None, {"exclude_newer": week})
    cut_off = build_settings(options).policy.exclude_newer
    assert cut_off is not None
    assert abs(cut_off - (before - week)) < datetime.timedelta(minutes=1)


def test_settings_are_values() -> None:
    settings = crossdeps.Settings(slim=True, exclude=["a"])
    assert settings == crossdeps.Settings(exclude=("a",), slim=True, handler=None)
    assert settings.replace(slim=None) == crossdeps.Settings(exclude="a")
    assert settings != crossdeps.Settings(slim=True)
    assert hash(settings) == hash(settings.replace())
    assert repr(settings) == "Settings(slim=True, exclude=('a',))"


def test_keywords_of_another_function_in_settings_are_ignored() -> None:
    settings = crossdeps.Settings(slim=True, offline=True, handler="app.handler")
    assert make_options("lock", settings, {}) == Options("lock", offline=True)
    assert make_options("check", settings, {}) == Options("check", handler="app.handler")


@pytest.mark.parametrize("path", [None, 5, b"pylock.toml"])
def test_a_lock_is_read_from_a_path(path: Any) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(crossdeps.UsageError, match="path must be the path of a lock, not"):
        crossdeps.Lock.read(path)
