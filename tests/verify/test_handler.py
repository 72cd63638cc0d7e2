"""The handler, and what the user's source imports: parsed, never run."""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import UsageError
from crossdeps.target.model import Target
from crossdeps.target.runtimes import provided_projects
from crossdeps.verify.model import Handler, RuntimeContext
from crossdeps.verify.registry import verify
from tests.support.wheel_factory import make_elf
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding

PY39 = Target.runtime("python3.9", arch="x86_64")
PY311 = Target.runtime("python3.11", arch="x86_64")
PY312 = Target.runtime("python3.12", arch="x86_64")
PLAIN = Target(python="3.9", arch="x86_64")
HANDLER = "def handler(event, context): ...\n"


def check(
    source: Mapping[str, str],
    *projects: FakeProject,
    handler: str = "app.handler",
    target: Target = PY39,
    layers: tuple[Bundle, ...] = (),
    left_out: frozenset[str] = frozenset(),
    prefix: str = "",
) -> list[Finding]:
    """What is found in a bundle of *projects* and *source*."""
    data = {path: dedent(text).encode() for path, text in source.items()}
    runtime_context = RuntimeContext(
        layers=layers, handler=Handler.parse(handler), left_out=left_out
    )
    bundle = make_bundle(*projects, source=data, prefix=prefix)
    return list(verify(bundle, target, runtime_context=runtime_context))


def app(text: str, *projects: FakeProject, target: Target = PY39) -> list[Finding]:
    return check({"app.py": f"{dedent(text)}\n{HANDLER}"}, *projects, target=target)


def rules(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


@pytest.mark.parametrize(
    ("path", "handler"),
    [
        ("app.py", "app.handler"),
        ("src/app.py", "src/app.handler"),
        ("src/app.py", "src.app.handler"),
        ("app/__init__.py", "app.handler"),
        ("my-app.py", "my-app.handler"),
        ("my-src/app.py", "my-src/app.handler"),
        ("a/b/c.py", "a/b.c.handler"),
    ],
)
def test_the_handler_is_found(path: str, handler: str) -> None:
    assert check({path: HANDLER}, handler=handler) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        ".handler",
        "app.",
        "app handler",
        "app.han dler",
        "a..b",
        "/app.x",
        "1.x",
        "a." * 70,
    ],
)
def test_invalid_handlers_are_rejected(text: str) -> None:
    with pytest.raises(UsageError):
        Handler.parse(text)


def test_a_handler_module_in_another_folder() -> None:
    """The hint says where it is."""
    (finding,) = check({"src/app.py": HANDLER})
    assert finding.rule == "handler-module"
    assert "src/app.handler" in (finding.hint or "")


def test_a_handler_module_at_the_root() -> None:
    (finding,) = check({"app.py": f"import yaml\n{HANDLER}"}, handler="src/app.handler")
    assert finding.hint == "did you mean app.handler?"


def test_a_missing_handler_module() -> None:
    (finding,) = check({"main.py": f"import yaml\n{HANDLER}"})
    assert finding.rule == "handler-module"
    assert "--source" in (finding.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "def handler(event, context): ...",
        "def handler(event, context, more=1): ...",
        "def handler(*args): ...",
        "def handler(event, *rest): ...",
        "def handler(event, context=None, *, key=1): ...",
        "handler = lambda event, context: None",
        "from os.path import join as handler",
        "import json as handler",
        "class handler:\n    def __init__(self, event, context): ...",
        "if True:\n    def handler(event, context): ...",
        "try:\n    import json\nexcept ImportError:\n    handler = 1\nelse:\n    handler = 2",
        "handler: object = print",
        "(other, handler) = 1, 2",
        "@wraps\nasync def handler(): ...",
        "@wraps\ndef handler(): ...",
        "from json import *",
        "def __getattr__(name): ...",
        "with open('x') as handler: ...",
        "for handler in (): ...",
    ],
)
def test_a_function_that_can_be_called(text: str) -> None:
    assert check({"app.py": text}) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def handle(event, context): ...", "app.py does not define handler, which"),
        ("", "app.py does not define handler, which"),
        (
            "def outer():\n    def handler(event, context): ...",
            "app.py does not define handler, which",
        ),
        ("class A:\n    def handler(self, event): ...", "app.py does not define handler, which"),
        ("async def handler(event, context): ...", "coroutine"),
        ("def handler(): ...", "accepts no arguments"),
        ("def handler(event): ...", "accepts one argument"),
        ("def handler(a, b, c): ...", "requires 3 arguments"),
        ("def handler(event, context, *, key): ...", "keyword argument key"),
    ],
)
def test_a_function_that_cannot(text: str, problem: str) -> None:
    (finding,) = check({"app.py": text})
    assert finding.rule == "handler-function"
    assert problem in finding.message
    assert finding.path == "app.py"


def test_the_closest_name_is_suggested() -> None:
    (finding,) = check({"app.py": "def lambda_handler(event, context): ..."})
    assert "lambda_handler" in (finding.hint or "")


@pytest.mark.parametrize(
    ("text", "project", "severity"),
    [
        ("import yaml", "pyyaml", "error"),
        ("from PIL import Image", "pillow", "error"),
        ("import cv2, json", "opencv-python-headless", "error"),
        ("from google.cloud import storage", "google-cloud-storage", "error"),
        ("import sklearn.linear_model", "scikit-learn", "error"),
        ("import unheard_of", "unheard_of", "error"),
        ("class A:\n    import yaml", "pyyaml", "error"),
        ("def f():\n    import yaml", "pyyaml", "warning"),
        ("f = lambda: __import__('yaml')", "pyyaml", "warning"),
        ("import importlib; importlib.import_module('yaml')", "pyyaml", "error"),
        ("import os\nif os.environ.get('X'):\n    import yaml", "pyyaml", "warning"),
        ("try:\n    import yaml\nexcept ImportError:\n    raise RuntimeError", "pyyaml", "error"),
        ("try:\n    import json\nexcept KeyError:\n    import yaml", "pyyaml", "warning"),
        ("try:\n    import ujson\nexcept ImportError:\n    import yaml", "pyyaml", "error"),
        ("try:\n    pass\nfinally:\n    import yaml", "pyyaml", "error"),
        (
            "try:\n    import json\nexcept ImportError: ...\nelse:\n    import yaml",
            "pyyaml",
            "error",
        ),
        ("import sys\nif sys.version_info < (3, 10):\n    import yaml", "pyyaml", "error"),
        ("import sys\nif sys.platform == 'linux':\n    import yaml", "pyyaml", "error"),
        ("with open('x') as f:\n    import yaml", "pyyaml", "error"),
        ("import distutils_x", "distutils_x", "error"),
    ],
)
def test_a_missing_import(text: str, project: str, severity: str) -> None:
    """The finding shows the line and the project that likely provides the module."""
    (finding,) = app(text)
    assert finding.rule == ("missing-import" if severity == "error" else "missing-later-import")
    assert finding.severity == severity
    assert finding.message.startswith("app.py:")
    assert project in (finding.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "import json, os.path, concurrent.futures, _thread",
        "import boto3, botocore.config\nfrom dateutil import parser",
        "try:\n    import yaml\nexcept ImportError:\n    yaml = None",
        "try:\n    import yaml\nexcept (KeyError, ModuleNotFoundError): ...",
        "try:\n    import yaml\nexcept Exception: ...",
        "try:\n    import yaml\nexcept: ...",
        "try:\n    import yaml\nexcept ImportError: ...\nelse:\n    import pandas",
        "try:\n    import json\nexcept ImportError:\n    import simplejson2",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import yaml",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml",
        "import typing as t\nif t.TYPE_CHECKING:\n    import yaml",
        "import sys\nif sys.version_info >= (3, 10):\n    import yaml",
        "import sys\nif sys.version_info[0] == 2:\n    import yaml",
        "import sys\nif sys.version_info[:2] > (3, 9):\n    import yaml",
        "import sys\nif sys.version_info.minor == 8:\n    import yaml",
        "import sys\nif sys.platform.startswith('win'):\n    import yaml",
        "import os\nif os.name == 'nt' and os.environ:\n    import yaml",
        "import platform\nif platform.system() != 'Linux':\n    import yaml",
        "if __name__ == '__main__':\n    import yaml",
        "if False:\n    import yaml",
        "if not True or 0:\n    import yaml",
        "import importlib\nname = 'x'\nimportlib.import_module(name)",
        "import importlib\nimportlib.import_module('.x', 'y')",
        "from __future__ import annotations",
    ],
)
def test_a_harmless_import(text: str) -> None:
    assert app(text) == []


def test_the_same_missing_import_is_reported_once() -> None:
    """The first location is shown, with the number of the others."""
    (finding,) = app("import yaml\nimport yaml.nodes\ndef f():\n    import yaml")
    assert finding.message.startswith("app.py:1 imports yaml")
    assert "1 more" in finding.message


def test_the_standard_library_is_that_of_the_target() -> None:
    assert app("import distutils.core") == []
    (finding,) = app("import distutils.core", target=PY312)
    assert finding.rule == "missing-import"
    assert finding.hint == "it is not in the standard library of Python 3.12"
    (finding,) = app("import asyncore", target=PY312)
    assert "the project pyasyncore can replace it" in (finding.hint or "")
    (finding,) = app("import tomllib")
    assert "tomli" in (finding.hint or "")
    assert app("import tomllib", target=PY311) == []


def test_without_a_runtime_nothing_is_provided() -> None:
    (finding,) = app("import boto3", target=PLAIN)
    assert finding.rule == "missing-import"
    assert "--runtime" in (finding.hint or "")


def test_packaged_modules_are_found() -> None:
    yaml = FakeProject(
        "PyYAML",
        files={"yaml/__init__.py": b"", "yaml/_y.cpython-39-x86_64-linux-gnu.so": make_elf()},
    )
    speed = FakeProject("speed", files={"speed.abi3.so": make_elf()})
    assert app("import yaml.nodes, speed\nfrom yaml import _y, nothing", yaml, speed) == []


def test_namespace_packages_are_what_their_files_are() -> None:
    """PEP 420: below a folder without __init__, only what is there is there."""
    storage = FakeProject("google-cloud-storage", files={"google/cloud/storage/__init__.py": b""})
    assert app("from google.cloud import storage\nimport google.cloud.storage.x", storage) == []
    (finding,) = app("from google.cloud import storage, bigquery", storage)
    assert "google.cloud.bigquery" in finding.message
    assert "google-cloud-bigquery" in (finding.hint or "")
    (finding,) = app("import google.protobuf.message", storage)
    assert "protobuf" in (finding.hint or "")


def test_a_trimmed_module_is_known_by_its_record() -> None:
    """The project is in the package, and its RECORD has the module; the file isn't there."""
    row = ("sha256=x", "1")
    made = FakeProject(
        "numpy", files={}, record={"numpy/testing.py": row, "numpy/__init__.py": row}
    )
    findings = app("import numpy.testing", made)
    finding = next(item for item in findings if item.rule == "missing-import")
    assert "numpy contains it, but it was left out" in (finding.hint or "")


def test_source_is_followed_from_the_handler() -> None:
    """Missing imports at startup are errors; in files that the handler doesn't import, warnings."""
    source = {
        "app.py": f"from lib import used\n{HANDLER}",
        "lib/__init__.py": "import a_missing",
        "lib/used.py": "from . import deeper\nfrom .. import nothing",
        "lib/deeper.py": "import b_missing\ndef f():\n    from .late import x",
        "lib/late.py": "import c_missing as x",
        "tests/test_app.py": "import pytest",
    }
    severities = {
        item.message.split(" ")[0]: item.severity for item in check(source, FakeProject("other"))
    }
    assert severities == {
        "lib/__init__.py:1": "error",
        "lib/used.py:2": "error",
        "lib/deeper.py:1": "error",
        "lib/late.py:1": "warning",
        "tests/test_app.py:1": "warning",
    }


def test_own_modules_must_be_there() -> None:
    """In packages of the user every module is a file, unlike in those of projects."""
    source = {"app.py": f"import lib.gone\nfrom .x import y\n{HANDLER}", "lib/__init__.py": ""}
    gone, outside = check(source)
    assert "lib.gone" in gone.message
    assert "--exclude" in (gone.hint or "")
    assert "imports .x, a relative import beyond its top-level package" in outside.message


def test_optional_imports_may_fail_in_imported_modules() -> None:
    """A module of the user that is an optional import may have missing imports itself."""
    source = {
        "app.py": f"try:\n    from lib import fast\nexcept ImportError: ...\n{HANDLER}",
        "lib/__init__.py": "",
        "lib/fast.py": "import orjson\nfrom lib import faster",
        "lib/faster.py": "import ujson",
    }
    assert check(source, FakeProject("other")) == []
    source["app.py"] = f"from lib import fast\n{source['app.py']}"
    assert rules(check(source, FakeProject("other"))) == ["missing-import", "missing-import"]


@pytest.mark.parametrize(
    "text", ["import sys\nsys.modules['lib.x'] = sys", "__path__.append('vendored')"]
)
def test_packages_that_work_on_the_import_system_may_have_anything(text: str) -> None:
    assert check({"app.py": f"import lib.x\n{HANDLER}", "lib/__init__.py": text}) == []


def test_compiled_modules_may_have_anything() -> None:
    data = {"app.py": f"import lib.x\n{HANDLER}".encode(), "lib.abi3.so": make_elf()}
    runtime_context = RuntimeContext(handler=Handler.parse("app.handler"))
    assert verify(make_bundle(source=data), PY39, runtime_context=runtime_context) == ()


def test_a_nested_folder_is_named() -> None:
    source = {"app.py": f"import mypkg\n{HANDLER}", "src/mypkg/__init__.py": ""}
    (finding,) = check(source)
    assert "folder src" in (finding.hint or "")


def test_files_of_projects_are_not_read_without_a_handler() -> None:
    other = FakeProject("other", files={"other/__init__.py": b"import missing_everywhere"})
    bundle = make_bundle(other, source={"app.py": f"import other\n{HANDLER}".encode()})
    assert verify(bundle, PY39) == ()


def test_without_metadata_only_imported_files_are_read() -> None:
    """In a package without metadata, nothing says which files are the user's."""
    source = {"app.py": f"import lib\n{HANDLER}", "lib.py": "", "unused.py": "import yaml"}
    assert check(source) == []


@pytest.mark.parametrize("prefix", ["", "python/", "python/lib/python3.9/site-packages/"])
def test_layers_count(prefix: str) -> None:
    layer = make_bundle(
        FakeProject("yaml", files={"yaml/__init__.py": b""}), prefix=prefix or "python/"
    )
    assert check({"app.py": f"import yaml\n{HANDLER}"}, layers=(layer,)) == []


def test_a_layer_of_another_python_does_not() -> None:
    prefix = "python/lib/python3.12/site-packages/"
    layer = make_bundle(FakeProject("yml", files={"yaml/__init__.py": b""}), prefix=prefix)
    assert rules(check({"app.py": f"import yaml\n{HANDLER}"}, layers=(layer,))) == [
        "layer-for-another-python",
        "missing-import",
    ]


@pytest.mark.parametrize(
    ("text", "target", "rule"),
    [
        ("match x:\n    case 1: ...", PY39, "source-syntax"),
        ("def f(:", PY39, "source-syntax"),
        ("try: ...\nexcept* ValueError: ...", PY39, "source-syntax"),
        ("def f(:", Target(python="3.15", arch="x86_64"), "unread-source"),
        ("def f(:", Target(python="3.14", arch="x86_64"), "source-syntax"),
        ("return 1", PY312, "source-syntax"),
        ("x = f'{a['b']}'", PY311, "source-syntax"),
        ("x = f'{a['b']}'", PY312, None),
        ("def f[T](x: T) -> T: ...", PY312, None),
        ("match x:\n    case 1: ...", PY311, None),
    ],
)
def test_syntax_of_another_python(text: str, target: Target, rule: str | None) -> None:
    """What the target's Python can't read is an error, unless it's newer than all that is known."""
    if target.python_version > (3, 14) and sys.version_info >= (3, 15):
        pytest.skip("this Python knows the target's syntax")
    assert rules(app(text, target=target)) == ([rule] if rule else [])


@pytest.mark.parametrize(
    "data", [b"\0", b"\xff\xfe", b"# coding: nonsense\n", b"(" * 5000, b"x = '\xe9'\n"]
)
def test_files_that_are_no_source(data: bytes) -> None:
    """They are reported as a finding, and never end in a crash."""
    bundle = make_bundle(source={"app.py": data})
    found = verify(
        bundle, PY39, runtime_context=RuntimeContext(handler=Handler.parse("app.handler"))
    )
    assert found
    assert {item.rule for item in found} <= {"source-syntax", "unread-source"}


@pytest.mark.parametrize(
    "text",
    [f"x = {'+'.join(['1'] * 3000)}", "if x: pass\n" + "elif x: pass\n" * 1500],
    ids=["expression", "statement"],
)
def test_deep_nesting_is_reported(text: str) -> None:
    """Python may parse what is too deep to be walked."""
    assert set(rules(app(text, target=PY311))) == {"unread-source"}


def test_invalid_escapes_do_not_warn() -> None:
    assert app(r"x = '\d'") == []


@pytest.mark.parametrize(
    ("projects", "text", "expected"),
    [
        (("urllib3",), "import boto3", ["split-sdk"]),
        (("urllib3", "s3transfer"), "import boto3", ["split-sdk", "split-sdk"]),
        (("urllib3", "boto3", "botocore"), "import boto3", []),
        (("urllib3", "botocore"), "import botocore", []),
        (("urllib3",), "import requests_like", ["missing-import"]),
        (("jmespath", "six"), "import boto3", []),
    ],
)
def test_an_sdk_in_halves(projects: tuple[str, ...], text: str, expected: list[str]) -> None:
    made = [FakeProject(name) for name in projects]
    assert rules(app(text, *made)) == expected


def test_an_sdk_that_was_left_to_the_runtime() -> None:
    """``--provided`` says that it is used, whatever the source imports."""
    bundle = make_bundle(FakeProject("urllib3", "2.5"))
    runtime_context = RuntimeContext(left_out=frozenset({"boto3", "botocore"}))
    (finding,) = verify(bundle, PY39, runtime_context=runtime_context)
    assert finding.rule == "split-sdk"
    assert "urllib3 2.5" in finding.message
    assert verify(bundle, PLAIN, runtime_context=runtime_context) == ()


def test_the_runtime_meets_requirements_as_far_as_its_version_is_known() -> None:
    """A provided version that isn't accepted is reported, with the date on which it was seen."""
    version = provided_projects(PY312.runtime_name)["botocore"].version  # type: ignore[index]
    fits = make_bundle(FakeProject("aio", requires=[f"botocore=={version}", "urllib3>99"]))
    assert verify(fits, PY312) == ()
    (finding,) = verify(make_bundle(FakeProject("aio", requires=["botocore<1.20"])), PY312)
    assert finding.rule == "wrong-version"
    assert f"the runtime has botocore {version} (observed on" in finding.message


def test_a_layer_meets_requirements() -> None:
    layer = make_bundle(FakeProject("dep", "1.0"), prefix="python/")
    runtime_context = RuntimeContext(layers=(layer,))
    assert (
        verify(
            make_bundle(FakeProject("a", requires=["dep>=1"])),
            PY39,
            runtime_context=runtime_context,
        )
        == ()
    )
    (finding,) = verify(
        make_bundle(FakeProject("a", requires=["dep>=2"])), PY39, runtime_context=runtime_context
    )
    assert finding.rule == "layer-version"
    assert "a layer" in finding.message
