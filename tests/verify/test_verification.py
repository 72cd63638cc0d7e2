"""The table of rules, their reference page, ignoring, order."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.bundle.read import read_bundle
from crossdeps.errors import FindingsError, UsageError
from crossdeps.target.model import Target
from crossdeps.verify.model import Ignore
from crossdeps.verify.registry import RULES, render_reference, verify
from tests.support.binary_factory import make_elf
from tests.support.wheel_factory import make_wheel
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.verify.model import Rule

PY39 = Target.runtime("python3.9", arch="x86_64")
PAGE = Path(__file__).parents[2] / "docs/reference/rules.md"
WRONG = make_bundle(
    FakeProject(
        "demo",
        files={
            "demo/a.abi3.so": make_elf("aarch64"),
            "demo/b.abi3.so": make_elf("aarch64"),
            "queue.py": b"",
        },
        tags=("cp39-abi3-manylinux2014_aarch64",),
    )
)


def find(bundle: Bundle = WRONG, *, ignore: tuple[Ignore, ...] = ()) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in verify(bundle, PY39, ignore=ignore)]


ALL = [
    ("wrong-machine", "demo/a.abi3.so"),
    ("wrong-machine", "demo/b.abi3.so"),
    ("shadows-stdlib", "queue.py"),
]


def test_errors_come_first() -> None:
    assert find() == ALL


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        ((), ALL),
        (("wrong-machine",), ALL[2:]),
        (("wrong-machine:demo/a*",), ALL[1:]),
        (("wrong-machine:*.so", "shadows-stdlib:queue.py"), []),
        (("shadows-stdlib:other.py",), ALL),
        (("*:demo/*",), ALL[2:]),
        (("*",), []),
    ],
)
def test_findings_are_ignored_by_rule_and_path(
    texts: tuple[str, ...], left: list[tuple[str, str]]
) -> None:
    assert find(ignore=tuple(Ignore.parse(text, RULES) for text in texts)) == left


def test_an_unknown_rule_cannot_be_ignored() -> None:
    with pytest.raises(UsageError) as caught:
        Ignore.parse("wrong-machin", RULES)
    assert caught.value.message == "unknown rule: 'wrong-machin'"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean wrong-machine? ")


def test_the_error_of_a_failed_build_carries_its_findings() -> None:
    findings = verify(WRONG, PY39)
    error = FindingsError(findings)
    assert error.exit_code == 7
    assert error.findings == findings
    assert error.message.endswith("(and 2 more)")
    assert error.rule == "wrong-machine"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_explains_itself(rule: Rule) -> None:
    assert all((rule.title, rule.symptom, rule.cause, rule.remedy))
    assert not rule.title.endswith(".")
    assert rule.remedy.endswith(".")


def test_every_rule_that_explains_another_exists() -> None:
    assert {other for rule in RULES.values() for other in rule.explained_by} <= set(RULES)


def test_every_rule_in_the_source_is_in_the_table() -> None:
    rooms = Path(__file__).parents[2] / "crossdeps/verify"
    texts = [path.read_text(encoding="utf-8") for path in sorted(rooms.glob("*.py"))]
    pattern = re.compile(r'^    id="([a-z-]+)",$', re.MULTILINE)
    declared = [rule for text in texts for rule in pattern.findall(text)]
    assert sorted(declared) == sorted(RULES)


def test_the_reference_is_made_from_the_table() -> None:
    """Regenerate it with ``render_reference(RULES.values())`` when a rule changes."""
    assert PAGE.read_text(encoding="utf-8") == render_reference(RULES.values())


@given(st.permutations(WRONG.entries))
def test_the_order_of_entries_does_not_matter(entries: list[Entry]) -> None:
    assert find(msgspec.structs.replace(WRONG, entries=tuple(entries))) == ALL


@pytest.mark.parametrize("archived", [False, True])
def test_an_artifact_that_was_read(tmp_path: Path, *, archived: bool) -> None:
    """A bundle that was read is checked like a planned one; files are read where needed."""
    wheel = make_wheel(
        "demo",
        "1.0",
        tag="cp39-abi3-manylinux2014_aarch64",
        files={
            "demo/core.abi3.so": make_elf("aarch64"),
            "demo/__init__.py": "",
            "demo.pth": "/home/me\n",
        },
    )
    path = tmp_path / "artifact.zip"
    path.write_bytes(wheel.content)
    if not archived:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "artifact")
        path = tmp_path / "artifact"
    assert find(read_bundle(path)) == [
        ("wrong-machine", "demo/core.abi3.so"),
        ("editable-install", "demo.pth"),
    ]
