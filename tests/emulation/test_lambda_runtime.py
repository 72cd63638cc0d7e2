from __future__ import annotations

import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.built_once import IS_ROOT
from tests.support.lambda_runtime import invoke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.lambda_python import LambdaPython

pytestmark = [pytest.mark.emulation, pytest.mark.timeout(600)]

TELL = """
import getpass, os, sys
from pathlib import Path

def handler(event, context):
    print("hello from the function")
    try:
        Path(__file__).with_name("new").write_text("")
        writable = True
    except OSError:
        writable = False
    return {
        "event": event,
        "version": "%d.%d" % sys.version_info[:2],
        "user": os.getuid(),
        "machine": os.uname().machine,
        "writable": writable,
        "function": context.function_name,
        "first": sys.path[0] == os.environ["LAMBDA_TASK_ROOT"],
    }

def fail(event, context):
    raise LookupError("no such thing")
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """A function's directory, with the modes that Lambda wants."""
    folder = tmp_path / "function"
    folder.mkdir(mode=0o755)
    (folder / "app.py").write_text(TELL)
    (folder / "app.py").chmod(0o644)
    return folder


@pytest.fixture(params=["3.9", "3.12"])
def python(request: pytest.FixtureRequest, lambda_python: Callable[[str], LambdaPython]) -> object:
    return lambda_python(request.param)


def test_a_function_answers(python: LambdaPython, function: Path) -> None:
    """The handler sees its event, unprivileged, on a read-only root that is first on sys.path."""
    outcome = invoke(python, function, "app.handler", {"key": ["ü", 1]})
    assert outcome.error is None
    assert isinstance(outcome.response, dict)
    assert outcome.response["event"] == {"key": ["ü", 1]}
    assert outcome.response["version"] == python.version
    assert outcome.response["function"] == "example"
    assert outcome.response["first"]
    assert not outcome.response["writable"]
    assert (outcome.response["user"] == 0) is False
    assert "hello from the function" in outcome.log


def test_a_zip_is_unpacked_with_its_own_modes(
    lambda_python: Callable[[str], LambdaPython], function: Path, tmp_path: Path
) -> None:
    """A member that others may not read can't be imported, as on Lambda."""
    archive = tmp_path / "function.zip"
    for mode, succeeds in ((0o644, True), (0o600, not IS_ROOT)):
        with zipfile.ZipFile(archive, "w") as members:
            info = zipfile.ZipInfo("app.py")
            info.external_attr = (stat.S_IFREG | mode) << 16
            members.writestr(info, (function / "app.py").read_bytes())
        outcome = invoke(lambda_python("3.9"), archive, "app.handler", None)
        assert (outcome.error is None) is succeeds, outcome


def test_a_layer_is_importable(
    lambda_python: Callable[[str], LambdaPython], function: Path, tmp_path: Path
) -> None:
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python/helper.py").write_text("NAME = 'layer'")
    (function / "app.py").write_text("import helper\ndef handler(e, c): return helper.NAME")
    outcome = invoke(lambda_python("3.9"), function, "app.handler", None, layers=[layer])
    assert outcome.response == "layer"


def test_a_missing_module_is_an_init_error(
    lambda_python: Callable[[str], LambdaPython], function: Path
) -> None:
    outcome = invoke(lambda_python("3.9"), function, "other.handler", None)
    assert outcome.error is not None
    assert outcome.error.phase == "init"
    assert outcome.error.type == "Runtime.ImportModuleError"
    assert "No module named 'other'" in outcome.error.message


def test_an_exception_is_an_invocation_error(
    lambda_python: Callable[[str], LambdaPython], function: Path
) -> None:
    outcome = invoke(lambda_python("3.9"), function, "app.fail", None)
    assert outcome.error is not None
    assert (outcome.error.phase, outcome.error.type) == ("invocation", "LookupError")
    assert outcome.error.message == "no such thing"


def test_a_process_that_dies_is_told(
    lambda_python: Callable[[str], LambdaPython], function: Path
) -> None:
    (function / "app.py").write_text("import os\nos._exit(3)")
    outcome = invoke(lambda_python("3.9"), function, "app.handler", None)
    assert outcome.error is not None
    assert (outcome.error.phase, outcome.error.type) == ("process", "Runtime.ExitError")


def test_the_client_runs_on_emulated_arm64(
    arm64_lambda_python: LambdaPython, function: Path
) -> None:
    outcome = invoke(arm64_lambda_python, function, "app.handler", 1)
    assert isinstance(outcome.response, dict), outcome
    assert outcome.response["machine"] == "aarch64"
    assert not outcome.response["writable"]
