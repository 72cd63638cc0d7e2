"""Rules on names, modes, start-up files, bytecode and size."""

from __future__ import annotations

import py_compile
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from crossdeps.target.model import Target
from crossdeps.verify.module_names import stdlib_modules
from crossdeps.verify.registry import verify
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.finding import Finding

PY39 = Target.runtime("python3.9", arch="x86_64")
PY312 = Target.runtime("python3.12", arch="x86_64")
PLAIN = Target(python="3.9", arch="x86_64")


def found(*paths: str, target: Target = PY39, prefix: str = "") -> list[str]:
    """The rules that find something in a bundle of empty files, beside a module."""
    bundle = make_bundle(source=dict.fromkeys((*paths, "app.py"), b""), prefix=prefix)
    return [finding.rule for finding in verify(bundle, target)]


def item(bundle: Bundle, target: Target = PY39) -> Finding:
    (finding,) = verify(bundle, target)
    return finding


@pytest.mark.parametrize("prefix", ["", "python/"])
@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("queue.py", ["shadows-stdlib"]),
        ("enum/__init__.py", ["shadows-stdlib"]),
        ("array.cpython-39-x86_64-linux-gnu.so", ["damaged-binary", "shadows-stdlib"]),
        ("distutils/__init__.py", ["shadows-stdlib"]),
        ("awslambdaric/__init__.py", ["shadows-runtime"]),
        ("demo/queue.py", []),
        ("concurrent/demo.py", []),
        ("typing_extensions.py", []),
        ("queue.txt", []),
        ("queue.json.py", []),
        ("tests/__init__.py", []),
        ("tomllib/__init__.py", []),
    ],
)
def test_top_level_names(path: str, rules: list[str], prefix: str) -> None:
    assert found(path, prefix=prefix) == rules


def test_the_standard_library_is_that_of_the_target() -> None:
    assert found("distutils/__init__.py", target=PY312) == []
    assert found("tomllib/__init__.py", target=PY312) == ["shadows-stdlib"]
    assert found("awslambdaric/__init__.py", target=PLAIN) == []


def test_each_python_has_its_own_standard_library() -> None:
    assert stdlib_modules((3, 10)) >= {"asyncio", "distutils", "binhex"}
    assert "formatter" in stdlib_modules((3, 9)) - stdlib_modules((3, 10))
    assert "zoneinfo" in stdlib_modules((3, 9)) - stdlib_modules((3, 8))
    assert "macpath" in stdlib_modules((3, 7)) - stdlib_modules((3, 8))
    assert "telnetlib" in stdlib_modules((3, 12)) - stdlib_modules((3, 13))
    assert "annotationlib" in stdlib_modules((3, 14)) - stdlib_modules((3, 13))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the table is read off older ones")
def test_the_table_is_what_this_python_says() -> None:
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    assert stdlib_modules(sys.version_info[:2]) == public | {"__future__"}


def test_paths_that_differ_in_case_only() -> None:
    finding = item(make_bundle(source={"demo/README": b"", "demo/readme": b"", "demo/x.py": b""}))
    assert finding.rule == "case-collision"
    assert finding.message == "demo/README and demo/readme differ only in case"


@pytest.mark.parametrize(
    ("mode", "rules"),
    [
        (0o644, []),
        (0o755, []),
        (0o600, ["unreadable-mode"]),
        (0o640, ["unreadable-mode"]),
        (0o100600, ["unreadable-mode"]),
        # a zip written without Unix modes
        (0, []),
    ],
)
def test_modes(mode: int, rules: list[str]) -> None:
    bundle = make_bundle(FakeProject("demo"), modes={"demo/__init__.py": mode})
    assert [finding.rule for finding in verify(bundle, PY39)] == rules


@pytest.mark.parametrize(
    ("name", "text", "rules"),
    [
        ("__editable__.demo-1.0.pth", "/home/me/demo/src\n", ["editable-install"]),
        ("__editable__.demo-1.0.pth", "import __editable___demo_finder\n", ["editable-install"]),
        ("easy-install.pth", "# paths\nC:\\work\\demo\n", ["editable-install"]),
        ("a1_coverage.pth", "import coverage; coverage.process_startup()\n", ["startup-code"]),
        ("distutils-precedence.pth", "import os; os.environ\n", []),
        ("google-nspkg.pth", "import sys, types, os\n", []),
        ("vendored.pth", "vendor\n", []),
        ("demo/nested.pth", "/home/me\n", []),
    ],
)
def test_pth_files(name: str, text: str, rules: list[str]) -> None:
    bundle = make_bundle(source={name: text.encode(), "app.py": b""})
    assert [finding.rule for finding in verify(bundle, PY39)] == rules


@pytest.mark.parametrize(
    ("path", "first_line", "rules"),
    [
        ("bin/demo", "#!/home/me/venv/bin/python", ["host-script"]),
        ("bin/demo", "#! /Library/Frameworks/Python.framework/bin/python3.9", ["host-script"]),
        ("bin/demo", "#!/usr/bin/env python3", []),
        ("bin/demo", "#!/bin/sh", []),
        ("bin/demo", "import os", []),
        ("demo/bin/demo", "#!/home/me/venv/bin/python", []),
        ("demo.py", "#!/home/me/venv/bin/python", []),
    ],
)
def test_scripts(path: str, first_line: str, rules: list[str]) -> None:
    bundle = make_bundle(source={path: f"{first_line}\nmain()\n".encode(), "app.py": b""})
    assert [finding.rule for finding in verify(bundle, PY39)] == rules


def test_scripts_of_one_host_are_reported_once() -> None:
    script = b"#!/builder/bin/python\n"
    finding = item(make_bundle(source={"bin/a": script, "bin/b": script}))
    assert finding.message == (
        "2 scripts start with /builder/bin/python, which may not be on the target"
    )


def test_bytecode_caches_are_reported_once_for_each_python() -> None:
    bundle = make_bundle(
        source={
            "demo/__pycache__/a.cpython-39.pyc": bytes(600),
            "demo/__pycache__/a.cpython-311.pyc": bytes(500),
            "demo/__pycache__/b.cpython-311.opt-1.pyc": bytes(700),
            "demo/__pycache__/odd.pyc": bytes(1),
            "demo/a.py": b"",
        }
    )
    assert [(item.rule, item.message) for item in verify(bundle, PY39)] == [
        (
            "bytecode",
            "2 bytecode files of CPython 3.11 (1,200 bytes), which the target cannot use",
        ),
        (
            "bytecode",
            "1 bytecode file of CPython 3.9 (600 bytes), which the target will recompile",
        ),
        (
            "bytecode",
            "1 bytecode file of an unknown Python (1 bytes), which the target cannot use",
        ),
    ]


def test_a_module_that_is_only_bytecode(tmp_path: Path) -> None:
    """Python imports a lone .pyc, if it is its own."""
    source = tmp_path / "demo.py"
    source.write_text("")
    compiled = py_compile.compile(str(source), cfile=str(tmp_path / "demo.pyc"))
    assert compiled is not None
    data = (tmp_path / "demo.pyc").read_bytes()
    alone = make_bundle(source={"demo.pyc": data})
    with_source = make_bundle(source={"demo.pyc": data, "demo.py": b""})
    own = Target(python="{}.{}".format(*sys.version_info), arch="x86_64")
    other = Target(python="3.8", arch="x86_64")
    assert verify(alone, own) == ()
    assert item(alone, other).rule == "bytecode-only"
    assert verify(with_source, other) == ()


def test_size() -> None:
    project = FakeProject("big", files={"big/data": b"x"})
    bundle = make_bundle(project, FakeProject("small"))
    (data,) = (entry for entry in bundle.entries if entry.path == "big/data")
    rest = bundle.size - data.size
    full = msgspec.structs.replace(data, size=262_144_000 - rest)
    over = msgspec.structs.replace(full, size=full.size + 1)

    def with_data(entry: Entry) -> Bundle:
        entries = tuple(entry if item is data else item for item in bundle.entries)
        return msgspec.structs.replace(bundle, kind="planned", entries=entries)

    assert verify(with_data(full), PY39) == ()
    finding = item(with_data(over))
    assert (finding.rule, finding.severity) == ("too-large", "error")
    assert finding.message == (
        "the artifact has 262,144,001 bytes unzipped; python3.9 accepts 262,144,000"
    )
    assert finding.hint is not None
    assert "big 1.0" in finding.details[0]
    assert verify(with_data(over), PLAIN) == ()
