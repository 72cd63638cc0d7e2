"""Source of projects that the handler's imports reach: what fails for sure is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.derived import DerivedCache
from crossdeps.target.model import Target
from crossdeps.verify.model import Handler, RuntimeContext
from crossdeps.verify.registry import verify
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PY39 = Target.runtime("python3.9", arch="x86_64")
HANDLER = b"import other\n\ndef handler(event, context): ...\n"


def find(files: Mapping[str, str], *, target: Target = PY39) -> list[tuple[str, str]]:
    """The rules and places of the findings in a function that imports the project *other*."""
    project = FakeProject("other", files={path: text.encode() for path, text in files.items()})
    bundle = make_bundle(project, source={"app.py": HANDLER})
    context = RuntimeContext(handler=Handler.parse("app.handler"))
    found = verify(bundle, target, runtime_context=context)
    return [(item.rule, item.message.partition(", which")[0]) for item in found]


MISSING = [
    ("import gone", "other/__init__.py:1 imports gone"),
    ("import json\nimport gone.part as g", "other/__init__.py:2 imports gone"),
    ("from gone import x", "other/__init__.py:1 imports gone"),
    ("from other import part", "other/__init__.py:1 imports other.part"),
    ("from . import part", "other/__init__.py:1 imports other.part"),
    ("from .part import x", "other/__init__.py:1 imports other.part"),
    ("import other.part.more", "other/__init__.py:1 imports other.part"),
    ("from . import (\n    part,  # all\n    more,\n)", "other/__init__.py:1 imports other.part"),
    ("from . \\\n    import part", "other/__init__.py:1 imports other.part"),
    ("from .part import *", "other/__init__.py:1 imports other.part"),
    ("import json, gone", "other/__init__.py:1 imports gone"),
    ("import asyncore, gone", "other/__init__.py:1 imports gone"),
]


@pytest.mark.parametrize(("text", "expected"), MISSING)
def test_a_missing_module(text: str, expected: str) -> None:
    assert find({"other/__init__.py": text}) == [("missing-import", expected)]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import gone\nexcept ImportError:\n    gone = None",
        "try:\n    from . import part\nexcept ImportError:\n    part = None",
        "def f():\n    import gone",
        "import sys\nif sys.platform == 'win32':\n    import gone",
        "'''\nimport gone\n'''",
        "'''\nfrom .part import x\n'''",
        "# import gone",
        "from __future__ import annotations\nimport os, json.decoder",
        "from . import part\npart = 1",
        "from . import part\ndef part(): ...",
        "def __getattr__(name): ...\nfrom . import part",
        "import sys\nsys.modules['other.part'] = sys\nfrom .part import x",
        "import sys\nsys.path.append('/opt/more')\nimport gone",
        "import sys\nsys.modules['gone'] = sys\nimport gone",
        "import boto3, _private",
        "from os import never_heard_of_it",
        "import",
        "from import x",
        "from .. import x",
        "from ... import x",
    ],
)
def test_what_may_work(text: str) -> None:
    assert [item for item in find({"other/__init__.py": text}) if "gone" in item[1]] == []
    assert not any("part" in message for _, message in find({"other/__init__.py": text}))


def test_only_what_is_reached() -> None:
    files = {
        "other/__init__.py": "from .a import x",
        "other/a.py": "from other.b import y\nx = y",
        "other/b.py": "import gone\ny = 1",
        "other/unused.py": "import gone_too",
    }
    assert find(files) == [("missing-import", "other/b.py:1 imports gone")]


def test_a_private_module_that_a_sibling_imports() -> None:
    """As numpy.linalg does with its extension module; public names may come from a star import."""
    files = {
        "other/__init__.py": "from . import a\nfrom .a import *",
        "other/a.py": "from other import _native, table",
    }
    assert find(files) == [("missing-import", "other/a.py:1 imports other._native")]
    files["other/__init__.py"] += "\n_native = 1"
    assert find(files) == []


def test_a_way_through_text_that_is_no_import_is_none() -> None:
    files = {
        "other/__init__.py": '"""Use it so:\n\nfrom other.a import x\n"""',
        "other/a.py": "import gone",
    }
    assert find(files) == []


def test_a_module_of_another_project_may_be_of_another_version() -> None:
    files = {"other/__init__.py": "import third.part", "third/__init__.py": ""}
    assert find(files) == []


def test_extension_modules_may_add_modules() -> None:
    files = {"other/__init__.py": "import third.part", "third.abi3.so": ""}
    assert [item for item in find(files) if item[0] == "missing-import"] == []


def test_what_is_remembered_depends_on_what_else_is_available(tmp_path: Path) -> None:
    """A search that found nothing, as a project was left to a layer, says nothing without it."""
    project = FakeProject("other", files={"other/__init__.py": b"import gone"})
    bundle = make_bundle(project, source={"app.py": HANDLER})
    cache = DerivedCache(tmp_path)
    handler = Handler.parse("app.handler")

    def rules(left_out: frozenset[str]) -> list[str]:
        context = RuntimeContext(handler=handler, left_out=left_out)
        return [item.rule for item in verify(bundle, PY39, runtime_context=context, cache=cache)]

    for _ in range(2):
        assert rules(frozenset({"gone"})) == []
        assert rules(frozenset()) == ["missing-import"]


@pytest.mark.parametrize(
    "text",
    [
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        "x = 1\n<<<<<<< HEAD\ny = 2\n",
        "print 'two'",
        "def f():\n    match x:\n        case 1: ...",
        "x = 1\0",
    ],
)
def test_what_does_not_compile(text: str) -> None:
    found = find({"other/__init__.py": "from . import part", "other/part.py": text})
    assert [rule for rule, _ in found] == ["source-syntax"]
    assert found[0][1].startswith("other/part.py:")
    assert find({"other/__init__.py": "", "other/part.py": text}) == []
