"""Rules on where an artifact and its layers have their modules, for what a reader finds on disk."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from crossdeps.target.model import Target
from tests.verify.checked_folders import APP, LAMBDA, find, project, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.finding import Finding

PLAIN = Target(python="3.12", arch="x86_64")
V311, V312 = (f"python/lib/python3.{minor}/site-packages/" for minor in (11, 12))
OTHER = "layer-for-another-python"
NOTHING = "nothing-importable"
OUTSIDE = "not-on-import-path"


def rules(found: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in found]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (project(""), []),
        (["app.py"], []),
        (["app.cpython-312-x86_64-linux-gnu.so"], []),
        (["app.pyc/x", "src/app.py"], []),
        # namespace packages (PEP 420)
        (["google/cloud/x.py"], []),
        ({**project(""), "vendored/_vendor/x-1.dist-info/METADATA": "", "vendored/__init__.py": ""},
         []),
        # layers, with and without Python
        (project("python/"), []),
        (project(V312), []),
        ({**project(V311), **project(V312)}, []),
        ({**project(V311), **project("python/")}, [OTHER]),
        (["lib/libdemo.so.1", "bin/demo"], []),
        (["extensions/demo", "bin/demo"], []),
        (["python/demo.py"], []),
        (project(V311), [OTHER]),
        ([f"{V311}demo.py"], [OTHER]),
        # one folder too deep
        (project("package/"), [NOTHING]),
        ({**project("function/"), "function/app.py": APP}, [NOTHING]),
        (project("layer/python/"), [NOTHING]),
        (project("python/python/"), [NOTHING]),
        (project("lib/python3.12/site-packages/"), [NOTHING]),
        ({"package/demo/__init__.py": "import other\n", "package/other/__init__.py": ""},
         [NOTHING]),
        ({"src/app.py": "import json, other\nimport src.other\n", "src/other.py": ""}, []),
        # builds of AWS SAM
        (project(".aws-sam/build/Hello/"), [NOTHING]),
        ({**project("Hello/"), **project("World/"), "template.yaml": ""}, [NOTHING]),
        ({"template.yaml": "  Properties:\n    CodeUri: Hello\n", "Hello/app.py": APP}, [NOTHING]),
        ({"template.yaml": "CodeUri: .\n", "src/app.py": APP}, []),
        # nothing
        ([], [NOTHING]),
        (["data.json"], [NOTHING]),
        # a folder of packages beside the code
        ({**project("vendor/"), "app.py": APP}, [OUTSIDE]),
        ({**project(".venv/lib/python3.12/site-packages/"), "app.py": APP}, [OUTSIDE]),
        ({**project("vendor/"), "app.py": "import sys\nsys.path.insert(0, 'vendor')\n"}, []),
        ({**project("src/"), "src/app.py": "import sys\nsys.path += ['src']\n"}, []),
        ({**project("vendor/"), "app.py": APP, "vendor.pth": "vendor\n"}, []),
        ({**project("python/"), "app.py": APP}, [OUTSIDE]),
        ({**project(".deps/demo.whl/"), "PEX-INFO": "{}", "__main__.py": ""}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", [LAMBDA, PLAIN])
def test_where_the_target_looks(
    tmp_path: Path, files: Mapping[str, str], expected: list[str], target: Target
) -> None:
    assert rules(find(tmp_path, files, target=target)) == expected


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (project("python/"), []),
        (project(V312), []),
        ({**project(V311), **project(V312)}, []),
        (project(V311), [OTHER]),
        ([f"{V311}demo.py"], [OTHER]),
        (project(""), [NOTHING]),
        (["demo.py"], [NOTHING]),
        (project("layer/python/"), [NOTHING]),
        (["layer/python/demo/__init__.py"], [NOTHING]),
        (project("lib/python3.12/site-packages/"), [NOTHING]),
        ([], [NOTHING]),
        # layers without packages
        ({**project("python/"), "build.py": ""}, []),
        (["lib/libdemo.so.1"], []),
        (["lib/__init__.py", "bin/tool.py"], []),
        (["model/weights.bin"], []),
        ({**project("demo/"), "extensions/demo": "#!/bin/sh\n"}, []),
    ],
)
def test_where_the_target_looks_in_layers(
    tmp_path: Path, layer: Mapping[str, str], expected: list[str]
) -> None:
    found = find(tmp_path, {"app.py": APP}, layer)
    assert rules(found) == expected
    assert all(str(tmp_path / "layer0") in finding.message for finding in found)


def test_a_function_adds_a_folder_of_a_layer_to_the_path(tmp_path: Path) -> None:
    source = "import sys\nsys.path.append('/opt')\n"
    assert find(tmp_path, {"app.py": source}, project("")) == ()


def test_what_is_at_the_root_of_a_layer_does_not_count(tmp_path: Path) -> None:
    function = {"app.py": f"import demo\n{APP}"}
    layer = {**project("python/"), "build.py": ""}
    assert find(tmp_path / "1", function, layer, handler="app.handler") == ()
    found = find(tmp_path / "2", function, project(""), handler="app.handler")
    assert rules(found) == [NOTHING, "missing-import"]


def test_a_layer_is_no_function(tmp_path: Path) -> None:
    found = find(tmp_path, {**project("python/"), "python/app.py": APP}, handler="app.handler")
    assert NOTHING in rules(found)
    assert "the layout of a layer" in (found[0].hint or "")


def test_messages_say_what_was_found_and_where_the_target_looks(tmp_path: Path) -> None:
    (nested,) = find(tmp_path / "1", {**project("package/"), **project("package/", "six")})
    assert nested.message == (
        "nothing can be imported from the artifact: it has demo 1.0, six 1.0 in package/;"
        " python3.12 imports from the root"
    )
    assert (nested.path, nested.severity) == ("package/", "error")
    (layer,) = find(tmp_path / "2", project(V311))
    assert layer.message == (
        f"the artifact has demo in {V311}; python3.12 imports from {V312} and python/"
    )
    assert (layer.hint or "").endswith("--runtime python3.12 --arch x86_64 --versioned-layer")


@pytest.mark.parametrize(
    ("folder", "hint"), [("package/", "the content of package/"), ("layer/python/", "of layer/")]
)
def test_a_zip_of_a_folder(tmp_path: Path, folder: str, hint: str) -> None:
    archive = tmp_path / "function.zip"
    tree = write(tmp_path / "tree", project(folder))
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in project(folder):
            zipped.write(tree / path, path)
    layers = (archive,) if "python/" in folder else ()
    checked = write(tmp_path / "app", {"app.py": APP}) if layers else archive
    (finding,) = check(checked, LAMBDA, settings=Settings(layers=layers))
    assert finding.rule == NOTHING
    assert hint in (finding.hint or "")


def test_a_layer_for_several_pythons_is_checked_for_the_target_s_one(tmp_path: Path) -> None:
    """The projects of other Pythons don't count, wherever the layer has more than one."""
    other = project(V311)
    other[f"{V311}demo-1.0.dist-info/WHEEL"] = "Tag: cp311-cp311-manylinux2014_x86_64\n"
    assert find(tmp_path / "1", {**other, **project(V312), **project("python/", "six")}) == ()
    function = {"app.py": f"import demo\n{APP}", **project("", "six")}
    assert find(tmp_path / "2", function, {**other, **project(V312)}, handler="app.handler") == ()
