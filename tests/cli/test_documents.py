"""The JSON documents of every command follow the schema, which describes all that they have."""

from __future__ import annotations

import copy
import json
import re
import runpy
from typing import TYPE_CHECKING, Any, get_args

import jsonschema
import pytest
from packaging.utils import canonicalize_name

from crossdeps.bundle.project_content import Rule
from crossdeps.errors import CrossdepsError
from crossdeps.resolution.rejections import Reason
from crossdeps.target.runtimes import provided_projects
from tests.report.artifacts import directory, project, zipped
from tests.support.command import REPOSITORY
from tests.support.command_line import TARGET, CommandLine, Told
from tests.support.json_schema import SCHEMA, name_document, validate
from tests.support.wheel_factory import make_elf, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]
RUNTIME = ("--runtime", "python3.12", "--arch", "x86_64")
TWO = ("--runtime", "python3.11", "--runtime", "python3.12", "--arch", "x86_64")


def read(run: CommandLine, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON
    """What the command prints and writes, which is the same and follows the schema."""
    told = run(*arguments, "--json", "--report", "document.json")
    assert told.code == code, told.err
    document = told.document
    validate(document, name_document(told.arguments, document))
    assert json.loads((run.folder / "document.json").read_text(encoding="utf-8")) == document
    return document


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    documents = {each["$ref"].removeprefix("#/$defs/") for each in SCHEMA["oneOf"]}
    assert {name for name, each in DEFINITIONS.items() if "crossdeps" in each["properties"]} == (
        documents
    )


def list_objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema of an object with known fields in *schema*."""
    if "properties" in schema:
        yield schema
    for value in schema.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from list_objects(each)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_field_is_described(name: str) -> None:
    assert DEFINITIONS[name]["description"]
    for each in list_objects(DEFINITIONS[name]):
        assert each["additionalProperties"] is False
        optional = {"findings"} if name == "error" else set()
        assert each["properties"].keys() - each["required"] <= optional
        assert all(field.get("description") for field in each["properties"].values())


def test_the_page_is_up_to_date() -> None:
    """``python docs/render_schema.py`` writes its tables."""
    script = runpy.run_path(str(REPOSITORY / "docs/render_schema.py"))
    page = (REPOSITORY / "docs/reference/json.md").read_text(encoding="utf-8")
    assert script["render_page"](page) == page
    assert all(f"<!-- schema: {name} -->" in page for name in ("common", *DEFINITIONS))


def list_ids(error: type[CrossdepsError]) -> Iterator[str]:
    yield error.id
    for each in error.__subclasses__():
        yield from list_ids(each)


def test_the_values_that_it_lists_are_the_program_s() -> None:
    reasons = DEFINITIONS["skipped_version"]["properties"]["reason"]["examples"]
    assert reasons == [reason.value for reason in Reason]
    ids = DEFINITIONS["error"]["properties"]["error"]["properties"]["id"]["examples"]
    assert set(ids) == set(list_ids(CrossdepsError))
    removed = DEFINITIONS["build"]["properties"]["removed"]["items"]["properties"]["rule"]["enum"]
    assert set(get_args(Rule)) <= set(removed)


@pytest.mark.parametrize("change", ["more", "fewer", "another type"])
def test_the_schema_refuses_what_it_does_not_describe(run: CommandLine, change: str) -> None:
    document = copy.deepcopy(read(run, "tags", *TARGET))
    if change == "more":
        document["target"]["extra"] = None
    elif change == "fewer":
        del document["target"]["libc"]
    else:
        document["target"] = document["target"]["description"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)


class TestBuild:
    @pytest.mark.parametrize("output", ["out.zip", "out"])
    def test_a_package_and_one_that_is_remembered(self, run: CommandLine, output: str) -> None:
        build = ("build", "tree", "-o", output, *TARGET)
        first = read(run, *build)
        assert {line["name"]: bool(line["passed_over"]) for line in first["packages"]} == (
            {"leaf": False, "native": True, "pure": True, "tree": False}
        )
        assert first["limits"] is None
        assert read(run, *build) == first

    def test_a_function(self, run: CommandLine) -> None:
        """With whatever it can have: a layer, the SDK of the runtime, and much that is left out."""
        files = {"fat/__init__.py": "", "fat/tests/test_fat.py": "", "fat/fat.pyi": "", "fat/x": ""}
        run.index.add(make_wheel("fat", "1.0", files=files, requires=["boto3"]))
        known = provided_projects("python3.12")[canonicalize_name("boto3")].version
        run.index.add(make_wheel("boto3", str(known)))
        for name in ("app.py", ".env", "cdk.out/tree.json"):
            run.write(f"src/{name}", "")
        assert run("build", "pure", "--layer", "-o", "layer.zip", *RUNTIME).code == 0
        document = read(
            run, "build", "fat", "pure", "--source", "src", "-o", "out.zip", *RUNTIME, "--slim",
            "--provided", "--exclude", "x", "--exclude-project", "pure",
            "--with-layer", "layer.zip",
        )  # fmt: skip
        lists = ("packages", "removed", "source_left_out", "provided", "layers", "indexes", "notes")
        assert all(document[name] for name in lists)
        assert document["limits"]["unzipped"] == 262_144_000
        assert {"exclude", "tests", "excluded-project"} <= {
            each["rule"] for each in document["removed"]
        }

    def test_a_finding(self, run: CommandLine) -> None:
        run.write("src/queue.py", "")
        document = read(run, "build", "pure", "--source", "src", "-o", "out.zip", *RUNTIME)
        assert [each["severity"] for each in document["findings"]] == ["warning"]

    @pytest.mark.parametrize("output", ["out.zip", "out"])
    def test_a_dry_run(self, run: CommandLine, output: str) -> None:
        """Of wheels that are in the cache, and of others, whose hash may be unknown."""
        run.index.add(make_wheel("unhashed", "1.0"), hashes={})
        dry = ("build", "tree", "unhashed", "-o", output, "--dry-run", *RUNTIME)
        estimated = read(run, *dry)
        assert estimated["artifact"]["estimated"] is True
        assert {line["name"]: bool(line["sha256"]) for line in estimated["packages"]} == (
            {"leaf": True, "native": True, "pure": True, "tree": True, "unhashed": False}
        )
        assert run("build", "tree", "-o", "other.zip", *RUNTIME).code == 0
        planned = read(run, "build", "tree", "-o", output, "--dry-run", *RUNTIME)["artifact"]
        assert (planned["estimated"], planned["path"]) == (False, None)
        assert planned["planned_path"].endswith(output)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("missing", *TARGET), 3),
            (("pure", "--arch", "pdp11"), 2),
            (("pure", "--unknown"), 2),
            (("pure", *TARGET, "--offline", "--refresh"), 2),
            (("-r", "missing.txt", *TARGET), 2),
            (("sourced", *TARGET), 3),
        ],
    )
    def test_an_error(self, run: CommandLine, arguments: tuple[str, ...], code: int) -> None:
        document = read(run, "build", *arguments, code=code)
        assert document["error"]["exit_code"] == code
        assert "findings" not in document

    def test_findings_that_are_an_error(self, run: CommandLine) -> None:
        run.index.add(make_wheel("wrong", "1.0", files={"w.so": make_elf(machine="aarch64")}))
        document = read(run, "build", "wrong", *TARGET, code=7)
        assert document["error"]["id"] == "findings"
        assert document["findings"][0]["owner"] == "wrong"


class TestLock:
    def test_several_targets(self, run: CommandLine) -> None:
        for tag, version in (("py3", "1.0"), ("cp312", "2.0")):
            run.index.add(make_wheel("split", version, tag=f"{tag}-none-any"))
        run.index.add(make_wheel("held", "1.0"))
        run.index.add(make_wheel("held", "2.0", tag="py3-none-manylinux_2_39_x86_64"))
        lock = ("lock", "split", "held", *TWO, "--newest-per-target")
        document = read(run, *lock)
        assert [each["name"] for each in document["divergences"]] == ["split"]
        assert [each["name"] for each in document["downgrades"]] == ["held"]
        known = {target["description"] for target in document["targets"]}
        assert {each for item in document["downgrades"] for each in item["targets"]} <= known
        assert read(run, *lock, "--dry-run")["path"] is None
        changed = read(run, "lock", "pure", *TWO)
        assert [each["name"] for each in changed["changes"]] == ["held", "pure", "split"]

    @pytest.mark.parametrize("name", ["pylock.toml", "locked.txt"])
    def test_a_check(self, run: CommandLine, name: str) -> None:
        """0 up to date, 1 out of date, 2 missing or invalid."""
        check = ("lock", "-o", name, "--check", *TARGET)
        assert read(run, *check, "tree", code=2)["error"]["id"] == "input"
        assert read(run, "lock", "-o", name, "tree", *TARGET)["up_to_date"] is None
        assert read(run, *check, "tree")["up_to_date"] is True
        stale = read(run, *check, "leaf", code=1)
        assert stale["up_to_date"] is False
        assert stale["differences"]
        text = (run.folder / name).read_text(encoding="utf-8")
        run.write(name, text + "%%%\n")
        assert read(run, *check, "tree", code=2)["error"]["id"] == "input"

    def test_warnings_about_the_lock_before_are_in_it(self, run: CommandLine) -> None:
        run.write("pylock.toml", "%%%\n")
        told = run("lock", "pure", *TARGET, "--json")
        (warning,) = told.document["warnings"]
        assert f"warning: {warning}\n" in told.err


def test_check(run: CommandLine) -> None:
    directory(run.folder / "good", project("p", "1.0", {"p.py": ""}))
    directory(run.folder / "bad", {"w.so": make_elf(machine="aarch64"), "queue.py": ""})
    assert read(run, "check", "good", *RUNTIME)["findings"] == []
    found = read(run, "check", "bad", *RUNTIME, code=7)["findings"]
    assert {each["severity"] for each in found} == {"error", "warning"}
    assert read(run, "check", "missing", *RUNTIME, code=2)["error"]["id"] == "artifact-unreadable"


def test_why(run: CommandLine) -> None:
    searched = read(run, "why", "pure", "tree", *TARGET)
    assert searched["asked_for_by"][0][0]["project"] is None
    assert searched["passed_over"]
    assert run("lock", "tree", *TARGET).code == 0
    locked = read(run, "why", "native", "-r", "pylock.toml", *TARGET)
    assert locked["chosen"]["file"].startswith("native-1.0-")
    assert read(run, "why", "missing", "tree", *TARGET, code=1)["error"]["id"] == "error"


def test_why_of_a_directory_in_a_lock(run: CommandLine) -> None:
    """It may have no version there."""
    run.write("project/pyproject.toml", '[project]\nname = "project"\nversion = "1"\n')
    run.write(
        "pylock.toml",
        'lock-version = "1.0"\ncreated-by = "a test"\n'
        '[[packages]]\nname = "project"\ndirectory = {path = "project"}\n',
    )
    document = read(run, "why", "project", "-r", "pylock.toml", *TARGET)
    assert document["project"] == {"name": "project", "version": None}


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        RUNTIME,
        ("--platform", "musllinux_1_2_aarch64", "--python", "3.13", "--abi", "cp313t"),
    ],
)
def test_tags(run: CommandLine, target: tuple[str, ...]) -> None:
    document = read(run, "tags", *target)
    assert document["environment"]["sys_platform"] == "linux"


class TestDiff:
    @pytest.fixture(autouse=True)
    def _artifacts(self, run: CommandLine) -> None:
        for name, requirement in (("old", "leaf"), ("new", "tree")):
            assert run("lock", requirement, "-o", f"pylock.{name}.toml", *TARGET).code == 0
            layer = ("--layer",) if name == "new" else ()
            assert run("build", requirement, "-o", f"{name}.zip", *layer, *TARGET).code == 0

    @pytest.mark.parametrize("form", ["{}.zip", "pylock.{}.toml"])
    def test_two(self, run: CommandLine, form: str) -> None:
        document = read(run, "diff", form.format("old"), form.format("new"))
        assert [each["name"] for each in document["projects"]] == ["native", "tree"]
        assert document["files"]
        assert read(run, "diff", form.format("old"), form.format("old"))["differs"] is False

    def test_a_hash_of_another_algorithm_is_no_sha256(self, run: CommandLine) -> None:
        path = run.folder / "pylock.old.toml"
        text = path.read_text(encoding="utf-8")
        other = re.sub(r'sha256 = "(\w+)"', r'sha512 = "\1\1"', text)
        assert other != text
        run.write("pylock.other.toml", other)
        document = read(run, "diff", "pylock.old.toml", "pylock.other.toml")
        assert {each["after"]["sha256"] for each in document["files"]} == {None}


class TestReport:
    def test_of_a_zip(self, run: CommandLine) -> None:
        files = project(
            "p",
            "1.0",
            {"p.py": "1", "sub/x.so": make_elf(machine="x86_64")},
            headers=["License-Expression: MIT", "License-File: LICENSE", "License-File: NOTICE"],
            info_files={"licenses/LICENSE": "MIT", "sboms/p.json": "{}"},
        )
        zipped(run.folder / "f.zip", {**files, "own.py": ""})
        document = read(run, "report", "f.zip", *RUNTIME)
        assert document["artifact"]["prefix"] is None
        mine, own = sorted(document["projects"], key=lambda each: each["name"] is None)
        assert (mine["name"], own["name"]) == ("p", None)
        assert mine["licence"]["files"]
        assert mine["licence"]["missing_files"]
        assert mine["sboms"]

    @pytest.mark.parametrize("output", ["out", "out.zip"])
    def test_of_a_build_and_its_lock(self, run: CommandLine, output: str) -> None:
        assert run("lock", "tree", *TARGET).code == 0
        assert run("build", "-r", "pylock.toml", "-o", output, "--layer", *TARGET).code == 0
        document = read(run, "report", output, "--lock", "pylock.toml")
        assert (document["target"], document["artifact"]["prefix"]) == (None, "python/")
        assert all(each["hashes"] for each in document["projects"])


def test_cache(run: CommandLine) -> None:
    assert run.build("tree").code == 0
    assert read(run, "cache", "dir")["path"]
    assert read(run, "cache", "info")["contents"]["wheels"]["count"] == 4
    assert read(run, "cache", "prune")["freed"] == 0
    assert read(run, "cache", "clear")["freed"] > 0


def test_a_command_that_does_not_exist(run: CommandLine) -> None:
    told: Told = run("bild", "--json")
    assert (told.code, told.document["error"]["id"]) == (2, "usage")
