"""Rules on what a function and its layers have together: versions, and packages of one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.verify.checked_folders import APP, find, project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

V312 = "python/lib/python3.12/site-packages/"
Files = dict[str, str]
FUNCTION = project("", "user", requires=["base>=2"])


@pytest.mark.parametrize(
    ("function", "layers", "expected"),
    [
        # the function's requirement, met by a layer
        (FUNCTION, [project("python/", "base", "2.1")], []),
        (FUNCTION, [project("python/", "base", "1.0")], ["layer-version"]),
        # the function's own copy is imported
        ({**FUNCTION, **project("", "base", "2.1")}, [project("python/", "base", "1.0")], []),
        # a layer's requirement, met by the function or another layer
        (project("", "base", "1.0"), [project("python/", "user", requires=["base>=2"])],
         ["layer-version"]),
        (project("", "base", "2.1"), [project("python/", "user", requires=["base>=2"])], []),
        ({"app.py": APP},
         [project("python/", "user", requires=["base>=2"]), project("python/", "base", "1.0")],
         ["layer-version"]),
        # of an extra that the function requires
        ({**project("", "top", requires=["user[fast]"]), **project("", "base", "1.0")},
         [project("python/", "user", requires=["base>=2; extra == 'fast'"])], ["layer-version"]),
        (project("", "base", "1.0"),
         [project("python/", "user", requires=["base>=2; python_version < '3.12'"])], []),
        # the versioned directory precedes python/, and the last layer replaces the others
        (FUNCTION, [{**project("python/", "base", "1.0"), **project(V312, "base", "2.1")}], []),
        (FUNCTION, [{**project("python/", "base", "2.1"), **project(V312, "base", "1.0")}],
         ["layer-version"]),
        (FUNCTION, [project("python/", "base", "1.0"), project("python/", "base", "2.1")], []),
        (FUNCTION, [project("python/", "base", "2.1"), project("python/", "base", "1.0")],
         ["layer-version"]),
        # a layer that is wrong by itself, as a function may be
        ({"app.py": APP},
         [{**project("python/", "user", requires=["base>=2"]), **project("python/", "base")}],
         ["wrong-version"]),
    ],
)  # fmt: skip
def test_versions(
    tmp_path: Path, function: Files, layers: list[Files], expected: list[str]
) -> None:
    assert [finding.rule for finding in find(tmp_path, function, *layers)] == expected


def test_the_messages_say_which_copy_is_imported(tmp_path: Path) -> None:
    (first,) = find(tmp_path / "1", FUNCTION, project("python/", "base"))
    layer = tmp_path / "1/layer0"
    assert first.message == (f"user 1.0 requires base>=2; {layer} has 1.0, which is imported")
    assert first.path == "user-1.0.dist-info"
    function = project("", "base")
    (other,) = find(tmp_path / "2", function, project("python/", "user", requires=["base>=2"]))
    layer = tmp_path / "2/layer0"
    assert other.message == (
        f"user 1.0 in {layer} requires base>=2; the artifact has 1.0, which is imported"
    )
    assert (other.path, other.severity) == ("base-1.0.dist-info", "error")


PROTOBUF = project("python/", "protobuf", files=["google/protobuf/__init__.py"])
STORAGE = project(
    "python/", "storage", files=["google/cloud/storage/__init__.py", "google/cloud/storage/a.py"]
)
INIT = {"google/__init__.py": "VERSION = 1\n"}


@pytest.mark.parametrize(
    ("function", "layers", "expected"),
    [
        (INIT, [PROTOBUF], ["google/__init__.py"]),
        ({"google.py": "", "app.py": APP}, [PROTOBUF], ["google.py"]),
        # at any depth
        ({"google/cloud/__init__.py": ""}, [PROTOBUF, STORAGE], ["google/cloud/__init__.py"]),
        # a folder with __init__.py precedes all without, wherever they are
        ({"google/mine/a.py": "", "app.py": APP},
         [{**project("python/"), "python/google/__init__.py": ""}], ["python/google/__init__.py"]),
        ({"app.py": APP}, [{**PROTOBUF, **project(V312, "old", files=["google/__init__.py"])}],
         [f"{V312}google/__init__.py"]),
        # namespace packages are joined
        ({"google/mine/a.py": "", "app.py": APP}, [PROTOBUF, STORAGE], []),
        ({"google/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"},
         [PROTOBUF], []),
        # layers are unpacked into one folder
        ({"app.py": APP}, [{**project("python/"), "python/google/__init__.py": ""}, PROTOBUF], []),
        # the same project twice, with or without its metadata, and alternatives of it
        (project("", files=["demo/__init__.py", "demo/a.py"]),
         [project("python/", version="2.0", files=["demo/__init__.py", "demo/b.py"])], []),
        ({"demo/__init__.py": "", "demo/a.py": ""},
         [project("python/", files=["demo/__init__.py", "demo/a.py", "demo/b.py"])], []),
        # debris of other projects
        ({"tests/__init__.py": "", "app.py": APP},
         [project("python/", files=["demo/__init__.py", "tests/test_demo.py"])], []),
    ],
)  # fmt: skip
def test_hidden_packages(
    tmp_path: Path, function: Files, layers: list[Files], expected: list[str]
) -> None:
    found = find(tmp_path, function, *layers)
    assert [finding.path for finding in found if finding.rule == "hidden-package"] == expected


def test_the_message_says_what_is_hidden_where(tmp_path: Path) -> None:
    (finding,) = find(tmp_path, INIT, PROTOBUF)
    assert finding.message == (
        f"google/__init__.py hides google.protobuf of protobuf in {tmp_path / 'layer0'}"
    )


@pytest.mark.parametrize(
    ("files", "is_hidden"),
    [
        ({"app.py": f"import boto3\n{APP}", "boto3.py": ""}, True),
        ({"app.py": f"import boto3\n{APP}", "dateutil/__init__.py": ""}, True),
        ({"app.py": APP, "boto3.py": ""}, False),
        # the real one, without its metadata
        (
            {"app.py": f"import boto3\n{APP}", "boto3/__init__.py": "", "boto3/session.py": ""},
            False,
        ),
        ({**project("", requires=["boto3"]), "botocore.py": "", "app.py": APP}, True),
    ],
)
def test_what_the_runtime_provides(
    tmp_path: Path, files: Mapping[str, str], is_hidden: bool
) -> None:
    found = find(tmp_path, files, handler="app.handler")
    assert ("hidden-package" in [finding.rule for finding in found]) == is_hidden
