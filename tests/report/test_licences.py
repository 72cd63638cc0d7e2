"""Licences: what metadata says, by its fields in their order, and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.report import inspect
from crossdeps.report.inspect.inspection_text import render_licences
from crossdeps.report.inspect.project_metadata import read_licence
from crossdeps.requirements.core_metadata import Headers
from tests.report.artifacts import directory, project

if TYPE_CHECKING:
    from pathlib import Path

INFO = "p-1.dist-info"


@pytest.mark.parametrize(
    ("headers", "text", "expression", "source"),
    [
        ([], "", "", ""),
        (["License-Expression: mit or apache-2.0"], "mit or apache-2.0", "MIT OR Apache-2.0",
         "License-Expression"),
        (["License-Expression: MIT", "License: BSD"], "MIT", "MIT", "License-Expression"),
        (["License: MIT"], "MIT", "MIT", "License"),
        (["License: Apache 2"], "Apache 2", "", "License"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"],
         "MIT License", "", "Classifier"),
        (["Classifier: License :: OSI Approved"], "", "", ""),
        (["Classifier: License :: OSI Approved :: B", "Classifier: License :: A"],
         "A; B", "", "Classifier"),
        (["License: Long Licence", "        of many", "        lines"],
         "Long Licence", "", "License"),
        (["License: The Licence", "        of lines",
          "Classifier: License :: OSI Approved :: MIT License"], "MIT License", "", "Classifier"),
    ],
)  # fmt: skip
def test_what_is_declared(headers: list[str], text: str, expression: str, source: str) -> None:
    """License-Expression, else a name in License, else classifiers, else the text's first line."""
    text_lines = ["Metadata-Version: 2.4", "Name: p", "Version: 1", *headers, ""]
    licence = read_licence(Headers("\n".join(text_lines).encode()), INFO, [])
    assert (licence.text, licence.expression, licence.source) == (text, expression, source)


@pytest.mark.parametrize(
    ("named", "paths", "files", "missing"),
    [
        (["LICENSE"], [f"{INFO}/licenses/LICENSE"], [f"{INFO}/licenses/LICENSE"], []),
        (["LICENSE"], [f"{INFO}/LICENSE"], [f"{INFO}/LICENSE"], []),
        (["a/LICENSE"], [f"{INFO}/LICENSE"], [f"{INFO}/LICENSE"], []),
        (["LICENSE"], ["LICENSE", "p/LICENSE"], [], ["LICENSE"]),
        ([], [f"{INFO}/COPYING", f"{INFO}/METADATA"], [f"{INFO}/COPYING"], []),
        ([], [f"{INFO}/licenses/a/any.txt"], [f"{INFO}/licenses/a/any.txt"], []),
        ([], [f"{INFO}/licensed/x"], [], []),
    ],
)
def test_licence_files(
    named: list[str], paths: list[str], files: list[str], missing: list[str]
) -> None:
    """Where PEP 639 has them, or where older tools put them; what is named and isn't there."""
    licence = read_licence(
        Headers("".join(f"License-File: {name}\n" for name in named).encode()), INFO, paths
    )
    assert (list(licence.files), list(licence.missing)) == (files, missing)


def test_the_text_ends_with_what_is_missing(tmp_path: Path) -> None:
    found = inspect(
        directory(
            tmp_path / "package",
            {
                **project(
                    "good", "1", {}, headers=["License-Expression: MIT", "License-File: LICENSE"],
                    info_files={"licenses/LICENSE": "text"},
                ),
                **project("silent", "1", {}),
                **project("broken", "1", {}, headers=["License: BSD", "License-File: GONE"]),
                "app.py": "",
            },
        )
    )  # fmt: skip
    assert render_licences(found) == (
        "  broken  1  BSD (License)\n"
        "  good    1  MIT (License-Expression)\n"
        "               good-1.dist-info/licenses/LICENSE\n"
        "  silent  1  not declared\n"
        "\n"
        "No licence in the metadata\n"
        "  silent\n"
        "\n"
        "No licence file\n"
        "  broken: GONE\n"
        "  silent\n"
        "\n"
        "Licence file that the metadata names is missing\n"
        "  broken: GONE\n"
    )
