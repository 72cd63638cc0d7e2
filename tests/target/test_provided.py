"""What runtimes have beside the standard library, and how well it is known."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps import target
from crossdeps.errors import InputError
from crossdeps.target.model import Target
from crossdeps.target.runtimes import RUNTIMES, provided_projects
from tests.support.toml import load_toml

PY312 = Target.runtime("python3.12", arch="x86_64")


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_runtime_has_the_sdk(name: str) -> None:
    provided = provided_projects(name)
    assert {"boto3", "botocore", "urllib3"} <= provided.keys()
    assert provided[canonicalize_name("boto3")].role == "sdk"
    assert provided[canonicalize_name("urllib3")].role == "dependency"
    assert list(provided) == sorted(provided)


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_version_has_a_date_and_a_source(name: str) -> None:
    """A version without both would be a rumour."""
    for project in provided_projects(name).values():
        known = project.version is not None
        assert known == (project.certainty in {"stated", "observed"})
        assert known == isinstance(project.seen, datetime.date)
        assert known == bool(project.source)


def test_the_table_names_no_runtime_that_there_is_not() -> None:
    table = load_toml(Path(target.__file__).with_name("provided.toml"))
    assert set(table["runtime"]) <= set(RUNTIMES)


def test_a_machine_that_is_no_runtime_provides_nothing() -> None:
    assert provided_projects(Target(python="3.12", arch="x86_64").runtime_name) == {}


def test_the_user_knows_better() -> None:
    provided = provided_projects(
        PY312.runtime_name,
        {"Boto3": "1.50.0", "six": "absent", "our_layer": "unknown", "urllib3": "2.1"},
    )
    assert provided[canonicalize_name("boto3")].version == Version("1.50.0")
    assert provided[canonicalize_name("boto3")].describe() == "boto3 1.50.0 (configured)"
    assert "six" not in provided
    assert provided[canonicalize_name("our-layer")].version is None
    assert provided[canonicalize_name("our-layer")].describe() == "our-layer (version unknown)"
    assert provided[canonicalize_name("urllib3")].role == "sdk"


@pytest.mark.parametrize("version", ["", "latest", "1.x", ">=1"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(InputError) as caught:
        provided_projects(PY312.runtime_name, {"boto3": version})
    assert "provided-versions" in caught.value.context[0]
    assert "unknown" in (caught.value.hint or "")
