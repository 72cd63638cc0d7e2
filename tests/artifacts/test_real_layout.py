"""Functions and layers are imported from by real Pythons: what cannot be imported is found."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from crossdeps.target.model import Target
from tests.support.interpreters import Interpreter, find_interpreters
from tests.verify.checked_folders import APP, project, write

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.subprocess

VERSIONED = "python/lib/python{minor}/site-packages/"
OTHER = "python/lib/python3.7/site-packages/"
EXTEND = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PROTOBUF = ["google/protobuf/__init__.py"]
INTERPRETERS = find_interpreters(
    os.environ.get("PATH", ""), Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
)

# Name -> files of the function, those of its layers, and a module.
CASES: dict[str, tuple[Mapping[str, str], list[Mapping[str, str]], str]] = {
    "at the root": (project(""), [], "demo"),
    "one folder too deep": (project("package/"), [], "demo"),
    "a build of AWS SAM": (project(".aws-sam/build/Hello/"), [], "demo"),
    "a namespace package": ({"google/demo.py": ""}, [], "google.demo"),
    "a folder that the code adds": (
        {"app.py": "import sys\nsys.path.insert(0, sys.path[0] + '/vendor')\nimport demo\n",
         **project("vendor/")}, [], "app",
    ),
    "a folder that it does not add": ({"app.py": APP, **project("vendor/")}, [], "demo"),
    "a layer": ({"app.py": APP}, [project("python/")], "demo"),
    "a versioned layer": ({"app.py": APP}, [project(VERSIONED)], "demo"),
    "a layer for another Python": ({"app.py": APP}, [project(OTHER)], "demo"),
    "a layer for several": ({"app.py": APP}, [project(OTHER) | project(VERSIONED)], "demo"),
    "a layer without python": ({"app.py": APP}, [project("")], "demo"),
    "a nested layer": ({"app.py": APP}, [project("layer/python/")], "demo"),
    "an unzipped wheel": (project("", files=["demo-1.0.data/purelib/demo.py"]), [], "demo"),
    "joined": (
        {"google/mine.py": ""}, [project("python/", "pb", files=PROTOBUF)], "google.protobuf",
    ),
    "hidden by the function": (
        {"google/__init__.py": ""}, [project("python/", "pb", files=PROTOBUF)], "google.protobuf",
    ),
    "hidden by a module": (
        {"google.py": ""}, [project("python/", "pb", files=PROTOBUF)], "google.protobuf",
    ),
    "hidden by a layer": (
        {"google/mine.py": ""}, [{"python/google/__init__.py": ""}], "google.mine",
    ),
    "hidden by the versioned folder": (
        {"app.py": APP},
        [project("python/", "pb", files=PROTOBUF), {f"{VERSIONED}google/__init__.py": ""}],
        "google.protobuf",
    ),
    "hidden in a namespace package": (
        {"google/cloud/__init__.py": ""},
        [project("python/", "st", files=["google/cloud/storage.py"])], "google.cloud.storage",
    ),
    "extended": (
        {"google/__init__.py": EXTEND}, [project("python/", "pb", files=PROTOBUF)],
        "google.protobuf",
    ),
    "unpacked into one folder": (
        {"app.py": APP},
        [{"python/google/__init__.py": ""}, project("python/", "pb", files=PROTOBUF)],
        "google.protobuf",
    ),
}  # fmt: skip
FINDINGS = {
    "nothing-importable", "not-on-import-path", "layer-for-another-python", "hidden-package",
    "unzipped-wheel",
}  # fmt: skip


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=lambda item: item.minor)
def test_what_is_not_imported_is_found(interpreter: Interpreter, tmp_path: Path) -> None:
    """The import path is that of a function on AWS Lambda."""
    target = Target.runtime(f"python{interpreter.minor}", arch="x86_64")
    differences = []
    for number, (name, (function, layers, module)) in enumerate(CASES.items()):
        folder = tmp_path / str(number)
        task = write(folder / "task", function)
        paths = [
            write(folder / f"layer{index}", _for_python(layer, interpreter))
            for index, layer in enumerate(layers)
        ]
        for path in paths:
            shutil.copytree(path, folder / "opt", dirs_exist_ok=True)
        roots = [task, folder / "opt" / VERSIONED.format(minor=interpreter.minor),
                 folder / "opt/python"]  # fmt: skip
        code = f"import sys; sys.path[:0] = {list(map(str, roots))}; import {module}"
        command = [str(interpreter.executable), "-I", "-S", "-B", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = check(task, target, settings=Settings(layers=tuple(paths)))
        rules = {finding.rule for finding in found}
        if (done.returncode != 0) != bool(rules & FINDINGS) or rules - FINDINGS:
            differences.append((name, done.stderr, rules))
    assert differences == []


def _for_python(files: Mapping[str, str], interpreter: Interpreter) -> dict[str, str]:
    return {path.format(minor=interpreter.minor): text for path, text in files.items()}
