from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.code_uses import imported_modules
from crossdeps.bundle.model import Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.read import read_bundle
from crossdeps.bundle.slimming import find_removable
from crossdeps.bundle.write import write_zip
from tests.support.elf_factory import make_elf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker


def left_out(
    wheel: WheelMaker,
    target: Target,
    files: Mapping[str, str],
    *,
    prefix: str = "",
    include: tuple[str, ...] = (),
    sources: tuple[Path, ...] = (),
) -> set[str]:
    made = wheel("a", files=files)
    layout = Layout(slim=True, prefix=prefix, include=include, sources=sources)
    bundle = plan_bundle([made], target, layout)
    kept = {entry.path.removeprefix(prefix) for entry in bundle.entries}
    saved = sum(size for _, _, size in bundle.removed)
    assert saved == sum(len(text) for path, text in files.items() if path not in kept)
    return set(files) - kept


CASES: dict[str, tuple[dict[str, str], set[str]]] = {
    "tests": (
        {"a/__init__.py": "", "a/tests/__init__.py": "", "a/tests/data/x.bin": "1"},
        {"a/tests/__init__.py", "a/tests/data/x.bin"},
    ),
    "tests by other names": (
        {"a/x.py": "", "a/test/t.py": "", "a/SelfTest/s.py": "", "tests/t.py": ""},
        {"a/test/t.py", "a/SelfTest/s.py", "tests/t.py"},
    ),
    "not tests": (
        {"a/testing/x.py": "", "a/tests.py": "", "a/test.py": "", "a/data/test/x.json": ""},
        set(),
    ),
    "a project that is a package of that name": ({"tests/x.py": "", "tests/y.py": ""}, set()),
    "a test module that a package imports": (
        {
            "a/core/__init__.py": "",
            "a/core/tests/__init__.py": "",
            "a/core/tests/_used.py": "from . import _helper",
            "a/core/tests/_helper.py": "",
            "a/core/tests/test_x.py": "import a.core.tests._lost",
            "a/core/tests/_lost.py": "",
            "a/testing.py": "def f():\n    from a.core.tests._used import NA\n",
        },
        {"a/core/tests/test_x.py", "a/core/tests/_lost.py"},
    ),
    "a relative import": (
        {
            "a/sub/x.py": "from ..tests import (\n    one, # why\n    two as three,\n)",
            "a/tests/one.py": "",
            "a/tests/two.py": "",
            "a/tests/four.py": "",
        },
        {"a/tests/four.py"},
    ),
    "an import by name": (
        {"a/x.py": "import_module('a.tests.one')", "a/tests/one.py": "", "a/tests/two.py": ""},
        {"a/tests/two.py"},
    ),
    "stubs": (
        {"a/x.py": "", "a/x.pyi": "1", "a/py.typed": "", "a/native.pyi": ""},
        {"a/x.pyi", "a/native.pyi"},
    ),
    "stubs that a lazy loader reads": (
        {
            "a/__init__.py": "import lazy_loader\nlazy_loader.attach_stub(__name__, __file__)",
            "a/__init__.pyi": "from .x import y",
            "a/x.pyi": "",
        },
        {"a/x.pyi"},
    ),
    "native sources": (
        {"a/m.py": "12", "a/x.c": "1", "a/y.pyx": "", "a/z.pxd": "", "a/include/a.HPP": "",
         "a/lib/liba.a": ""},
        {"a/x.c", "a/y.pyx", "a/z.pxd", "a/include/a.HPP", "a/lib/liba.a"},
    ),
    "a source that is compiled at run time": (
        {
            "a/driver.py": "os.path.join(here, 'Driver.c')",
            "a/Driver.c": "",
            "a/other.c": "",
            "a/driver.h": "",
            "a/include/x.hpp": "",
            "b/x.h": "",
        },
        {"a/other.c", "b/x.h"},
    ),
    "a source that a comment mentions": (
        {"a/driver.py": "# see _speedups.pyx and its a/x.h", "a/_speedups.pyx": "", "a/y.h": ""},
        {"a/y.h"},
    ),
    "headers that generated code includes": (
        {"a/x.py": "code = '#include <a/api.h>'", "a/inc/api.h": "", "a/inc/more.h": "", "b.h": ""},
        {"b.h"},
    ),
    "a compiler": (
        {
            "a/find.py": "if path.endswith('.pxd') or glob('*.pxi') or name == f'{name}.pyx': pass",
            "a/Includes/libc/math.pxd": "1",
            "a/Includes/x.pxi": "",
            "a/x.pyx": "",
            "a/x.c": "",
        },
        {"a/x.c"},
    ),
    "endings in prose": (
        {"a/x.py": "# the .pxd files\n'see x.pyi'", "a/x.pxd": "", "a/x.pyi": ""},
        {"a/x.pxd", "a/x.pyi"},
    ),
    "a type checker": (
        {"a/x.py": "if name.endswith('.pyi'): pass", "a/x.pyi": "", "a/typeshed/os.pyi": ""},
        set(),
    ),
    "stubs that are read by another program": (
        {"a/x.py": "", "a/x.pyi": "", "a/typeshed/stdlib/os/__init__.pyi": ""},
        {"a/x.pyi"},
    ),
    "stubs of a native package": (
        {
            "a/x.py": "",
            "a/_c.cpython-312-x86_64-linux-gnu.so": "",
            "a/_c/__init__.pyi": "",
            "a/_c/sub/__init__.pyi": "",
        },
        {"a/_c/__init__.pyi", "a/_c/sub/__init__.pyi"},
    ),
    "stubs of another project": (
        {"b-stubs/x.pyi": "", "b-stubs/y/__init__.pyi": ""},
        {"b-stubs/x.pyi", "b-stubs/y/__init__.pyi"},
    ),
    "a project of headers": (
        {"a/x.py": "1", "a/include/a.h": "1" * 2000, "a/x.pyi": ""},
        {"a/x.pyi"},
    ),
    "helpers for the tests of others": (
        {
            "a/x.py": "'>>> from a.test.utils import datapath'",
            "a/y.py": "# like `a.test.proto.Transport`, see a.test.test_x and a.test.conftest.f",
            "a/test/__init__.py": "",
            "a/test/utils.py": "from . import more\njoin(here, 'test_data', name)",
            "a/test/more.py": "",
            "a/test/proto.py": "",
            "a/test/test_x.py": "",
            "a/test/conftest.py": "",
            "a/test/test_data/x.bin": "1",
            "a/test/other_data/x.bin": "",
        },
        {"a/test/test_x.py", "a/test/conftest.py", "a/test/other_data/x.bin"},
    ),
    "data of tests that code names": (
        {
            "a/x.py": "open(f'{here}/tests/sample.json')",
            "a/tests/t.py": "",
            "a/tests/sample.json": "1",
            "a/tests/other.json": "",
        },
        {"a/tests/t.py", "a/tests/other.json"},
    ),
    "documents that code names": (
        {"a/x.py": "open('docs/help.txt')", "a/docs/help.txt": "", "a/docs/other.txt": ""},
        {"a/docs/other.txt"},
    ),
    "modules of tests that code names as files": (
        {"a/x.py": "exists('__init__.py')", "a/tests/__init__.py": "", "a/tests/t.py": ""},
        {"a/tests/__init__.py", "a/tests/t.py"},
    ),
    "documents that code searches": (
        {"a/x.py": "Path(__file__).parent.rglob('*.md')", "a/docs/x.md": "", "a/docs/y.rst": ""},
        {"a/docs/y.rst"},
    ),
    "documents": (
        {"a/docs/x.rst": "", "a/docs/deep/y.md": "", "a/docs/page.html": "", "a/README.md": ""},
        {"a/docs/x.rst", "a/docs/deep/y.md"},
    ),
    "man pages": (
        {"a-1.0.data/data/share/man/man1/a.1": "1"},
        {"a-1.0.data/data/share/man/man1/a.1"},
    ),
    "a package called docs": ({"a/docs/__init__.py": "", "a/docs/t.txt": ""}, set()),
    "licences": ({"a/x.py": "", "a/docs/LICENSE.txt": "", "a/tests/COPYING": "",
                  "a/tests/t.py": ""}, {"a/tests/t.py"}),
    "metadata": (
        {"a-1.0.dist-info/licenses/docs/x.txt": "", "a-1.0.dist-info/sboms/b.h": ""},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "python/"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_left_out(wheel: WheelMaker, target: Target, case: str, prefix: str) -> None:
    files, expected = CASES[case]
    assert left_out(wheel, target, files, prefix=prefix) == expected


def test_what_a_program_reads_is_left(wheel: WheelMaker, target: Target) -> None:
    """Whether it is linked to a fixed address or not; a library is no program."""
    files: dict[str, str | bytes] = {"a/x.py": "12", "a/lib/stdio.h": "", "a/m.c": ""}
    nothing: set[str] = set()
    for name, elf, removed in (
        ("a/bin/zig", make_elf(kind=2), nothing),
        ("a/bin/sh", Path("/bin/sh").read_bytes(), nothing),
        ("a/bin/libzig.so", make_elf(), {"a/lib/stdio.h", "a/m.c"}),
    ):
        bundle = plan_bundle([wheel("a", files={**files, name: elf})], target, Layout(slim=True))
        assert {*files} - {entry.path for entry in bundle.entries} == removed, name


@pytest.mark.parametrize("case", CASES)
def test_an_artifact_that_is_read_is_judged_by_the_same_rules(
    wheel: WheelMaker, target: Target, tmp_path: Path, case: str
) -> None:
    """The advice of ``check`` on the size depends on it."""
    bundle = plan_bundle([wheel("a", files=CASES[case][0])], target, Layout())
    write_zip(bundle, tmp_path / "a.zip")
    found = find_removable(read_bundle(tmp_path / "a.zip").entries, "")
    assert found == find_removable(bundle.entries, "")


def test_an_include_glob_wins(wheel: WheelMaker, target: Target) -> None:
    files = {"a/x.py": "", "a/tests/t.py": "", "a/x.pyi": ""}
    assert left_out(wheel, target, files, include=("a/tests/",)) == {"a/x.pyi"}


def test_the_users_source_keeps_what_it_has_and_uses(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/mine.py").write_text("")
    (tmp_path / "mine.c").write_text("")
    (tmp_path / "app.py").write_text("import a.test.client as c")
    files = {"a/__init__.py": "", "a/test/client.py": "", "a/test/other.py": ""}
    assert left_out(wheel, target, files, sources=(tmp_path,)) == {"a/test/other.py"}


def test_nothing_is_left_out_unasked(wheel: WheelMaker, target: Target) -> None:
    bundle = plan_bundle([wheel("a", files=CASES["tests"][0])], target, Layout())
    assert bundle.removed == ()
    assert any("tests" in entry.path for entry in bundle.entries)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a.b as c, d", {"a.b", "d"}),
        ("from a.b import c as d, e", {"a.b", "a.b.c", "a.b.e"}),
        ("from . import x", {"p.q", "p.q.x"}),
        ("from ..r import x", {"p.r", "p.r.x"}),
        ("from .... import x", {"x", ""}),
        ("from a import (b, # comment\n  c\n)", {"a", "a.b", "a.c"}),
        ("from a import *", {"a", "a.*"}),
        ("  import x; import y", {"x", "y"}),
        ("import ,", {""}),
        ("x = 'a.b'", {"a.b"}),
    ],
)
def test_imports_are_read_as_text(text: str, expected: set[str]) -> None:
    assert set(imported_modules("p/q/m.py", text.encode())) == expected
