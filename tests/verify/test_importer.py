"""What `check` says of the imports of a function, against the import by real interpreters."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.target.model import Target
from crossdeps.verify.model import Handler, RuntimeContext
from crossdeps.verify.module_names import stdlib_modules
from crossdeps.verify.registry import verify
from crossdeps.verify.stdlib_names import find_missing_stdlib, lacks_name, read_table
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding


MINORS = (9, 10, 11, 12, 13)
END = "\ndef handler(event, context): ...\n"
RUN = """
import sys
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[1:]
import app
app.handler
"""


def find_python(minor: int) -> Path:
    """The CPython of this machine with a minor version; the test is skipped if there is none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))
    if not found:
        pytest.skip(f"there is no CPython 3.{minor} under pyenv")
    return found[-1]


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def imports(
    minor: int, tmp_path: Path, function: Mapping[str, str], layer: Mapping[str, str]
) -> bool:
    """Whether the interpreter imports the handler, with the path of Lambda."""
    write(tmp_path / "task", function)
    write(tmp_path / "opt", layer)
    path = [tmp_path / "task", tmp_path / f"opt/python/lib/python3.{minor}/site-packages"]
    done = subprocess.run(
        [find_python(minor), "-I", "-c", RUN, *path, tmp_path / "opt/python"],
        cwd=tmp_path / "task",
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def errors(minor: int, function: Mapping[str, str], layer: Mapping[str, str]) -> list[Finding]:
    """The errors that are found in the function."""
    bundle = make_bundle(source={path: text.encode() for path, text in function.items()})
    layers: tuple[Bundle, ...] = ()
    if layer:
        data = {path: text.encode() for path, text in layer.items()}
        layers = (make_bundle(outside=data, prefix="python/"),)
    context = RuntimeContext(handler=Handler.parse("app.handler"), layers=layers)
    target = Target(python=f"3.{minor}", arch="x86_64")
    found = verify(bundle, target, runtime_context=context)
    return [finding for finding in found if finding.severity == "error"]


HERE = "import os, sys\nHERE = os.path.dirname(os.path.abspath(__file__))\n"
LIB = {
    "lib/dep.py": "x = 1",
    "lib/pkg/__init__.py": "import dep\nfrom . import mod",
    "lib/pkg/mod.py": "",
}
PATHS = [
    "import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))",
    "import sys\nfrom os.path import *\nsys.path.insert(0, join(dirname(__file__), 'lib'))",
    f"{HERE}sys.path.append(os.path.join(HERE, 'lib'))",
    f"{HERE}sys.path += [HERE + '/lib']",
    f"{HERE}sys.path = [f'{{HERE}}/lib'] + sys.path",
    f"{HERE}sys.path[:0] = [os.path.join(HERE, 'lib')]",
    f"{HERE}sys.path.extend([os.path.join(HERE, 'lib')])",
    f"{HERE}LIB = os.path.join(HERE, 'lib')\nif LIB not in sys.path:\n    sys.path.insert(0, LIB)",
    "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent / 'lib'))",
    "import sys, pathlib as p\nsys.path.append(str(p.Path(__file__).parents[0].joinpath('lib')))",
    "import sys, os\nsys.path.insert(0, os.path.join(os.getcwd(), 'lib'))",
    "import sys\nsys.path.insert(0, './lib')",
    "import sys\nsys.path.append('lib')",
    "import site, os\nsite.addsitedir(os.path.join(os.path.dirname(__file__), 'lib'))",
    f"{HERE}def add():\n    sys.path.insert(0, os.path.join(HERE, 'lib'))\nadd()",
    "import paths",
]
GUARDS = [
    "ERR = ImportError",
    "ERR = (ImportError, OSError)",
    "import builtins\nERR = builtins.ImportError",
    "BASE = (ModuleNotFoundError,)\nERR = BASE + (KeyError,)",
]
GOOD = "def f(): ...\nA, (B, *C) = 1, (2, 3)\nfor D in (1,): ...\nwith open(__file__) as E: ...\n"
GOOD += "if (F := 1): ...\nimport os.path as G, sys\nfrom json import dumps as H\ntry: 1 / 0\n"
GOOD += "except ZeroDivisionError as I: J = 1\ndef g():\n    global K\n    K = 1\ng()\nclass L: ..."
FUNCTIONS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    **{
        f"path {number}": (
            {
                "app.py": f"{text}\nimport dep, pkg.mod\nfrom dep import x{END}",
                "paths.py": f"{HERE}sys.path.insert(0, HERE + '/lib')",
                **LIB,
            },
            {},
        )
        for number, text in enumerate(PATHS)
    },
    "path too late": ({"app.py": f"import dep\n{PATHS[0]}{END}", **LIB}, {}),
    "path of another folder": (
        {"app.py": f"{PATHS[0].replace('lib', 'libs')}\nimport dep{END}", **LIB},
        {},
    ),
    "missing in an added folder": ({"app.py": f"{PATHS[0]}\nimport dep.more{END}", **LIB}, {}),
    **{
        f"guard {number}": ({"app.py": f"{text}\ntry:\n    import nope\nexcept ERR: ...{END}"}, {})
        for number, text in enumerate(GUARDS)
    },
    "guard of another error": (
        {"app.py": f"E = KeyError\ntry:\n    import nope\nexcept E: ...{END}"},
        {},
    ),
    **{
        f"standard library: {text}": ({"app.py": f"{text}{END}"}, {})
        for text in (
            "import asyncio.taskgroups",
            "from asyncio import taskgroups",
            "import importlib.resources.abc",
            "import tomllib",
            "import json.nothing",
            "import os.path, xml.etree.ElementTree, concurrent.futures.thread, collections.abc",
            "import email.mime.text, logging.handlers, xml.parsers.expat.errors, unittest.mock",
            "from typing import Self",
            "from datetime import UTC",
            "from collections import Mapping",
            "from collections.abc import Mapping",
            "from inspect import getargspec",
            "from itertools import batched",
            "from enum import StrEnum",
            "from typing import Annotated, List",
            "from math import gcd, lcm",
            "try:\n    from typing import Self\nexcept ImportError:\n    Self = None",
            "import sys\nif sys.version_info >= (3, 11):\n    from typing import Self",
            "from unittest.mock import Mock, patch",
            "from importlib import resources, metadata",
        )
    },
    "name": ({"app.py": f"from util import nope{END}", "util.py": "yes = 1"}, {}),
    "names": (
        {"app.py": f"from util import {', '.join('ABCDEFGHJKL')}, f{END}", "util.py": GOOD},
        {},
    ),
    "local name": ({"app.py": f"from util import x{END}", "util.py": "def f():\n    x = 1"}, {}),
    "name by star": (
        {"app.py": f"from util import dumps{END}", "util.py": "from json import *"},
        {},
    ),
    "name by getattr": (
        {"app.py": f"from util import x{END}", "util.py": "def __getattr__(n): return 1"},
        {},
    ),
    "name by globals": (
        {"app.py": f"from util import x{END}", "util.py": "globals()['x'] = 1"},
        {},
    ),
    "name by another": (
        {
            "app.py": f"import util, main\nfrom util import x{END}",
            "util.py": "",
            "main.py": "import util\nutil.x = 1",
        },
        {},
    ),
    "name of a module": (
        {"app.py": f"from util import x, __name__{END}", "util/__init__.py": "", "util/x.py": ""},
        {},
    ),
    "name in a package": (
        {"app.py": f"from util import y{END}", "util/__init__.py": "", "util/x.py": ""},
        {},
    ),
    "folder like a module": ({"app.py": f"import code.x{END}", "code/x.py": ""}, {}),
    "package like a module": (
        {"app.py": f"import code.x{END}", "code/x.py": "", "code/__init__.py": ""},
        {},
    ),
    "module beside a folder": (
        {"app.py": f"import util.x{END}", "util/x.py": "", "util.py": ""},
        {},
    ),
    "hidden by a package": (
        {"app.py": f"import google.protobuf{END}", "google/__init__.py": ""},
        {"python/google/protobuf/__init__.py": ""},
    ),
    "from a hidden package": (
        {"app.py": f"from google import protobuf{END}", "google/__init__.py": ""},
        {"python/google/protobuf/__init__.py": ""},
    ),
    "a package that is extended": (
        {
            "app.py": f"import google.protobuf{END}",
            "google/__init__.py": "import pkgutil as p\n__path__ = p.extend_path([], 'google')",
        },
        {"python/google/__init__.py": "", "python/google/protobuf/__init__.py": ""},
    ),
    "portions of a namespace": (
        {"app.py": f"import google.protobuf, google.own{END}", "google/own.py": ""},
        {"python/google/protobuf/__init__.py": ""},
    ),
    "a namespace that a layer's package hides": (
        {"app.py": f"import google.own{END}", "google/own.py": ""},
        {"python/google/__init__.py": ""},
    ),
    "a layer's module": ({"app.py": f"from dep import x{END}"}, {"python/dep.py": "x = 1"}),
}


@pytest.mark.subprocess
@pytest.mark.parametrize("minor", MINORS)
def test_check_agrees_with_the_importer(minor: int, tmp_path: Path) -> None:
    """An error where the import fails, and none where it succeeds."""
    find_python(minor)
    wrong = []
    for number, (name, (function, layer)) in enumerate(FUNCTIONS.items()):
        works = imports(minor, tmp_path / str(number), function, layer)
        found = errors(minor, function, layer)
        if works == bool(found):
            wrong.append((name, works, [finding.message for finding in found]))
    assert wrong == []


def test_an_unknown_directory_makes_missing_modules_uncertain() -> None:
    source = {
        "app.py": b"import sys, nope\nsys.path.append('/mnt/efs/lib')\nimport dep" + END.encode()
    }
    context = RuntimeContext(handler=Handler.parse("app.handler"))
    target = Target.runtime("python3.12", arch="arm64")
    found = verify(make_bundle(source=source), target, runtime_context=context)
    assert [(item.severity, item.message.split()[2].rstrip(",")) for item in found] == [
        ("error", "nope"),
        ("warning", "dep"),
    ]
    assert "sys.path" in (found[1].hint or "")


SURVEY = """
import importlib, importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
def finds(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False
modules, names = json.load(sys.stdin)
print(json.dumps([
    [module for module in modules if not finds(module)],
    [(module, name) for module, name in names
     if finds(module) and not hasattr(importlib.import_module(module), name)],
]))
"""


@pytest.mark.subprocess
@pytest.mark.parametrize("minor", MINORS)
def test_the_table_of_the_standard_library_is_true(minor: int) -> None:
    """What it says to be missing is, and the rest is there."""
    table, python = read_table(), (3, minor)
    modules = [f"{parent}.{name}" for parent, names in table.modules.items() for name in names]
    names = [(module, name) for module, found in table.names.items() for name in found]
    done = subprocess.run(
        [find_python(minor), "-I", "-c", SURVEY],
        input=json.dumps([modules, names]),
        capture_output=True,
        text=True,
        check=True,
    )
    missing_modules, missing_names = json.loads(done.stdout)
    ours = [module for module in modules if find_missing_stdlib(module, python)]
    listed = stdlib_modules(python) - table.unlisted
    known = [item for item in ours if item.partition(".")[0] in listed]
    expected = [item for item in missing_modules if item.partition(".")[0] in listed]
    assert sorted(known) == sorted(expected)
    assert [item for item in missing_names if not lacks_name(item[0], item[1], python)] == []


PYTHON_2 = "print 'no'\n"
# Files of a project; what app.py runs; minor versions in which that fails.
PROJECTS: dict[str, tuple[dict[str, str], str]] = {
    "python 2": ({"dep/__init__.py": PYTHON_2}, "import dep"),
    "python 2 below": ({"dep/__init__.py": "", "dep/old.py": PYTHON_2}, "import dep"),
    "python 2 below, imported": ({"dep/__init__.py": "", "dep/old.py": PYTHON_2}, "import dep.old"),
    "imported by another": (
        {
            "dep/__init__.py": "from . import a",
            "dep/a.py": "from .b import *",
            "dep/b.py": PYTHON_2,
        },
        "from dep import a",
    ),
    "not for this version": (
        {
            "dep/__init__.py": "import sys\nif sys.version_info[0] == 2:\n    from . import old",
            "dep/old.py": PYTHON_2,
        },
        "import dep",
    ),
    "later": (
        {"dep/__init__.py": "def f():\n    from . import old", "dep/old.py": PYTHON_2},
        "import dep",
    ),
    "guarded": (
        {
            "dep/__init__.py": "try:\n    from . import new\nexcept SyntaxError:\n    new = None",
            "dep/new.py": "match 1:\n    case 1: ...",
        },
        "import dep",
    ),
    "match": ({"dep.py": "match 1:\n    case 1: x = 1"}, "import dep"),
    "exception groups": ({"dep.py": "try: ...\nexcept* ValueError: ..."}, "import dep"),
    "type parameters": ({"dep.py": "def f[T](x: T) -> T: ..."}, "import dep"),
    "quotes": ({"dep.py": "a = {'b': 1}\nx = f'{a['b']}'"}, "import dep"),
    "async": ({"dep.py": "def f(async=1): ..."}, "import dep"),
    "template": ({"dep/__init__.py": "", "dep/templates/x.py": "{{ name }} = 1"}, "import dep"),
}


@pytest.mark.subprocess
@pytest.mark.parametrize("minor", MINORS)
def test_source_of_projects_counts_where_imports_reach_it(minor: int, tmp_path: Path) -> None:
    """An error where the import fails, and none where it succeeds."""
    wrong = []
    for number, (name, (files, text)) in enumerate(PROJECTS.items()):
        app = {"app.py": text + END}
        works = imports(minor, tmp_path / str(number), {**app, **files}, {})
        project = FakeProject("dep", files={path: text.encode() for path, text in files.items()})
        bundle = make_bundle(project, source={path: text.encode() for path, text in app.items()})
        context = RuntimeContext(handler=Handler.parse("app.handler"))
        target = Target(python=f"3.{minor}", arch="x86_64")
        found = [item.rule for item in verify(bundle, target, runtime_context=context)]
        if found != ([] if works else ["source-syntax"]):
            wrong.append((name, works, found))
        assert verify(bundle, target) == ()
    assert wrong == []


BACKPORTS: dict[str, dict[str, str]] = {
    "asyncio": {
        "asyncio/__init__.py": "from .tasks import *",
        "asyncio/tasks.py": "def async(coroutine): ...",
    },
    "uuid": {"uuid.py": "raise ValueError, 'text'"},
    "pathlib": {"pathlib.py": "from collections import Sequence\nclass Path: ..."},
    "enum": {"enum/__init__.py": "class Enum: ...\nclass IntEnum: ..."},
    "contextvars": {"contextvars.py": "class ContextVar: ..."},
}


@pytest.mark.subprocess
@pytest.mark.parametrize("minor", MINORS)
def test_backports_that_fail_are_errors(minor: int, tmp_path: Path) -> None:
    """Their import fails, or that of re, which needs enum; of others there is a warning."""
    for name, files in BACKPORTS.items():
        write(tmp_path / name, files)
        script = f"import sys; sys.path.insert(0, {str(tmp_path / name)!r}); import {name}, re"
        done = subprocess.run(
            [find_python(minor), "-I", "-S", "-c", script], capture_output=True, check=False
        )
        data = {path: text.encode() for path, text in files.items()}
        bundle = make_bundle(FakeProject(name, files=data))
        (finding,) = verify(bundle, Target(python=f"3.{minor}", arch="x86_64"))
        assert finding.rule == ("breaks-stdlib" if done.returncode else "shadows-stdlib"), name


@pytest.mark.parametrize(
    ("runtime", "severities"),
    [("python3.10", []), ("python3.11", []), ("python3.12", ["warning"]), (None, ["warning"])],
)
@pytest.mark.parametrize("in_layer", [False, True])
def test_directories_of_pth_files(
    runtime: str | None, severities: list[str], *, in_layer: bool
) -> None:
    """Two runtimes were seen to read them, as Python does in site directories."""
    target = Target(python="3.11", arch="x86_64")
    if runtime:
        target = Target.runtime(runtime, arch="x86_64")
    files = {"v.pth": b"# of a tool\nvendor\n", "vendor/bar.py": b""}
    layer = make_bundle(outside={f"python/{k}": v for k, v in files.items()}, prefix="python/")
    bundle = make_bundle(source={"app.py": b"import bar\ndef handler(e, c): ...\n", **files})
    if in_layer:
        bundle = make_bundle(source={"app.py": b"import bar\ndef handler(e, c): ...\n"})
    context = RuntimeContext(
        handler=Handler.parse("app.handler"), layers=(layer,) if in_layer else ()
    )
    found = verify(bundle, target, runtime_context=context)
    assert [finding.severity for finding in found] == severities


def test_directories_of_pth_files_below_the_root_are_not_read() -> None:
    source = {"app.py": b"import bar\ndef handler(e, c): ...\n", "sub/v.pth": b"../vendor\n"}
    bundle = make_bundle(source={**source, "vendor/bar.py": b""})
    context = RuntimeContext(handler=Handler.parse("app.handler"))
    found = verify(bundle, Target.runtime("python3.11", arch="x86_64"), runtime_context=context)
    assert [(finding.rule, finding.severity) for finding in found] == [("missing-import", "error")]
