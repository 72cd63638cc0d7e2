"""Markers are decided by the target, from any host: here from two that answer wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

LINES = {
    "on-arm": 'platform_machine == "aarch64"',
    "on-intel": 'platform_machine == "x86_64"',
    "on-mac": 'sys_platform == "darwin"',
    "on-linux": 'sys_platform == "linux" and os_name == "posix"',
    "on-windows": 'platform_system == "Windows"',
    "on-old": 'python_version < "3.10"',
    "on-new": 'python_full_version >= "3.12.1"',
    "on-pypy": 'implementation_name == "pypy"',
}


@pytest.mark.usefixtures("poisoned_host")
@pytest.mark.parametrize(
    ("runtime", "arch", "kept"),
    [
        ("python3.9", "x86_64", ["on-intel", "on-linux", "on-old"]),
        ("python3.9", "arm64", ["on-arm", "on-linux", "on-old"]),
        ("python3.12", "arm64", ["on-arm", "on-linux", "on-new"]),
    ],
)
def test_a_marker_is_decided_by_the_target(
    run: CommandLine, runtime: str, arch: str, kept: list[str]
) -> None:
    for name in LINES:
        run.index.add(make_wheel(name, "1.0"))
    run.index.add(
        make_wheel("all", "1.0", requires=[f"{name}; {text}" for name, text in LINES.items()])
    )
    for asked in (["all"], [f"{name}; {marker}" for name, marker in LINES.items()]):
        target = ("--runtime", runtime, "--arch", arch)
        told = run("build", *asked, "--json", "--dry-run", *target)
        assert told.code == 0, told.err
        names = [package["name"] for package in told.document["packages"]]
        assert [name for name in names if name != "all"] == sorted(kept)


@pytest.mark.usefixtures("poisoned_host")
def test_every_verb_works_from_a_host_that_says_nothing(run: CommandLine) -> None:
    """No Python of the target is looked for, nor anything else of the host (A15, A19)."""
    target = ("--runtime", "python3.12", "--arch", "arm64")
    assert run("build", "tree", "-o", "out.zip", *target).code == 0
    assert run("check", "out.zip", *target).code == 0
    assert run("lock", "tree", *target).code == 0
    assert run("build", "pylock.toml", "-o", "again.zip", *target).code == 0
    assert run("why", "pure", "-r", "pylock.toml", *target).code == 0
    assert run("tags", *target).code == 0
    item, two = (run.folder / name for name in ("out.zip", "again.zip"))
    assert item.read_bytes() == two.read_bytes()
