"""``--handler`` and ``--with-layer``, on build and on check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

RUNTIME = ("--runtime", "python3.12", "--arch", "x86_64")
WITHOUT_PURE = ("--exclude-project", "pure", "--with-layer", "layer")
BUILD = ("--source", "src", "--handler", "app.handler", "-o", "f.zip", "--json")


@pytest.fixture
def app(run: CommandLine) -> CommandLine:
    """A function that imports a project, the runtime's boto3 and a module of its own."""
    run.write("src/app.py", "import boto3, pure\nimport own\n\ndef handler(event, context): ...\n")
    run.write("src/own.py", "import json\n")
    return run


def test_a_function_that_imports_what_is_there(app: CommandLine) -> None:
    told = app("build", "pure", *RUNTIME, *BUILD)
    assert told.code == 0, told.err
    assert app("check", "f.zip", *RUNTIME, "--handler", "app.handler").code == 0


def test_a_missing_import_stops_the_build(app: CommandLine) -> None:
    told = app("build", "native", *RUNTIME, *BUILD)
    assert told.code == 7
    assert told.document["error"]["rule"] == "missing-import"
    assert "app.py:1 imports pure" in told.document["error"]["message"]
    assert "f.zip" not in told.left


def test_check_finds_the_same(app: CommandLine) -> None:
    app("build", "native", *RUNTIME, "--source", "src", "-o", "f.zip")
    assert app("check", "f.zip", *RUNTIME).code == 0
    told = app("check", "f.zip", *RUNTIME, "--handler", "app.handler", "--json")
    assert told.code == 7
    (finding,) = told.document["findings"]
    assert finding["rule"] == "missing-import"


def test_a_layer_has_modules(app: CommandLine) -> None:
    assert app("build", "pure", *RUNTIME, "--layer", "-o", "layer.zip").code == 0
    told = app("build", "native", *RUNTIME, *BUILD, "--with-layer", "layer.zip")
    assert told.code == 0, told.err
    (layer,) = told.document["layers"]
    assert layer["path"] == "layer.zip"
    total = told.document["artifact"]["unzipped"] + layer["unzipped"]
    assert told.document["total_unzipped"] == total
    checked = ("check", "f.zip", *RUNTIME, "--handler", "app.handler")
    assert app(*checked, "--with-layer", "layer.zip").code == 0
    assert app(*checked).code == 7


def test_a_layer_meets_requirements(app: CommandLine) -> None:
    """What an excluded project's dependants need is in the layer, in its version."""
    assert app("build", "pure", *RUNTIME, "--layer", "-o", "layer").code == 0
    told = app("build", "leaf", *RUNTIME, *WITHOUT_PURE, "--json")
    assert told.code == 7
    assert told.document["error"]["rule"] == "layer-version"
    assert "layer has 2.0, which is imported" in told.document["error"]["message"]


@pytest.mark.parametrize(
    ("requirements", "code"),
    [
        (["pure"], 0),
        (["pure>=2"], 0),
        (["pure<2"], 7),
        (["pure<2; sys_platform == 'win32'", "native"], 0),
        (["pure<2; sys_platform == 'linux'"], 7),
        (["-r", "requirements.txt"], 7),
        (["pure", "-c", "requirements.txt"], 7),
        (["leaf", "--override", "override.txt"], 0),
    ],
)
def test_the_user_s_own_requirements_hold_for_layers(
    app: CommandLine, requirements: list[str], code: int
) -> None:
    """An excluded project is imported from the layer, in the version that it has."""
    app.write("requirements.txt", "pure==1.0\n")
    app.write("override.txt", "pure==2.0\n")
    assert app("build", "pure", *RUNTIME, "--layer", "-o", "layer").code == 0
    told = app("build", *requirements, *RUNTIME, *WITHOUT_PURE)
    assert told.code == code, told.err
    if code:
        assert "layer has 2.0, which is imported" in told.err
    if "-r" in requirements:
        assert "pure==1.0 is required (requirements.txt:1)" in told.err


def test_the_pins_of_a_lock_hold_for_layers(app: CommandLine) -> None:
    assert app("lock", "pure<2", *RUNTIME).code == 0
    assert app("build", "pure", *RUNTIME, "--layer", "-o", "layer").code == 0
    told = app("build", "pylock.toml", *RUNTIME, *WITHOUT_PURE)
    assert told.code == 7
    assert "pure==1.1 is required (pylock.toml); layer has 2.0" in told.err
    assert app("build", "pylock.toml", *RUNTIME, "--layer", "-o", "layer", "--force").code == 0
    assert app("build", "pylock.toml", *RUNTIME, *WITHOUT_PURE).code == 0


def test_the_size_with_layers_is_in_the_text(app: CommandLine) -> None:
    app("build", "pure", *RUNTIME, "--layer", "-o", "layer")
    told = app("build", "native", *RUNTIME, "--with-layer", "layer")
    assert "with its layers" in told.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--handler", "app"), "isn't a handler"),
        (("--handler", "app.handler", "--layer"), "a layer has no handler"),
        (("--with-layer", "nowhere.zip"), "nowhere.zip doesn't exist"),
        (("--with-layer", "broken.zip"), "broken.zip"),
        (("--with-layer", "src") * 6, "at most 5 layers"),
    ],
)
def test_what_cannot_be(app: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    """Refused before anything is asked of an index."""
    app.write("broken.zip", b"PK\3\4 nothing")
    outcome = app("build", "pure", *RUNTIME, *arguments)
    assert outcome.code == 2
    assert told in outcome.err
    assert app.index.requests == ()


@pytest.mark.parametrize("handler", ["app", "a b.c", "."])
def test_check_refuses_a_wrong_handler(app: CommandLine, handler: str) -> None:
    assert app("check", "src", *RUNTIME, "--handler", handler).code == 2


def test_the_configuration_names_handler_and_layers_of_builds(app: CommandLine) -> None:
    app("build", "pure", *RUNTIME, "--layer", "-o", "layer")
    app.write(
        "pyproject.toml",
        "[tool.crossdeps]\nhandler = 'app.handler'\nwith-layer = 'layer'\nsource = 'src'\n",
    )
    told = app("build", "native", *RUNTIME, "-o", "f.zip", "--json")
    assert told.code == 0, told.err
    assert len(told.document["layers"]) == 1
    app.write("src/app.py", "import nothing_like_it\ndef handler(e, c): ...\n")
    assert app("build", "native", *RUNTIME, "-o", "g.zip").code == 7
    assert app("check", "f.zip", *RUNTIME).code == 0


def test_the_source_is_never_run(app: CommandLine) -> None:
    app.write("src/app.py", "raise SystemExit(99)\ndef handler(event, context): ...\n")
    app.write("src/own.py", "import os\nos._exit(98)\n")
    assert app("build", "pure", *RUNTIME, *BUILD).code == 0


def test_an_excluded_project_is_believed_to_be_there(app: CommandLine) -> None:
    told = app("build", "pure", "--exclude-project", "pure", *RUNTIME, *BUILD)
    assert told.code == 0, told.err


def test_a_trimmed_module_is_missed(app: CommandLine) -> None:
    files = {"pure/__init__.py": "", "pure/extra.py": "", "pure/more.py": ""}
    app.index.add(make_wheel("pure", "3.0", files=files))
    app.write("src/own.py", "from pure import extra\n")
    assert app("build", "pure", *RUNTIME, *BUILD, "--exclude", "pure/*").code == 7
