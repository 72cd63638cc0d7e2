"""What the options of the output do, seen in what comes out."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import CommandLine

FOLDER = "python/lib/python3.12/site-packages/"


def _names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as members:
        return set(members.namelist())


@pytest.fixture
def tool(run: CommandLine) -> CommandLine:
    """Offer a project with a script, of its own and as an entry point."""
    made = make_wheel(
        "tool",
        "1.0",
        files={"tool/__init__.py": "def main(): ...\n", "tool-1.0.data/scripts/old": "#!python\n"},
        entry_points={"console_scripts": {"new": "tool:main"}},
    )
    run.index.add(made)
    return run


@pytest.mark.parametrize(
    ("options", "prefix"),
    [
        ((), ""),
        (("--layer",), "python/"),
        (("--versioned-layer",), FOLDER),
        (("--layer", "--versioned-layer"), FOLDER),
    ],
)
def test_packages_and_source_lie_where_the_runtime_looks(
    run: CommandLine, options: tuple[str, ...], prefix: str
) -> None:
    run.write("app.py", "")
    assert run.build("pure", *options, "--source", "app.py", "-o", "out.zip").code == 0
    names = _names(run.folder / "out.zip")
    assert {f"{prefix}pure/__init__.py", f"{prefix}app.py"} <= names
    assert all(name.startswith((prefix, ".crossdeps/")) for name in names)


def test_the_command_line_s_layer_replaces_the_configured_one(run: CommandLine) -> None:
    run.write("pyproject.toml", "[tool.crossdeps]\nversioned-layer = true\n")
    run.build("pure", "-o", "configured.zip")
    run.build("pure", "--layer", "-o", "said.zip")
    assert f"{FOLDER}pure/__init__.py" in _names(run.folder / "configured.zip")
    assert "python/pure/__init__.py" in _names(run.folder / "said.zip")


@pytest.mark.parametrize(
    ("options", "laid_out"),
    [
        (("-o", "out"), True),
        (("-o", "out", "--no-scripts"), False),
        (("-o", "out.zip"), False),
        (("-o", "out.zip", "--scripts"), True),
        (("-o", "out", "--layer"), False),
        (("-o", "out", "--layer", "--scripts"), True),
    ],
)
def test_scripts_are_for_directories_unless_asked(
    tool: CommandLine, options: tuple[str, ...], *, laid_out: bool
) -> None:
    """A hosted function starts none; the user is told which are left out, on both streams."""
    told = tool.build("tool", *options, "--json")
    assert told.code == 0, told.err
    notes = told.document["notes"]
    assert (notes == []) is laid_out
    if not laid_out:
        (note,) = notes
        assert note == "2 scripts are excluded, since a hosted function starts none: new, old"
        assert note in told.err
    if "out" in options:
        scripts = {path for path in told.left if "/bin/" in path}
        assert len(scripts) == (2 if laid_out else 0)


def test_sources_are_collected_and_cut_by_globs(run: CommandLine) -> None:
    """Several sources; globs leave out and bring back; git's ignored files stay behind."""
    for name in ("app.py", "data/big.bin", "data/small.bin", "tests/test_app.py", "debug.log"):
        run.write(f"src/{name}", name)
    run.write("src/__pycache__/app.cpython-312.pyc", "")
    run.write("settings.json", "{}")
    run.write("src/.gitignore", "*.log\n")
    told = run.build(
        "pure", "--source", "src", "--source", "settings.json", "--exclude", "data/",
        "--include", "data/small.bin", "--exclude", "tests/", "-o", "out",
    )  # fmt: skip
    assert told.code == 0, told.err
    own = {path for path in told.left if path.startswith("out/") and "pure" not in path}
    assert own == {
        "out/.crossdeps/RECORD", "out/app.py", "out/data/small.bin", "out/settings.json",
    }  # fmt: skip


@pytest.mark.parametrize("out", ["out", "out.zip"])
@pytest.mark.parametrize("layer", [(), ("--layer",)])
def test_secrets_in_the_source_are_named_by_every_build(
    run: CommandLine, out: str, layer: tuple[str, ...]
) -> None:
    """By the first, by one that is written from memory, and by one without a secret no more."""
    for name in ("app.py", ".env", "cdk.out/tree.json", "certs/ca.pem"):
        run.write(f"src/{name}", name)
    told = run.build("pure", "--source", "src", "-o", out, *layer, "--json")
    again = run.build("pure", "--source", "src", "-o", out, *layer, "--json")
    assert told.document == again.document
    for each in (told, again):
        assert each.code == 0, each.err
        assert each.document["source_left_out"] == [
            {"reason": "secrets", "path": ".env"}, {"reason": "tools", "path": "cdk.out/"},
        ]  # fmt: skip
        assert (
            "note: left out of the source: .env (may hold secrets); cdk.out/ (of other tools);"
            " --include '/.env' includes the first\n"
        ) in each.err
    included = run.build(
        "pure", "--source", "src", "-o", out, *layer, "--include", "/.env", "--json"
    )
    assert [item["path"] for item in included.document["source_left_out"]] == ["cdk.out/"]
    assert included.document["artifact"]["entries"] == told.document["artifact"]["entries"] + 1
    (run.folder / "src/.env").unlink()
    without = run.build("pure", "--source", "src", "-o", out, *layer, "--json")
    assert [item["path"] for item in without.document["source_left_out"]] == ["cdk.out/"]


def test_a_secret_may_have_any_name(run: CommandLine) -> None:
    """What is left out needs no name that a zip can hold, and is told all the same."""
    run.write("src/app.py", "")
    (run.folder / "src" / os.fsdecode(b".env.caf\xe9")).write_text("")
    for _ in range(2):
        told = run.build("pure", "--source", "src", "-o", "out.zip", "--json")
        assert told.code == 0, told.err
        assert len(told.document["source_left_out"]) == 1
        assert ".env.caf" in told.err


def test_the_code_sha256_is_the_one_that_lambda_computes(run: CommandLine) -> None:
    """Base64 of the SHA-256 of the zip (Lambda's API reference, ``CodeSha256``)."""
    told = run.build("pure", "-o", "out.zip", "--json")
    digest = hashlib.sha256((run.folder / "out.zip").read_bytes())
    artifact = told.document["artifact"]
    assert artifact["sha256"] == digest.hexdigest()
    assert artifact["code_sha256"] == base64.b64encode(digest.digest()).decode()


@pytest.mark.parametrize("name", ["native", "Native"])
def test_a_project_left_out_is_not_missed(run: CommandLine, name: str) -> None:
    """It will be there anyway: no finding, and the report says what it saved."""
    told = run.build("tree", "--exclude-project", name, "-o", "out", "--json")
    assert told.code == 0, told.err
    document = told.document
    assert document["findings"] == []
    assert [item["rule"] for item in document["removed"]] == ["excluded-project"]
    assert not any(path.startswith("out/native") for path in told.left)


def test_a_project_that_was_not_there_to_leave_out_is_told(run: CommandLine) -> None:
    told = run.build("pure", "--exclude-project", "pur", "-o", "out")
    assert told.code == 0
    assert "warning: pur was to be excluded, but isn't among the projects" in told.err


def test_without_dependencies_none_is_missed(run: CommandLine) -> None:
    told = run.build("tree", "--no-deps", "-o", "out", "--json")
    assert told.code == 0, told.err
    assert told.document["findings"] == []
    assert [package["name"] for package in told.document["packages"]] == ["tree"]


def test_a_requirement_that_an_override_drops_is_not_missed(run: CommandLine) -> None:
    run.write("override.txt", "native; sys_platform == 'win32'\n")
    told = run.build("tree", "--override", "override.txt", "-o", "out", "--json")
    assert told.code == 0, told.err
    assert told.document["findings"] == []
