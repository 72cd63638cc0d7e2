"""The table of modules and projects, against the projects' own wheels."""

from __future__ import annotations

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests
from packaging.utils import canonicalize_name

from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve
from crossdeps.resolution.model import Policy
from crossdeps.target.model import Target
from crossdeps.target.runtimes import provided_projects
from crossdeps.verify.module_names import IMPORT_NAMES, PROVIDED_MODULES, find_project

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target(python="3.12", arch="x86_64", glibc="2.34")
TAIL = 4 << 20
# They have no wheels that run on the target, or none at all.
WITHOUT_WHEELS = {"pyusb", "python-ldap", "wxpython", "mysqlclient", "pyshp"}


@pytest.mark.parametrize(
    ("module", "project"),
    [
        ("yaml", "pyyaml"),
        ("yaml.nodes", "pyyaml"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("google.protobuf", "protobuf"),
        ("google", None),
        ("cgi", "legacy-cgi"),
        ("dateutil.parser", "python-dateutil"),
        ("dateutil", "python-dateutil"),
        ("unheard", None),
        ("", None),
    ],
)
def test_the_longest_known_beginning_decides(module: str, project: str | None) -> None:
    assert find_project(module) == project


def test_every_provided_project_has_its_modules() -> None:
    provided = provided_projects("python3.12")
    assert {canonicalize_name(name) for name in PROVIDED_MODULES} == set(provided)


def test_only_what_differs_is_in_the_table() -> None:
    plain = {module: project for module, project in IMPORT_NAMES.items() if "." not in module}
    assert [m for m, project in plain.items() if canonicalize_name(m) == project] == []


@pytest.mark.network
def test_the_projects_have_the_modules(tmp_path: Path) -> None:
    """Each row is true of the newest wheel for the target."""
    rows = {**IMPORT_NAMES, **{m: p for p, ms in PROVIDED_MODULES.items() for m in ms}}
    rows = {m: p for m, p in rows.items() if canonicalize_name(p) not in WITHOUT_WHEELS}
    settings = Settings(
        policy=Policy(no_deps=True, index_strategy="first"), cache=tmp_path / "cache"
    )
    choices = resolve(sorted(set(rows.values())), TARGET, settings=settings).choices
    urls = {name: choice.candidate.file.url for name, choice in choices.items() if choice.candidate}
    with ThreadPoolExecutor(8) as pool:
        members = dict(zip(urls, pool.map(_members, urls.values()), strict=True))
    wrong = [
        f"{project} has no {module}"
        for module, project in rows.items()
        if not any(
            name.startswith((f"{module.replace('.', '/')}/", f"{module.replace('.', '/')}."))
            for name in members[canonicalize_name(re.split("[<=]", project)[0])]
        )
    ]
    assert wrong == []


def _members(url: str) -> list[str]:
    """The names in a wheel, by its end alone."""
    tail = requests.get(url, headers={"Range": f"bytes=-{TAIL}"}, timeout=60).content
    # Offsets in the directory are relative to the file's start, which zipfile makes up for.
    with zipfile.ZipFile(io.BytesIO(tail)) as archive:
        return archive.namelist()
