from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from crossdeps.bundle.model import Layout
from crossdeps.bundle.placement import make_launchers, make_portable
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_directory
from crossdeps.errors import WheelError

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker


def test_a_launcher_finds_its_packages_wherever_it_lies(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    """No path of the machine that built it, and none is needed on the one that runs it."""
    made = wheel(
        "a",
        files={
            "a/__init__.py": "class Cli:\n    @staticmethod\n    def main():\n        return 7\n"
        },
        entry_points={"console_scripts": {"run": "a:Cli.main [extra]"}},
    )
    write_directory(plan_bundle([made], target, Layout()), tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "moved")
    launcher = tmp_path / "moved" / "bin" / "run"
    text = launcher.read_text()
    assert text.startswith("#!/usr/bin/env python3\n")
    assert str(tmp_path) not in text
    compile(text, "run", "exec")
    assert launcher.stat().st_mode & 0o777 == 0o755


@pytest.mark.subprocess
def test_a_launcher_runs(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    made = wheel(
        "a",
        files={
            "a/__init__.py": "class Cli:\n    @staticmethod\n    def main():\n        return 7\n"
        },
        entry_points={"console_scripts": {"run": "a:Cli.main [extra]"}},
    )
    write_directory(plan_bundle([made], target, Layout()), tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-I", "-B", tmp_path / "out" / "bin" / "run"], check=False
    )
    assert done.returncode == 7


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[console_scripts]\n../x = a:b", "entry-point-name"),
        ("[console_scripts]\na/b = a:b", "entry-point-name"),
        ("[gui_scripts]\nPython3.12 = a:b", "entry-point-name"),
        ("[console_scripts]\nx = a", "entry-point-reference"),
        ("[console_scripts]\nx = a:b()", "entry-point-reference"),
        ("[console_scripts]\nx = os;evil:b", "entry-point-reference"),
        ("[console_scripts]\nx = a.:b", "entry-point-reference"),
        ("no section", "entry-points-unreadable"),
        ("[console_scripts]\nx = a:b\nx = a:c", "entry-points-unreadable"),
    ],
)
def test_unsafe_entry_points_are_refused(
    wheel: WheelMaker, target: Target, text: str, rule: str
) -> None:
    """Whether its scripts are wanted or not: what is wrong there is wrong with the wheel (I119)."""
    made = replace(wheel("a"), entry_points=text)
    for scripts in (True, False):
        with pytest.raises(WheelError) as caught:
            plan_bundle([made], target, Layout(scripts=scripts))
        assert caught.value.rule == rule
        assert caught.value.context == (
            made.filename,
            "member 'a-1.0.dist-info/entry_points.txt'",
        )
        assert "--no-scripts" not in (caught.value.hint or "")


def test_one_name_in_both_groups_is_one_launcher(wheel: WheelMaker) -> None:
    """The console script's: on Linux both start alike."""
    text = "[console_scripts]\nx = a:console\n[gui_scripts]\nx = a:window"
    (launcher,) = make_launchers(replace(wheel("a"), entry_points=text))
    assert b"console()" in launcher.data


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"#!python\nx", b"#!/usr/bin/env python3\nx"),
        (b"#!pythonw\r\nx", b"#!/usr/bin/env python3\nx"),
        (b"#!python -E\nx", b"#!/usr/bin/env python3\nx"),
        (b"#!python", b"#!/usr/bin/env python3\n"),
        (b"#!python3\nx", None),
        (b"#!/usr/bin/python\nx", None),
        (b"\x7fELF", None),
        (b"", None),
    ],
)
def test_only_the_installers_python_is_replaced(script: bytes, expected: bytes | None) -> None:
    assert make_portable(script) == expected
