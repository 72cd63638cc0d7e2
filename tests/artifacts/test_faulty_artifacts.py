"""Artifacts of other tools with one fault each: it is reported, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from crossdeps.verify.registry import RULES
from tests.artifacts import faulty_artifacts
from tests.support.artifacts import run_crossdeps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]


@dataclass(frozen=True, kw_only=True)
class FaultyArtifact:
    """An artifact and its expected findings: rule -> a part of path, message and hint."""

    create: Callable[[Path], Path]
    expected: dict[str, str]
    runtime: str = "python3.12"
    options: tuple[str, ...] = ()
    has_layer: bool = False


HANDLER = ("--handler", "app.handler")
ARTIFACTS = (
    FaultyArtifact(
        create=faulty_artifacts.nested_folder, expected={"nothing-importable": "idna 3"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_python_layer,
        expected={"layer-for-another-python": "python3.11"},
    ),
    FaultyArtifact(
        create=faulty_artifacts.folder_beside_the_code, expected={"not-on-import-path": "vendor/"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_version_in_layer,
        expected={"layer-version": "has 2.1, which is imported"},
        has_layer=True,
    ),
    FaultyArtifact(
        create=faulty_artifacts.hidden_namespace,
        expected={"hidden-package": "google.protobuf"},
        has_layer=True,
    ),
    FaultyArtifact(
        create=faulty_artifacts.mixed_machines, expected={"wrong-machine": "markupsafe/_speedups"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.renamed_wheel, expected={"wrong-machine": "markupsafe/_speedups"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.macos,
        expected={"wrong-machine": "Mach-O (macOS) binary for aarch64"},
    ),
    FaultyArtifact(
        create=faulty_artifacts.windows,
        expected={"wrong-machine": "PE (Windows) binary for x86_64"},
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_python, expected={"wrong-extension": "CPython 3.11"}
    ),
    FaultyArtifact(create=faulty_artifacts.musl, expected={"wrong-libc": "musl"}),
    FaultyArtifact(
        create=faulty_artifacts.damaged, expected={"damaged-binary": "markupsafe/_speedups"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.git_lfs_pointer, expected={"damaged-binary": "a pointer of Git LFS"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.renamed_module,
        expected={"renamed-module": "no function PyInit__speedups: it is the module sax"},
    ),
    FaultyArtifact(
        create=faulty_artifacts.newer_python_api,
        expected={"missing-python-symbol": "PyLong_Export: Python 3.14 and later"},
    ),
    FaultyArtifact(
        create=faulty_artifacts.too_new_glibc,
        expected={"glibc-too-old": "GLIBC_2.34"},
        runtime="python3.11",
    ),
    FaultyArtifact(
        create=faulty_artifacts.too_new_compiler, expected={"symbol-version-too-new": "greenlet"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.stripped_libraries, expected={"missing-library": "libjpeg"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.moved_libraries,
        expected={
            "missing-library": "but not where the loader searches (RPATH $ORIGIN/../pillow.libs)"
        },
    ),
    FaultyArtifact(
        create=faulty_artifacts.absent_library, expected={"absent-library": "libX11.so.6"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.unknown_library, expected={"unknown-library": "libnever.so.1"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.wrong_wheel, expected={"wrong-wheel": "cp312-none-win_amd64"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.local_wheel, expected={"wheel-tag": "cp312-cp312-linux_x86_64"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_requires_python,
        expected={"requires-python": "3.10"},
        runtime="python3.9",
    ),
    FaultyArtifact(
        create=faulty_artifacts.removed_dependency, expected={"unmet-requirement": "idna"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_version, expected={"wrong-version": "2.1 is in the package"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.unreadable_metadata, expected={"unreadable-metadata": "~>"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.removed_file, expected={"record-missing": "certifi/cacert.pem"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.edited_file, expected={"record-changed": "certifi/cacert.pem"}
    ),
    FaultyArtifact(create=faulty_artifacts.deleted_record, expected={"record-absent": "six 1."}),
    FaultyArtifact(
        create=faulty_artifacts.added_file, expected={"record-unlisted": "certifi/extra.py"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.unzipped_wheel, expected={"uninstalled-data": "scripts/jp.py"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.unzipped_modules, expected={"unzipped-wheel": "purelib/certifi/"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.strict_umask, expected={"unreadable-mode": "six.py has mode 0600"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.source_like_the_standard_library,
        expected={"shadows-stdlib": "queue.py"},
    ),
    FaultyArtifact(create=faulty_artifacts.backport, expected={"breaks-stdlib": "enum"}),
    FaultyArtifact(
        create=faulty_artifacts.runtime_client, expected={"shadows-runtime": "awslambdaric"}
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_case, expected={"case-collision": "Six.py and six.py"}
    ),
    FaultyArtifact(create=faulty_artifacts.editable, expected={"editable-install": "source"}),
    FaultyArtifact(create=faulty_artifacts.startup_code, expected={"startup-code": "coverage.pth"}),
    FaultyArtifact(create=faulty_artifacts.host_script, expected={"host-script": "bin/normalizer"}),
    FaultyArtifact(create=faulty_artifacts.bytecode, expected={"bytecode": "1 bytecode file"}),
    FaultyArtifact(create=faulty_artifacts.hidden_source, expected={"bytecode-only": "six.pyc"}),
    FaultyArtifact(create=faulty_artifacts.too_large, expected={"too-large": "262,144,000"}),
    FaultyArtifact(
        create=faulty_artifacts.split_sdk, expected={"split-sdk": "urllib3"}, options=HANDLER
    ),
    FaultyArtifact(
        create=faulty_artifacts.misplaced_handler,
        expected={"handler-module": "src"},
        options=HANDLER,
    ),
    FaultyArtifact(
        create=faulty_artifacts.other_handler,
        expected={"handler-function": "lambda_handler"},
        options=HANDLER,
    ),
    FaultyArtifact(
        create=faulty_artifacts.forgotten_requirement,
        expected={"missing-import": "yaml"},
        options=HANDLER,
    ),
    FaultyArtifact(
        create=faulty_artifacts.later_import,
        expected={"missing-later-import": "yaml"},
        options=HANDLER,
    ),
    FaultyArtifact(
        create=faulty_artifacts.newer_syntax,
        expected={"source-syntax": "app.py"},
        options=HANDLER,
        runtime="python3.9",
    ),
    FaultyArtifact(
        create=faulty_artifacts.unreadable_source,
        expected={"unread-source": "draft.py"},
        options=HANDLER,
    ),
    FaultyArtifact(create=faulty_artifacts.correct_by_uv, expected={}),
    FaultyArtifact(create=faulty_artifacts.correct_by_pip, expected={}),
    FaultyArtifact(create=faulty_artifacts.correct_layer, expected={}),
)


def test_every_rule_has_a_faulty_artifact() -> None:
    rules = {rule for item in ARTIFACTS for rule in item.expected}
    assert rules == set(RULES)


@pytest.mark.parametrize(
    "artifact", [pytest.param(item, id=item.create.__name__) for item in ARTIFACTS]
)
def test_the_fault_is_reported_and_nothing_else(artifact: FaultyArtifact, tmp_path: Path) -> None:
    """Binaries and metadata show that an artifact was made for another target (A20)."""
    path = artifact.create(tmp_path)
    done = run_crossdeps(
        "check",
        path,
        "--runtime",
        artifact.runtime,
        "--arch",
        "x86_64",
        "--json",
        *artifact.options,
        *(("--with-layer", tmp_path / "layer") if artifact.has_layer else ()),
    )
    findings = json.loads(done.stdout)["findings"]
    assert {finding["rule"] for finding in findings} == set(artifact.expected), findings
    for finding in findings:
        assert finding["severity"] == RULES[finding["rule"]].severity
    for rule, text in artifact.expected.items():
        texts = [
            f"{item['path']} {item['message']} {item['hint']}"
            for item in findings
            if item["rule"] == rule
        ]
        assert any(text in item for item in texts), texts
    errors = any(RULES[rule].severity == "error" for rule in artifact.expected)
    assert done.returncode == (7 if errors else 0), done.stderr
