"""Artifacts made by other tools, one fault each: it is found, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from crossdeps.verify.registry import RULES
from tests.artifacts import plants
from tests.support.artifacts import run_crossdeps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """An artifact, and what is to be found in it: part of what is said, by rule."""

    plant: Callable[[Path], Path]
    found: dict[str, str]
    runtime: str = "python3.12"
    options: tuple[str, ...] = ()


HANDLER = ("--handler", "app.handler")
PLANTED = (
    Planted(plant=plants.mixed_machines, found={"wrong-machine": "markupsafe/_speedups"}),
    Planted(plant=plants.renamed_wheel, found={"wrong-machine": "markupsafe/_speedups"}),
    Planted(plant=plants.macos, found={"wrong-machine": "Mach-O (macOS) binary for aarch64"}),
    Planted(plant=plants.windows, found={"wrong-machine": "PE (Windows) binary for x86_64"}),
    Planted(plant=plants.other_python, found={"wrong-extension": "CPython 3.11"}),
    Planted(plant=plants.musl, found={"wrong-libc": "musl"}),
    Planted(plant=plants.damaged, found={"damaged-binary": "markupsafe/_speedups"}),
    Planted(
        plant=plants.too_new_glibc, found={"glibc-too-old": "GLIBC_2.34"}, runtime="python3.11"
    ),
    Planted(plant=plants.too_new_compiler, found={"symbol-version-too-new": "greenlet"}),
    Planted(plant=plants.stripped_libraries, found={"missing-library": "libjpeg"}),
    Planted(plant=plants.absent_library, found={"absent-library": "libX11.so.6"}),
    Planted(plant=plants.unknown_library, found={"unknown-library": "libnever.so.1"}),
    Planted(plant=plants.wrong_wheel, found={"wrong-wheel": "cp312-none-win_amd64"}),
    Planted(plant=plants.local_wheel, found={"wheel-tag": "cp312-cp312-linux_x86_64"}),
    Planted(
        plant=plants.other_requires_python, found={"requires-python": "3.10"}, runtime="python3.9"
    ),
    Planted(plant=plants.removed_dependency, found={"unmet-requirement": "idna"}),
    Planted(plant=plants.other_version, found={"wrong-version": "2.1 is in the package"}),
    Planted(plant=plants.unreadable_metadata, found={"unreadable-metadata": "~>"}),
    Planted(plant=plants.removed_file, found={"record-missing": "certifi/cacert.pem"}),
    Planted(plant=plants.edited_file, found={"record-changed": "certifi/cacert.pem"}),
    Planted(plant=plants.strict_umask, found={"unreadable-mode": "six.py has mode 0600"}),
    Planted(plant=plants.backport, found={"shadows-stdlib": "enum"}),
    Planted(plant=plants.own_client, found={"shadows-runtime": "awslambdaric"}),
    Planted(plant=plants.other_case, found={"case-collision": "Six.py and six.py"}),
    Planted(plant=plants.editable, found={"editable-install": "source"}),
    Planted(plant=plants.startup_code, found={"startup-code": "coverage.pth"}),
    Planted(plant=plants.host_script, found={"host-script": "bin/normalizer"}),
    Planted(plant=plants.bytecode, found={"bytecode": "1 bytecode file"}),
    Planted(plant=plants.hidden_source, found={"bytecode-only": "six.pyc"}),
    Planted(plant=plants.too_large, found={"too-large": "262,144,000"}),
    Planted(plant=plants.split_sdk, found={"split-sdk": "urllib3"}, options=HANDLER),
    Planted(plant=plants.misplaced_handler, found={"handler-module": "src"}, options=HANDLER),
    Planted(
        plant=plants.other_handler,
        found={"handler-function": "lambda_handler"},
        options=HANDLER,
    ),
    Planted(plant=plants.forgotten_requirement, found={"missing-import": "yaml"}, options=HANDLER),
    Planted(plant=plants.later_import, found={"missing-later-import": "yaml"}, options=HANDLER),
    Planted(
        plant=plants.newer_syntax,
        found={"source-syntax": "app.py"},
        options=HANDLER,
        runtime="python3.9",
    ),
    Planted(plant=plants.unreadable_source, found={"unread-source": "draft.py"}, options=HANDLER),
    Planted(plant=plants.nothing_by_uv, found={}),
    Planted(plant=plants.nothing_by_pip, found={}),
    Planted(plant=plants.nothing_in_a_layer, found={}),
)


def test_every_rule_is_planted() -> None:
    planted = {rule for item in PLANTED for rule in item.found}
    assert planted == set(RULES)


@pytest.mark.parametrize(
    "planted", [pytest.param(item, id=item.plant.__name__) for item in PLANTED]
)
def test_the_planted_fault_is_found_and_nothing_else(planted: Planted, tmp_path: Path) -> None:
    """What was made for another target is known by its binaries and its metadata (A20)."""
    artifact = planted.plant(tmp_path)
    done = run_crossdeps(
        "check",
        artifact,
        "--runtime",
        planted.runtime,
        "--arch",
        "x86_64",
        "--json",
        *planted.options,
    )
    findings = json.loads(done.stdout)["findings"]
    assert {finding["rule"] for finding in findings} == set(planted.found), findings
    for finding in findings:
        assert finding["severity"] == RULES[finding["rule"]].severity
    for rule, text in planted.found.items():
        said = [
            f"{item['path']} {item['message']} {item['hint']}"
            for item in findings
            if item["rule"] == rule
        ]
        assert any(text in item for item in said), said
    errors = any(RULES[rule].severity == "error" for rule in planted.found)
    assert done.returncode == (7 if errors else 0), done.stderr
