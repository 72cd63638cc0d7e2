"""Every form of artifact answers where it is meant to run, trimmed ones too."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.emulation.functions import FUNCTION, TRIMMED, Function
from tests.support.artifacts import build_artifact
from tests.support.built_once import CACHE_ROOT
from tests.support.lambda_runtime import invoke
from tests.support.s3_server import serve_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.lambda_python import LambdaPython
    from tests.support.lambda_runtime import Outcome

pytestmark = [pytest.mark.emulation, pytest.mark.network, pytest.mark.timeout(900)]

# What the index had on this day, so that a release of tomorrow changes nothing here.
COMMON = ("--isolated", "--exclude-newer", "2026-11-01", "--cache-dir", CACHE_ROOT / "artifacts")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
MACHINES = ("python3.9-x86_64", "python3.12-x86_64", "python3.11-arm64")


class Machine:
    """A Python that runs functions, and the options that build for it."""

    def __init__(self, name: str, python: LambdaPython) -> None:
        runtime, _, arch = name.partition("-")
        self.python = python
        self.target = ("--runtime", runtime, "--arch", arch)
        self.seconds = 300 if arch == "arm64" else 60

    def invoke(self, artifact: Path, event: object = None, *layers: Path) -> Outcome:
        return invoke(
            self.python, artifact, "app.handler", event, layers=layers, environment=CREDENTIALS,
            seconds=self.seconds,
        )  # fmt: skip


@pytest.fixture(params=MACHINES)
def machine(
    request: pytest.FixtureRequest, lambda_python: Callable[[str], LambdaPython]
) -> Machine:
    """CPython 3.9 and 3.12 on this machine's processor, and 3.11 on an emulated arm64."""
    if request.param.endswith("arm64"):
        return Machine(request.param, request.getfixturevalue("arm64_lambda_python"))
    return Machine(request.param, lambda_python(request.param[len("python") :].split("-")[0]))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of an S3 on loopback."""
    with serve_s3() as url:
        yield url


@pytest.mark.parametrize("name", ["function.zip", "function"])
def test_a_function_answers(machine: Machine, name: str, tmp_path: Path) -> None:
    artifact = _build(tmp_path / name, machine, FUNCTION)
    _check(machine.invoke(artifact), FUNCTION)


@pytest.mark.parametrize("name", ["layer.zip", "layer"])
@pytest.mark.parametrize("option", ["--layer", "--versioned-layer"])
def test_a_function_with_its_packages_in_a_layer_answers(
    machine: Machine, name: str, option: str, tmp_path: Path
) -> None:
    """The function itself leaves out what the layer has, and keeps nothing but its source."""
    (tmp_path / "app.py").write_text(FUNCTION.code)
    layer = build_artifact(tmp_path / name, FUNCTION.project, option, *machine.target, *COMMON)
    function = build_artifact(
        tmp_path / "function.zip", FUNCTION.project, "--exclude-project", FUNCTION.project,
        "--source", tmp_path / "app.py", *machine.target, *COMMON,
    )  # fmt: skip
    _check(machine.invoke(function, None, layer), FUNCTION)


@pytest.mark.parametrize("function", [pytest.param(item, id=item.name) for item in TRIMMED])
def test_a_trimmed_function_answers(
    machine: Machine, function: Function, s3: str, tmp_path: Path
) -> None:
    """Less, and still all that is used: data, licences, and a RECORD that says what is there."""
    artifact = _build(tmp_path / "function.zip", machine, function, "--slim")
    event = {"endpoint": s3, "bucket": f"bucket-{uuid.uuid4()}"}
    outcome = machine.invoke(artifact, event)
    artifact.unlink()  # pytest keeps what tests leave
    _check(outcome, function)


def test_a_service_that_was_cut_away_is_named(
    lambda_python: Callable[[str], LambdaPython], tmp_path: Path
) -> None:
    """What the how-to says of a service that is missing."""
    (cut,) = (item for item in TRIMMED if item.name == "boto3-s3-alone")
    machine = Machine(MACHINES[1], lambda_python("3.12"))
    function = Function(
        name="sqs",
        project="boto3",
        source='import boto3\ndef handler(e, c): return boto3.client("sqs")',
        answer=None,
        options=cut.options,
    )
    outcome = machine.invoke(_build(tmp_path / "function.zip", machine, function))
    assert outcome.error is not None
    assert outcome.error.type == "UnknownServiceError"


def _build(output: Path, machine: Machine, function: Function, *options: str) -> Path:
    source = output.with_name("app.py")
    source.write_text(function.code)
    return build_artifact(
        output, function.project, "--source", source, *machine.target, *options,
        *function.options, *COMMON,
    )  # fmt: skip


def _check(outcome: Outcome, function: Function) -> None:
    assert outcome.error is None, outcome
    assert outcome.response == {"lost": [], "licensed": True, "answer": function.answer}
