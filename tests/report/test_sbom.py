"""The SBOM: valid by its own library, the same bytes each time, with those inside wheels."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crossdeps.errors import UsageError
from crossdeps.pipeline.report import inspect
from crossdeps.report.inspect.sbom import render_sbom
from crossdeps.target.model import Target
from tests.report.artifacts import Files, directory, project, zipped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EMBEDDED = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 1,
    "metadata": {
        "timestamp": "2026-01-01T00:00:00Z",
        "component": {"type": "library", "name": "Native", "bom-ref": "self", "version": "1.0"},
    },
    "components": [
        {"type": "library", "name": "openssl", "version": "3.0", "bom-ref": "ssl",
         "purl": "pkg:generic/openssl@3.0"},
        {"type": "library", "name": "zlib", "version": "1.3", "bom-ref": "z"},
        {"type": "library", "name": "unnamed"},
    ],
    "dependencies": [
        {"ref": "self", "dependsOn": ["ssl"]},
        {"ref": "ssl", "dependsOn": ["z", "nowhere"]},
    ],
}  # fmt: skip


def files(**sboms: object) -> Files:
    return {
        **project(
            "native",
            "1.0",
            {"native.py": ""},
            headers=["Requires-Dist: pure", "License-Expression: MIT OR Apache-2.0", "Summary: S"],
            info_files={
                f"sboms/{name}.json": data if isinstance(data, (bytes, str)) else json.dumps(data)
                for name, data in sboms.items()
            },
        ),
        **project("pure", "2.0", {"pure.py": ""}, headers=["License: A licence of its own"]),
    }


def sbom_of(path: Path, **options: Any) -> tuple[dict[str, Any], tuple[str, ...]]:  # noqa: ANN401
    text, warnings = render_sbom(inspect(path, Target(python="3.12", arch="x86_64"), **options))
    check_valid(text)
    document: dict[str, Any] = json.loads(text)
    return document, warnings


def check_valid(text: str) -> None:
    """Hold *text* to the strict schema."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in document["components"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def depends(document: dict[str, Any], reference: str) -> Sequence[str]:
    (found,) = [each for each in document["dependencies"] if each["ref"] == reference]
    needed: list[str] = found.get("dependsOn", [])
    return sorted(needed)


def test_projects_are_components(tmp_path: Path) -> None:
    """With package URL, version and licence; the artifact leads to them all."""
    document, warnings = sbom_of(zipped(tmp_path / "f.zip", files()))
    assert warnings == ()
    native, pure = component(document, "native"), component(document, "pure")
    assert (native["purl"], native["version"]) == ("pkg:pypi/native@1.0", "1.0")
    assert native["description"] == "S"
    assert native["licenses"] == [
        {"acknowledgement": "declared", "expression": "MIT OR Apache-2.0"}
    ]
    assert pure["licenses"] == [
        {"license": {"acknowledgement": "declared", "name": "A licence of its own"}}
    ]
    assert depends(document, "artifact") == ["native==1.0"]
    assert depends(document, "native==1.0") == ["pure==2.0"]
    subject = document["metadata"]["component"]
    assert subject["hashes"][0]["alg"] == "SHA-256"


def test_there_is_no_time_and_no_chance_in_it(tmp_path: Path) -> None:
    """The serial number is of the content: another version, another number."""
    item = render_sbom(inspect(zipped(tmp_path / "f.zip", files(a=EMBEDDED))))[0]
    (tmp_path / "again").mkdir()
    two = render_sbom(inspect(zipped(tmp_path / "again/f.zip", files(a=EMBEDDED))))[0]
    assert item == two
    assert "timestamp" not in json.loads(item)["metadata"]
    other = {**files(a=EMBEDDED), "app.py": ""}
    three = render_sbom(inspect(zipped(tmp_path / "again/f.zip", other)))[0]
    assert json.loads(item)["serialNumber"] != json.loads(three)["serialNumber"]


def test_an_sbom_in_a_wheel_is_referred_to_and_taken_over(tmp_path: Path) -> None:
    """PEP 770: by path and hash; its components are below the project, which isn't repeated."""
    document, warnings = sbom_of(directory(tmp_path / "package", files(a=EMBEDDED)))
    assert warnings == ()
    reference = component(document, "native")["externalReferences"][0]
    assert (reference["type"], reference["url"]) == ("bom", "native-1.0.dist-info/sboms/a.json")
    assert reference["hashes"][0]["alg"] == "SHA-256"
    names = sorted(each["name"] for each in document["components"])
    assert names == ["native", "openssl", "pure", "unnamed", "zlib"]
    prefix = "native==1.0#a.json#"
    assert component(document, "openssl")["bom-ref"] == f"{prefix}ssl"
    assert depends(document, f"{prefix}ssl") == [f"{prefix}z"]
    needed = depends(document, "native==1.0")
    assert needed[0].startswith(prefix)
    assert {f"{prefix}ssl", "pure==2.0"} <= set(needed)
    assert f"{prefix}z" not in needed


def test_the_same_sbom_twice_has_references_of_its_own(tmp_path: Path) -> None:
    document, _ = sbom_of(directory(tmp_path / "package", files(a=EMBEDDED, b=EMBEDDED)))
    references = [each["bom-ref"] for each in document["components"]]
    assert len(set(references)) == len(references) == 8


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe", "[]", "{}", "[" * 100_000, '{"spdxVersion": "SPDX-2.3"}',
        {"bomFormat": "CycloneDX", "specVersion": "9.9"},
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": 7},
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "no-such"}]},
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "library", "name": "x", "licenses": [
                {"expression": "MIT"}, {"license": {"name": "y"}}]}]},
    ],
)  # fmt: skip
def test_an_sbom_that_cannot_be_read_is_referred_to(tmp_path: Path, data: object) -> None:
    """Whatever is in it: with a warning, and the document stays valid."""
    document, warnings = sbom_of(directory(tmp_path / "package", files(a=data, b=EMBEDDED)))
    assert len(component(document, "native")["externalReferences"]) == 2
    assert component(document, "openssl")
    told = "native-1.0.dist-info/sboms/a.json is referenced only: it cannot be read as CycloneDX"
    assert warnings in {(told,), ()}
    assert warnings or len(document["components"]) <= 6


def test_hashes_are_those_of_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "pure"\nversion = "2.0"\n'
        '[[packages.wheels]]\nurl = "https://f.example/pure-2.0-py3-none-any.whl"\n'
        f'hashes = {{sha256 = "{"ab" * 32}", blake3 = "00"}}\n'
    )
    document, _ = sbom_of(directory(tmp_path / "package", files()), lock=lock)
    assert component(document, "pure")["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert "hashes" not in component(document, "native")


def test_hostile_names_stay_valid(tmp_path: Path) -> None:
    hostile = {"x-1.dist-info/METADATA": "Name: a b/<c>\u202e\nVersion: 1 2\u202e\nLicense: (((\n"}
    document, _ = sbom_of(directory(tmp_path / "a b<c>", hostile))
    assert len(document["components"]) == 1


def test_without_the_library_the_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an optional extra."""
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    found = inspect(directory(tmp_path / "package", files()))
    with pytest.raises(UsageError, match="is not installed") as caught:
        render_sbom(found)
    assert caught.value.hint == "install it beside crossdeps: pip install cyclonedx-python-lib"
