"""Public values: immutable, compared by content, and dataclasses to those who use `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pydoc
from typing import TYPE_CHECKING

import pytest

import crossdeps
from crossdeps.pipeline.request import Settings
from crossdeps.report.model import Artifact, LayerLine, PackageLine
from crossdeps.verify.model import Ignore

if TYPE_CHECKING:
    from crossdeps.value import Value

TARGET = crossdeps.Target(python="3.12", arch="arm64", platforms=("manylinux_2_28_aarch64",))
FINDING = crossdeps.Finding(
    rule="too-large", severity="error", path="", owner=None, message="it is too large"
)


each_kind = pytest.mark.parametrize(
    "kind",
    [
        crossdeps.Target, Settings, crossdeps.Report, crossdeps.Lock, crossdeps.Why,
        crossdeps.Comparison, crossdeps.Inspection, crossdeps.Tags, crossdeps.Finding,
        Artifact, PackageLine, LayerLine, Ignore,
    ],
    ids=lambda kind: kind.__name__,
)  # fmt: skip


@each_kind
def test_dataclasses_knows_the_fields(kind: type[Value]) -> None:
    assert dataclasses.is_dataclass(kind)
    assert [field.name for field in dataclasses.fields(kind)] == list(kind.__struct_fields__)


@each_kind
def test_help_shows_the_signature(kind: type[Value]) -> None:
    """Its annotations are evaluated, so that their names must be there at run time."""
    assert list(inspect.signature(kind).parameters) == list(kind.__struct_fields__)
    assert kind.__struct_fields__[0] in pydoc.render_doc(kind)


def test_replace_keeps_what_is_not_changed() -> None:
    settings = Settings(offline=True, handler="app.handler")
    changed = dataclasses.replace(settings, handler=None, strict=True)
    assert changed == Settings(offline=True, strict=True)
    assert settings == Settings(offline=True, handler="app.handler")


def test_replace_checks_as_the_constructor_does() -> None:
    assert dataclasses.replace(TARGET, runtime_name=None, platforms=(), musl="1.2") == (
        crossdeps.Target(python="3.12", arch="aarch64", musl="1.2")
    )
    with pytest.raises(crossdeps.TargetError, match="unknown architecture"):
        dataclasses.replace(TARGET, arch="sparc")
    with pytest.raises(TypeError):
        dataclasses.replace(TARGET, machine="arm64")  # type: ignore[call-arg]


def test_asdict_has_every_field() -> None:
    assert dataclasses.asdict(FINDING) == {
        "rule": "too-large", "severity": "error", "path": "", "owner": None,
        "message": "it is too large", "hint": None, "details": (), "paths": (),
    }  # fmt: skip


def test_a_value_is_immutable() -> None:
    with pytest.raises(AttributeError):
        TARGET.python = "3.13"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        FINDING.owner = "numpy"  # type: ignore[misc]


def test_values_are_compared_and_hashed_by_content() -> None:
    same = crossdeps.Target(python="3.12", arch="arm64", platforms=("manylinux_2_28_aarch64",))
    assert {TARGET, same} == {TARGET}
    assert dataclasses.replace(FINDING, owner="numpy") != FINDING
    assert pickle.loads(pickle.dumps(TARGET)) == TARGET  # noqa: S301 - made here
    assert copy.copy(FINDING) == FINDING
