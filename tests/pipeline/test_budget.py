"""The direct upload: what is too large for it, and whether a layer would help."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from crossdeps.bundle.model import Bundle, InstalledProject
from crossdeps.pipeline.artifact import build_upload_notes
from crossdeps.report.model import Artifact
from crossdeps.target.model import Target

LAMBDA = Target.runtime("python3.12", arch="x86_64")
MB = 1_000_000
LIMIT = 52_428_800


def bundle(*sizes: int, prefix: str = "") -> Bundle:
    """Projects named a, b, ... of so many compressed bytes."""
    projects = tuple(
        InstalledProject(
            name=canonicalize_name(chr(97 + place)), version="1", dist_info="x", wheel_tags=(),
            requires=(), requires_python=None, compressed=size,
        )
        for place, size in enumerate(sizes)
    )  # fmt: skip
    return Bundle(kind="planned", entries=(), prefix=prefix, projects=projects)


def artifact(size: int, *, zipped: bool = True) -> Artifact:
    kind = "zip" if zipped else "directory"
    return Artifact(path=Path("x"), kind=kind, entries=1, size=size, unzipped=size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "zipped", "target"),
    [
        (LIMIT, True, LAMBDA),
        (LIMIT + 1, False, LAMBDA),
        (LIMIT + 1, True, Target(python="3.12", arch="x86_64")),
    ],
)
def test_nothing_to_say(size: int, zipped: bool, target: Target) -> None:
    assert build_upload_notes(bundle(size), artifact(size, zipped=zipped), target) == ()


@pytest.mark.parametrize(
    ("sizes", "layer"),
    [
        ((30 * MB, 40 * MB), "move b into a layer (40.0 MB zipped)"),
        ((20 * MB, 20 * MB, 20 * MB, 20 * MB), "move a, b into a layer (40.0 MB zipped)"),
        ((60 * MB,), ""),
        ((60 * MB, 10 * MB), ""),
        ((50 * MB, 50 * MB, 50 * MB), ""),
    ],
)
def test_a_layer_is_suggested_where_both_parts_fit(sizes: tuple[int, ...], layer: str) -> None:
    (told,) = build_upload_notes(bundle(*sizes), artifact(sum(sizes)), LAMBDA)
    assert "S3" in told
    assert layer in told if layer else "layer" not in told


def test_a_layer_is_not_made_of_a_layer() -> None:
    (told,) = build_upload_notes(
        bundle(30 * MB, 40 * MB, prefix="python/"), artifact(70 * MB), LAMBDA
    )
    assert "layer" not in told
