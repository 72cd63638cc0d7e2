"""``--provided``: what the runtime has is left to it, and the rest is resolved against it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from crossdeps.target.runtimes import provided_projects
from tests.support.toml import load_toml
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import CommandLine, Told

RUNTIME = ("--runtime", "python3.12", "--arch", "x86_64")
UNKNOWN = ("--runtime", "python3.14", "--arch", "x86_64")
KNOWN = str(provided_projects("python3.12")[canonicalize_name("botocore")].version)
NEWER = "99.0"


@pytest.fixture
def aws(run: CommandLine) -> CommandLine:
    """Offer the SDK in the version that python3.12 has and a newer one, and users of its parts."""
    for version, urllib3 in ((KNOWN, "urllib3<3"), (NEWER, "urllib3")):
        run.index.add(make_wheel("boto3", version, requires=[f"botocore=={version}", "s3transfer"]))
        run.index.add(make_wheel("botocore", version, requires=[urllib3, "jmespath", "six"]))
    for name in ("s3transfer", "jmespath", "six"):
        run.index.add(make_wheel(name, "1.0"))
    for version in ("2.0", "3.0"):
        run.index.add(make_wheel("urllib3", version))
    run.index.add(make_wheel("requests", "1.0", requires=["urllib3"]))
    run.index.add(make_wheel("old", "1.0", requires=["botocore<1"]))
    run.index.add(make_wheel("tools", "1.0", requires=["boto3", "jmespath"]))
    return run


def names(document: Any) -> list[str]:  # noqa: ANN401 - any JSON
    return [package["name"] for package in document["packages"]]


def build(aws: CommandLine, *arguments: str) -> Told:
    return aws("build", *arguments, "--json")


def test_without_it_boto3_is_packaged(aws: CommandLine) -> None:
    document = build(aws, "boto3", *RUNTIME).document
    assert names(document) == ["boto3", "botocore", "jmespath", "s3transfer", "six", "urllib3"]
    assert document["packages"][0]["version"] == NEWER
    assert document["provided"] == []


def test_the_sdk_and_what_only_it_needs_are_left_out(aws: CommandLine) -> None:
    told = build(aws, "boto3", "pure", *RUNTIME, "--provided")
    document = told.document
    assert names(document) == ["pure"]
    left = {item["name"]: item for item in document["provided"]}
    assert sorted(left) == ["boto3", "botocore", "jmespath", "s3transfer", "six", "urllib3"]
    assert left["boto3"]["version"] == KNOWN
    assert left["boto3"]["seen"]
    assert left["boto3"]["source"]
    assert left["six"]["version"] is None
    assert f"boto3 {KNOWN}" in told.err
    assert "without notice" in told.err
    assert document["findings"] == []


def test_the_report_lists_what_was_left_out(aws: CommandLine) -> None:
    told = aws("build", "boto3", *RUNTIME, "--provided")
    assert "Left to python3.12" in told.out
    assert f"boto3 {KNOWN} (observed on" in told.out
    assert "six (version unknown)" in told.out


def test_what_others_need_stays_in_resolved_against_the_runtime(aws: CommandLine) -> None:
    """The runtime's botocore wants urllib3<3, so requests gets that; and a split stack is told."""
    document = build(aws, "boto3", "requests", *RUNTIME, "--provided").document
    assert names(document) == ["requests", "urllib3"]
    assert document["packages"][1]["version"] == "2.0"
    (finding,) = document["findings"]
    assert finding["rule"] == "split-sdk"
    assert finding["owner"] == "urllib3"


def test_what_is_shared_and_harmless_stays_in_silently(aws: CommandLine) -> None:
    document = build(aws, "tools", *RUNTIME, "--provided").document
    assert names(document) == ["jmespath", "tools"]
    assert document["findings"] == []


@pytest.mark.parametrize("asked", [(f"boto3=={NEWER}",), ("old", "boto3"), ("old",)])
def test_a_requirement_that_contradicts_the_runtime(
    aws: CommandLine, asked: tuple[str, ...]
) -> None:
    told = build(aws, *asked, *RUNTIME, "--provided")
    assert told.code == 3
    error = told.document["error"]
    assert any(
        line.startswith("python3.12 (observed on") and f"=={KNOWN}" in line
        for line in error["context"]
    ), error
    assert "provided-versions" in error["hint"]
    assert told.left == ()


def test_the_configuration_knows_better(aws: CommandLine) -> None:
    aws.write(
        "pyproject.toml",
        f"""
        [tool.crossdeps]
        provided = true
        [tool.crossdeps.provided-versions]
        boto3 = "{NEWER}"
        Botocore = "{NEWER}"
        pure = "unknown"
        s3transfer = "absent"
        """,
    )
    document = build(aws, f"boto3=={NEWER}", "leaf", *RUNTIME).document
    assert names(document) == ["leaf"]
    left = {item["name"]: item for item in document["provided"]}
    assert left["boto3"]["version"] == NEWER
    assert left["boto3"]["certainty"] == "configured"
    assert left["pure"]["version"] is None


def test_an_unknown_version_constrains_nothing_and_says_so(aws: CommandLine) -> None:
    told = build(aws, "boto3", *UNKNOWN, "--provided")
    assert names(told.document) == []
    assert "in python3.14 is unknown" in told.err
    assert "provided-versions" in told.err


def test_nothing_to_leave_out_is_said(aws: CommandLine) -> None:
    told = build(aws, "pure", *RUNTIME, "--provided")
    assert names(told.document) == ["pure"]
    assert "--provided had no effect" in told.err


@pytest.mark.parametrize("verb", ["build", "lock", "why"])
def test_only_a_runtime_provides(aws: CommandLine, verb: str) -> None:
    arguments = ("pure",) if verb != "why" else ("pure", "-r", "r.txt")
    aws.write("r.txt", "pure\n")
    told = aws(verb, *arguments, "--python", "3.12", "--arch", "x86_64", "--provided")
    assert told.code == 2
    assert "--runtime" in told.err


def test_a_wrong_version_in_the_configuration(aws: CommandLine) -> None:
    aws.write("pyproject.toml", "[tool.crossdeps.provided-versions]\nboto3 = 'newest'\n")
    told = build(aws, "pure", *RUNTIME)
    assert told.code == 2
    assert "provided-versions" in told.document["error"]["context"][0]


def test_a_lock_with_the_runtime_s_versions(aws: CommandLine) -> None:
    assert aws("lock", "boto3", "requests", *RUNTIME, "--provided").code == 0
    lock = Pylock.from_dict(load_toml(aws.folder / "pylock.toml"))
    versions = {str(package.name): str(package.version) for package in lock.packages}
    assert versions["boto3"] == KNOWN
    document = build(aws, "pylock.toml", *RUNTIME, "--provided").document
    assert names(document) == ["requests", "urllib3"]


def test_a_lock_with_other_versions_is_refused(aws: CommandLine) -> None:
    aws("lock", "boto3", *RUNTIME)
    told = build(aws, "pylock.toml", *RUNTIME, "--provided")
    assert told.code == 3
    assert NEWER in told.document["error"]["message"]
    assert KNOWN in told.document["error"]["message"]
    assert "lock again" in told.document["error"]["hint"]


def test_the_artifact_has_nothing_of_it_and_is_right(aws: CommandLine) -> None:
    """The check afterwards knows that the runtime meets what the metadata requires."""
    assert aws("build", "tools", *RUNTIME, "--provided", "-o", "f.zip").code == 0
    assert not any("boto" in name for name in _members(aws.folder / "f.zip"))
    told = aws("check", "f.zip", *RUNTIME, "--json")
    assert told.code == 0
    assert told.document["findings"] == []
    plain = aws("check", "f.zip", "--python", "3.12", "--arch", "x86_64", "--json")
    assert plain.document["findings"][0]["rule"] == "unmet-requirement"


def _members(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as members:
        return members.namelist()
