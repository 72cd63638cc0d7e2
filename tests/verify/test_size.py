"""The size limit, and what would bring an artifact under it, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from crossdeps.target.model import Target
from crossdeps.verify.model import RuntimeContext
from crossdeps.verify.registry import verify
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding

PY312 = Target.runtime("python3.12", arch="x86_64")
LIMIT = 262_144_000
MB = 1_000_000


def sized(bundle: Bundle, sizes: Mapping[str, int]) -> Bundle:
    """*bundle* with the files of *sizes* as large as it says."""
    entries = tuple(
        msgspec.structs.replace(entry, size=sizes.get(entry.path, 0)) for entry in bundle.entries
    )
    owned: dict[str | None, int] = {}
    for entry in entries:
        owned[entry.owner] = owned.get(entry.owner, 0) + entry.size
    projects = tuple(
        msgspec.structs.replace(project, size=owned.get(project.name, 0))
        for project in bundle.projects
    )
    return msgspec.structs.replace(bundle, entries=entries, projects=projects)


def too_large(bundle: Bundle, *layers: Bundle, target: Target = PY312) -> list[Finding]:
    found = verify(bundle, target, runtime_context=RuntimeContext(layers=layers))
    return [finding for finding in found if finding.rule == "too-large"]


def plain(name: str, size: int, *, prefix: str = "") -> Bundle:
    bundle = make_bundle(FakeProject(name), prefix=prefix)
    return sized(bundle, {f"{prefix}{name}/__init__.py": size})


def test_the_limit_itself_is_allowed() -> None:
    assert too_large(plain("big", LIMIT)) == []
    (finding,) = too_large(plain("big", LIMIT + 1))
    assert "262,144,001 bytes" in finding.message


def test_a_target_without_runtime_has_no_limit() -> None:
    target = Target(python="3.12", arch="x86_64")
    assert too_large(plain("big", LIMIT + 1), target=target) == []


def test_layers_count() -> None:
    layer = plain("other", 200 * MB, prefix="python/")
    assert too_large(plain("big", 62 * MB), layer) == []
    (finding,) = too_large(plain("big", 63 * MB), layer)
    assert "with its layer 263,000,000" in finding.message
    assert finding.details == (" 200.0 MB  layer 1", "  63.0 MB  big 1.0")
    (finding,) = too_large(plain("big", 63 * MB), layer, plain("more", 1, prefix="python/"))
    assert "with its 2 layers 263,000,001" in finding.message


def test_useless_options_are_not_suggested() -> None:
    """Trimming and providing would save nothing, and another layer counts too."""
    (finding,) = too_large(plain("big", LIMIT + 1))
    assert "--slim" not in (finding.hint or "")
    assert "--provided" not in (finding.hint or "")
    assert "container image" in (finding.hint or "")
    assert "layers count" in (finding.hint or "")


@pytest.mark.parametrize(
    ("rest", "tests", "boto", "suggested", "not_suggested"),
    [
        (250, 20, 0, ("--slim saves 20.0 MB",), ("--provided", "container")),
        (250, 10, 15, ("--provided saves 15.0 MB",), ("--slim", "container")),
        (
            250,
            15,
            16,
            ("--provided (saves 16.0 MB) and --slim (saves 15.0 MB) together",),
            ("container",),
        ),
        (198, 63, 64, ("--provided saves 64.0 MB; or --slim saves 63.0 MB",), ()),
        (
            280,
            10,
            10,
            ("even --provided (saves 10.0 MB) and --slim", "17.9 MB too much", "image"),
            (),
        ),
    ],
)
def test_savings_are_computed(
    rest: int, tests: int, boto: int, suggested: tuple[str, ...], not_suggested: tuple[str, ...]
) -> None:
    """Only what brings the artifact under the limit is suggested."""
    big = FakeProject(
        "big", files={"big/__init__.py": b"", "big/tests/__init__.py": b"", "big/t.py": b""}
    )
    bundle = sized(
        make_bundle(big, FakeProject("boto3", requires=["jmespath"]), FakeProject("jmespath")),
        {
            "big/__init__.py": rest * MB,
            "big/tests/__init__.py": tests * MB,
            "boto3/__init__.py": boto * MB // 2,
            "jmespath/__init__.py": boto * MB // 2,
        },
    )
    (finding,) = too_large(bundle)
    assert all(text in (finding.hint or "") for text in suggested), finding.hint
    assert not any(text in (finding.hint or "") for text in not_suggested), finding.hint


def test_shared_dependencies_are_not_left_out() -> None:
    """A dependency that another project requires too stays, so it saves nothing."""
    bundle = sized(
        make_bundle(
            FakeProject("app", requires=["jmespath"]),
            FakeProject("boto3", requires=["jmespath"]),
            FakeProject("jmespath"),
        ),
        {"app/__init__.py": LIMIT, "jmespath/__init__.py": 9 * MB, "boto3/__init__.py": MB},
    )
    (finding,) = too_large(bundle)
    assert "--provided (saves 1.0 MB)" in (finding.hint or "")


def test_projects_that_a_layer_has() -> None:
    layer = plain("big", 100 * MB, prefix="python/")
    bundle = sized(
        make_bundle(FakeProject("big"), FakeProject("app", requires=["big"])),
        {"big/__init__.py": 100 * MB, "app/__init__.py": 100 * MB},
    )
    (finding,) = too_large(bundle, layer)
    assert "--exclude-project big (a layer has it) saves 100.0 MB" in (finding.hint or "")


def test_the_largest_come_first() -> None:
    names = [f"p{number:02}" for number in range(12)]
    sizes = {f"{name}/__init__.py": (number + 20) * MB for number, name in enumerate(names)}
    (finding,) = too_large(sized(make_bundle(*map(FakeProject, names)), sizes))
    assert finding.details[0] == "  31.0 MB  p11 1.0"
    assert len(finding.details) == 9
    assert finding.details[-1] == "  86.0 MB  4 others"
