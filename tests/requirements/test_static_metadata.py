"""What a source says of itself, where the standards bind a build to say the same."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from crossdeps.requirements.core_metadata import (
    Headers,
    StaticMetadata,
    read_archive_metadata,
    read_directory_metadata,
)
from tests.requirements.reading import write
from tests.support.sdist_factory import make_sdist

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT = """\
[project]
name = "Some.Thing"
version = "1.0.0-rc1"
requires-python = ">=3.13"
dependencies = ["idna >= 2", "six; python_version < '4' or os_name == 'nt'"]
[project.optional-dependencies]
Web_UI = ["flask", "click; sys_platform == 'win32' or os_name == 'nt'"]
"""
PKG_INFO = """\
Metadata-Version: 2.2
Name: thing
Version: 1.0
Requires-Python: >=3.13
Requires-Dist: idna
"""


def headers(found: StaticMetadata) -> Headers:
    assert found.metadata is not None
    return Headers(found.metadata)


def read_archive(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    archive: str = "tar.gz",
    subdirectory: str | None = None,
) -> StaticMetadata:
    """Read an archive of these files alone."""
    made = make_sdist("outer", "1.0", files={"pyproject.toml": "", "PKG-INFO": "", **files},
                      archive=archive)  # fmt: skip
    return read_archive_metadata(made.write_to(folder), subdirectory)


class TestProject:
    """The table [project] (PEP 621)."""

    def test_all_that_a_resolver_needs(self, tmp_path: Path) -> None:
        write(tmp_path, {"pyproject.toml": PROJECT})
        found = read_directory_metadata(tmp_path)
        fields = headers(found)
        assert (fields.get("Name"), fields.get("Version")) == ("some-thing", "1.0.0-rc1")
        assert fields.get("Requires-Python") == found.requires_python == ">=3.13"
        assert fields.get_all("Provides-Extra") == ("web-ui",)
        assert fields.get_all("Requires-Dist") == (
            "idna>=2",
            'six; python_version < "4" or os_name == "nt"',
            'flask; extra == "web-ui"',
            'click; (sys_platform == "win32" or os_name == "nt") and extra == "web-ui"',
        )

    @pytest.mark.parametrize(
        "key", ["version", "dependencies", "optional-dependencies", "requires-python"]
    )
    def test_what_is_dynamic_takes_a_build(self, key: str, tmp_path: Path) -> None:
        dynamic = PROJECT.replace("[project]", f'[project]\ndynamic = ["{key}"]', 1)
        write(tmp_path, {"pyproject.toml": dynamic})
        found = read_directory_metadata(tmp_path)
        assert found.metadata is None
        assert found.requires_python == ("" if key == "requires-python" else ">=3.13")

    def test_what_else_is_dynamic_does_not(self, tmp_path: Path) -> None:
        dynamic = PROJECT.replace("[project]", '[project]\ndynamic = ["readme", "scripts"]', 1)
        write(tmp_path, {"pyproject.toml": dynamic})
        assert read_directory_metadata(tmp_path).metadata is not None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[",
            "project = 1",
            "[build-system]",
            "[project]",
            PROJECT.replace('"Some.Thing"', '"not a name"'),
            PROJECT.replace('"Some.Thing"', "1"),
            PROJECT.replace('"1.0.0-rc1"', '"one"'),
            PROJECT.replace('version = "1.0.0-rc1"\n', ""),
            PROJECT.replace('"idna >= 2"', '"idna >>= 2"'),
            PROJECT.replace('"idna >= 2"', "2"),
            PROJECT.replace('["flask"', '[["flask"]'),
            PROJECT.partition("[project.opt")[0] + "optional-dependencies = []",
            PROJECT.replace('">=3.13"', '">=3.13\\nName: other"'),
            PROJECT.replace("[project]", "[project]\ndynamic = 1", 1),
            '[project]\nname = "a"\nversion = "1"\n[tool.poetry.dependencies]\nsix = "*"\n',
        ],
    )
    def test_what_is_invalid_is_left_to_the_build(self, text: str, tmp_path: Path) -> None:
        write(tmp_path, {"pyproject.toml": text})
        assert read_directory_metadata(tmp_path).metadata is None

    def test_a_missing_file_is_left_to_the_build(self, tmp_path: Path) -> None:
        assert read_directory_metadata(tmp_path) == StaticMetadata()


class TestArchive:
    """PKG-INFO (PEP 643), else pyproject.toml."""

    @pytest.mark.parametrize("archive", ["tar.gz", "zip"])
    def test_pkg_info_is_metadata(self, archive: str, tmp_path: Path) -> None:
        found = read_archive(tmp_path, {"PKG-INFO": PKG_INFO}, archive=archive)
        assert found.metadata == PKG_INFO.encode()
        assert found.requires_python == ">=3.13"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("2.2", "2.1"),
            ("2.2", "1.10"),
            ("2.2", "newest"),
            ("Requires-Dist", "Dynamic: Requires-Dist\nRequires-Dist"),
            ("Requires-Dist", "Dynamic: license\nDynamic: requires-python\nRequires-Dist"),
            ("Name: thing\n", ""),
            ("Version: 1.0", "Version: one"),
        ],
    )
    def test_what_may_change_is_left_to_the_build(self, old: str, new: str, tmp_path: Path) -> None:
        """But which Python the build takes is known."""
        found = read_archive(tmp_path, {"PKG-INFO": PKG_INFO.replace(old, new, 1)})
        assert found == StaticMetadata(requires_python=">=3.13")

    def test_an_older_pkg_info_has_a_pyproject_beside_it(self, tmp_path: Path) -> None:
        old = PKG_INFO.replace("2.2", "2.1").replace("3.13", "3.8")
        found = read_archive(tmp_path, {"PKG-INFO": old, "pyproject.toml": PROJECT})
        assert headers(found).get("Name") == "some-thing"
        assert found.requires_python == ">=3.13"

    def test_a_subdirectory_has_its_own(self, tmp_path: Path) -> None:
        files = {"PKG-INFO": PKG_INFO, "libs/thing/pyproject.toml": PROJECT}
        found = read_archive(tmp_path, files, subdirectory="libs/thing")
        assert headers(found).get("Name") == "some-thing"

    def test_files_further_down_are_not_the_project_s(self, tmp_path: Path) -> None:
        files = {"sub/PKG-INFO": PKG_INFO, "sub/pyproject.toml": PROJECT}
        assert read_archive(tmp_path, files) == StaticMetadata()

    @pytest.mark.parametrize("archive", ["tar.gz", "zip"])
    @pytest.mark.parametrize("kept", [0, 20, 300, -30])
    def test_a_damaged_archive_is_left_to_the_build(
        self, archive: str, kept: int, tmp_path: Path
    ) -> None:
        path = make_sdist("thing", "1.0", archive=archive).write_to(tmp_path)
        path.write_bytes(path.read_bytes()[:kept])
        read_archive_metadata(path, None)
        read_archive_metadata(pathlib.Path(tmp_path, "absent"), None)
