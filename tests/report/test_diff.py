"""What differs between two artifacts or locks, and how it is told."""

from __future__ import annotations

import hashlib
import html
import json
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.errors import ArtifactReadError, CrossdepsError, InputError, UsageError
from crossdeps.pipeline.report import compare
from crossdeps.report.diff.renderings import (
    markdown_code,
    render_comparison,
    render_comparison_markdown,
)
from crossdeps.text import printable
from tests.report.artifacts import Files, directory, project, zipped
from tests.support.wheel_factory import make_elf, make_macho, make_pe
from tests.support.zip_surgery import flip_byte, patch_central

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.report.diff.comparison import Comparison

HOSTILE = "x/`a`|b<img src=q>\n| [c](d) @e **f** \u202egnp.exe"


def before_files() -> Files:
    return {
        **project("kept", "1.0", {"kept/a.py": "a" * 10}),
        **project("moved", "1.0", {"moved/a.py": "a" * 100}),
        **project("gone", "1.0", {"gone.py": "a" * 1000}),
        **project("rebuilt", "2.0", {"rebuilt.so": make_elf(machine="aarch64", glibc="2.17")}),
        "app.py": "1",
    }


def after_files() -> Files:
    return {
        **project("kept", "1.0", {"kept/a.py": "a" * 10}),
        **project("moved", "1.1", {"moved/a.py": "a" * 50, "moved/b.py": "b"}),
        **project("come", "3.0", {"come.py": "a" * 2000}),
        **project("rebuilt", "2.0", {"rebuilt.so": make_elf(machine="x86_64", glibc="2.28")}),
        "app.py": "22",
    }


class TestLayer:
    """A layer has packages under ``python/``, and the files are the same."""

    @pytest.mark.parametrize("prefix", ["python/", "python/lib/python3.12/site-packages/"])
    @pytest.mark.parametrize("hashes", [True, False])
    def test_a_layer_and_a_function_of_the_same_files_are_the_same(
        self, tmp_path: Path, prefix: str, hashes: bool
    ) -> None:
        files = project("kept", "1.0", {"kept/a.py": "a" * 10, "kept/b.py": "b"})
        function = zipped(tmp_path / "function.zip", files)
        layer = zipped(tmp_path / "layer.zip", {f"{prefix}{k}": v for k, v in files.items()})
        compared = compare(layer, function, hashes=hashes)
        assert not compared.differs
        document = compared.to_dict()
        assert [document[side]["prefix"] for side in ("before", "after")] == [prefix, None]
        assert f"layer.zip ({prefix}) -> function.zip" in render_comparison(compared)

    def test_what_differs_is_named_without_the_prefix(self, tmp_path: Path) -> None:
        files = project("kept", "1.0", {"kept/a.py": "a" * 10})
        changed = {**project("kept", "1.0", {"kept/a.py": "b" * 10}), "app.py": "1"}
        layer = directory(
            tmp_path / "layer", {**{f"python/{k}": v for k, v in files.items()}, "lib/x.txt": "1"}
        )
        compared = compare(layer, directory(tmp_path / "function", changed))
        changes = {change.path: change.kind for change in compared.files}
        assert changes["kept/a.py"] == "content"
        assert changes["app.py"] == "added"
        assert changes["lib/x.txt"] == "removed"
        assert [change.name for change in compared.projects] == ["", "kept"]

    def test_two_layers_keep_their_paths(self, tmp_path: Path) -> None:
        one = directory(tmp_path / "one", {f"python/{k}": v for k, v in before_files().items()})
        two = directory(tmp_path / "two", {f"python/{k}": v for k, v in after_files().items()})
        compared = compare(one, two)
        assert all(change.path.startswith("python/") for change in compared.files)
        assert compared.to_dict()["before"]["prefix"] is None


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return compare(
        directory(tmp_path / "before", before_files()),
        zipped(tmp_path / "after.zip", after_files()),
    )


def test_projects_are_told_apart(comparison: Comparison) -> None:
    """Added, removed, in another version, or with other files in the same version."""
    assert [(change.name, change.kind) for change in comparison.projects] == [
        ("", "content"),
        ("come", "added"),
        ("gone", "removed"),
        ("moved", "version"),
        ("rebuilt", "content"),
    ]
    assert comparison.same_projects == 1
    assert comparison.differs


def test_files_are_told_apart(comparison: Comparison) -> None:
    """Each file by its bytes, with who owns it."""
    found = {change.path: (change.kind, change.owner) for change in comparison.files}
    assert found["gone.py"] == ("removed", "gone")
    assert found["come.py"] == ("added", "come")
    assert found["moved/a.py"] == ("content", "moved")
    assert found["moved/b.py"] == ("added", "moved")
    assert found["app.py"] == ("content", "")
    assert "kept/a.py" not in found


def test_machine_and_glibc_are_those_of_the_binaries(comparison: Comparison) -> None:
    """What the binaries say counts; both wheels say py3-none-any."""
    assert (comparison.before.machines, comparison.before.glibc) == (("aarch64",), "2.17")
    assert (comparison.after.machines, comparison.after.glibc) == (("x86_64",), "2.28")


def test_glibc_is_the_newest_of_all_by_number(tmp_path: Path) -> None:
    """2.4 is older than 2.17, and a mark stands for the release that brought it."""
    old = directory(tmp_path / "a", {"a.so": make_elf(glibc="2.4"), "b.so": make_elf(glibc="2.17")})
    marked = make_elf(versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_ABI_DT_RELR"]})
    new = directory(tmp_path / "b", {"a.so": marked})
    found = compare(old, new)
    assert (found.before.glibc, found.after.glibc) == ("2.17", "2.36")


def test_machines_of_other_systems_are_named(tmp_path: Path) -> None:
    old = directory(tmp_path / "a", {"a.so": make_macho(), "b.pyd": make_pe()})
    found = compare(old, directory(tmp_path / "b", {}))
    assert {name.split(" ")[0] for name in found.before.machines} == {"macOS", "Windows"}
    assert found.after.machines == ()


def test_a_directory_and_its_zip_do_not_differ(tmp_path: Path) -> None:
    """What they hold counts, not how it is packed; permissions are part of it."""
    files = before_files()
    item, two = directory(tmp_path / "one", files), zipped(tmp_path / "two.zip", files)
    assert not compare(item, two).differs
    (item / "app.py").chmod(0o600)
    (change,) = compare(item, two).files
    assert (change.path, change.kind) == ("app.py", "mode")
    assert "0600 -> 0644" in render_comparison(compare(item, two))


def test_a_project_that_is_there_twice_shows_both_versions(tmp_path: Path) -> None:
    """``pip install --target`` leaves the old .dist-info beside the new one."""
    twice = {**project("p", "1.0", {}), **project("p", "2.0", {"p.py": ""})}
    found = compare(
        directory(tmp_path / "a", twice), directory(tmp_path / "b", project("p", "2.0", {}))
    )
    (change,) = found.projects
    assert change.before is not None
    assert change.before.version == "1.0, 2.0"
    assert change.before.size == sum(len(data) for data in twice.values())


def test_the_text(comparison: Comparison) -> None:
    text = render_comparison(comparison)
    assert text.startswith("before -> after.zip\n\n                before   after\n")
    assert "  architecture  aarch64  x86_64\n" in text
    assert "  glibc needed  2.17     2.28\n" in text
    assert (
        "Projects: 1 added, 1 removed, 1 in another version, 2 changed, 1 the same\n"
        "  ~ own files  changed"
    ) in text
    assert "  ~ moved      1.0 -> 1.1" in text
    assert "  ~ rebuilt    2.0 (other files)" in text


def test_the_text_lists_the_biggest_changes_first(comparison: Comparison) -> None:
    text = render_comparison(comparison, most_files=2)
    listed = text[text.index("Files:") :].splitlines()
    assert listed[1].startswith("  + come.py")
    assert listed[2].startswith("  - gone.py")
    assert listed[3] == f"  and {len(comparison.files) - 2} more: -v lists all"
    assert "more: -v" not in render_comparison(comparison, most_files=None)


def test_nothing_differs_is_said(tmp_path: Path) -> None:
    item = directory(tmp_path / "one", before_files())
    assert "The contents are identical." in render_comparison(compare(item, item))
    assert "The contents are identical." in render_comparison_markdown(compare(item, item))


def test_the_keys_of_the_document_are_a_contract(comparison: Comparison) -> None:
    document = json.loads(json.dumps(comparison.to_dict()))
    assert list(document) == [
        "version", "crossdeps", "differs", "before", "after", "projects", "same_projects", "files",
    ]  # fmt: skip
    assert list(document["before"]) == [
        "name", "kind", "prefix", "unzipped", "compressed", "projects", "files", "architectures",
        "glibc", "requires_python",
    ]  # fmt: skip
    assert document["before"]["projects"] == 4
    moved = next(change for change in document["projects"] if change["name"] == "moved")
    assert list(moved) == ["name", "change", "before", "after"]
    assert list(moved["after"]) == ["version", "unzipped", "compressed"]
    assert moved["after"]["compressed"] > 0
    assert list(document["files"][0]) == ["path", "owner", "change", "before", "after"]
    assert document["files"][0]["after"]["mode"] == "0644"


def test_the_same_two_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the folder, nor the order of the files on disk, nor a time is in a rendering."""
    told = []
    for place, order in (("one", list), ("two", reversed)):
        folder = tmp_path / place
        folder.mkdir()
        sides = [
            directory(folder / "before", dict(order(list(before_files().items())))),
            zipped(folder / "after.zip", dict(order(list(after_files().items())))),
        ]
        found = compare(*sides)
        document = found.to_dict()
        del document["after"]["compressed"]  # the zips have their own order
        told.append((json.dumps(document), render_comparison(found).splitlines()[6:]))
    assert told[0] == told[1]


def test_a_hostile_name_stays_on_its_line(tmp_path: Path) -> None:
    """A name can't look like another line, turn the text around or leave its cell."""
    found = compare(
        directory(tmp_path / "a", {}), zipped(tmp_path / "b.zip", {HOSTILE: "x", "ok.py": ""})
    )
    text = render_comparison(found)
    assert "\\n| [c]" in text
    assert "\\u202egnp" in text
    markdown = render_comparison_markdown(found)
    (row,) = [line for line in markdown.splitlines() if "img" in line]
    cell = row.split(" | ")[0]
    assert cell.startswith("| <code>")
    assert cell.endswith("</code>")
    assert not set(cell[len("| <code>") : -len("</code>")]) & set("`|<>[]()@*")
    assert html.unescape(cell[len("| <code>") : -len("</code>")]) == printable(HOSTILE)


@given(st.text(max_size=300))
def test_nothing_in_a_name_is_markup(text: str) -> None:
    """As code in back quotes without any inside, or as references that stand for text only."""
    shown = markdown_code(text)
    assert "\n" not in shown
    assert "|" not in shown
    if shown.startswith("`"):
        assert not set(shown[1:-1]) & set("`<|\\")
    else:
        inside = shown[len("<code>") : -len("</code>")]
        assert re.fullmatch(r"(?:\w|&#\d+;)*", inside)


def test_the_markdown_fits_into_a_comment(tmp_path: Path) -> None:
    """GitHub takes 65,536 characters, however many files and however odd their names."""
    files = {f"{'`|' * 90}{number}.py": "x" for number in range(500)}
    for number in range(300):
        files |= project(f"p{'x' * 60}-{number}", "1.0", {})  # type: ignore[arg-type]
    found = compare(directory(tmp_path / "a", {}), zipped(tmp_path / "b.zip", files))
    markdown = render_comparison_markdown(found)
    assert len(markdown) < 65_536
    assert re.search(r"and [\d,]+ more", markdown)


LOCK = """\
lock-version = "1.0"
created-by = "a tool"
requires-python = "{python}"
"""
PACKAGE = """
[[packages]]
name = "{name}"
version = "{version}"
"""
WHEEL = """
[[packages.wheels]]
name = "{wheel}"
url = "https://files.example/{wheel}"
size = 1000
hashes = {{sha256 = "{digest}"}}
"""


def lock(path: Path, python: str, packages: dict[tuple[str, str], list[str]]) -> Path:
    text = LOCK.format(python=python)
    for (name, version), wheels in packages.items():
        text += PACKAGE.format(name=name, version=version)
        for wheel in wheels:
            text += WHEEL.format(wheel=wheel, digest=f"{len(wheel):064}")
    path.write_text(text)
    return path


def test_locks_are_compared_by_their_wheels(tmp_path: Path) -> None:
    """The tags tell the machine, and the least glibc that the most demanding project needs."""
    before = lock(
        tmp_path / "pylock.old.toml",
        ">=3.9",
        {
            ("a", "1.0"): ["a-1.0-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"],
            ("b", "1.0"): ["b-1.0-py3-none-any.whl"],
        },
    )
    after = lock(
        tmp_path / "pylock.toml",
        ">=3.10",
        {
            ("a", "1.0"): [
                "a-1.0-cp310-cp310-manylinux_2_28_aarch64.whl",
                "a-1.0-cp310-cp310-manylinux_2_34_aarch64.whl",
                "a-1.0-cp310-cp310-macosx_11_0_arm64.whl",
                "a-1.0-cp310-cp310-win_amd64.whl",
                "a-1.0-cp310-cp310-manylinux_2_31_armv7l.whl",
            ],
            ("b", "2.0"): ["b-2.0-py3-none-any.whl"],
        },
    )
    found = compare(before, after)
    assert [(change.name, change.kind) for change in found.projects] == [
        ("a", "content"),
        ("b", "version"),
    ]
    assert (found.before.machines, found.before.glibc) == (("x86_64",), "2.17")
    assert found.after.machines == ("Windows amd64", "aarch64", "armv7l", "macOS arm64")
    assert found.after.glibc == "2.28"
    assert (found.before.compressed, found.after.compressed) == (2000, None)
    text = render_comparison(found)
    assert re.search(r"  Python +>=3.9 +>=3.10\n", text)
    assert re.search(r"  wheels +2.0 kB +-\n", text)


def test_a_lock_does_not_differ_from_itself(tmp_path: Path) -> None:
    """Whatever tool wrote it: sources without wheels count too."""
    text = LOCK.format(python=">=3.9") + (
        '[[packages]]\nname = "local"\n[packages.directory]\npath = "local"\n'
        '[[packages]]\nname = "repo"\n[packages.vcs]\ntype = "git"\n'
        f'url = "https://me:secret@git.example/repo"\ncommit-id = "{"0" * 40}"\n'
        '[[packages]]\nname = "arch"\n[packages.archive]\nurl = "https://a.example/a.zip"\n'
        f'[packages.archive.hashes]\nsha256 = "{"0" * 64}"\n'
    )
    path = tmp_path / "pylock.toml"
    path.write_text(text)
    found = compare(path, path)
    assert not found.differs
    assert len(found.before.files) == 3
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        (("pylock.toml", "folder"), UsageError, "a lock cannot be compared with an artifact"),
        (("missing", "folder"), ArtifactReadError, "missing doesn't exist"),
        (("notes.md", "folder"), ArtifactReadError, "isn't a valid zip"),
        (("broken.toml", "pylock.toml"), InputError, "broken.toml"),
        (("missing.toml", "pylock.toml"), InputError, "missing.toml"),
    ],
)
def test_what_cannot_be_compared(
    tmp_path: Path,
    names: tuple[str, str],
    error: type[CrossdepsError],
    said: str,
) -> None:
    """Told with what is wrong, whichever of the two it is."""
    directory(tmp_path / "folder", {"a.py": ""})
    lock(tmp_path / "pylock.toml", ">=3.9", {("a", "1"): ["a-1-py3-none-any.whl"]})
    (tmp_path / "broken.toml").write_text("lock-version = [")
    (tmp_path / "notes.md").write_text("notes")
    for order in (names, names[::-1]):
        with pytest.raises(error) as caught:
            compare(*(tmp_path / name for name in order))
        assert said in str(caught.value)


def sides(tmp_path: Path, kinds: tuple[str, str]) -> list[Path]:
    """The two artifacts, each as a directory or a zip."""
    pairs = zip(("before", "after"), kinds, (before_files(), after_files()), strict=True)
    return [
        zipped(tmp_path / f"{name}.zip", files)
        if kind == "zip"
        else directory(tmp_path / name, files)
        for name, kind, files in pairs
    ]


@pytest.mark.parametrize(
    "kinds", [("zip", "zip"), ("zip", "directory"), ("directory", "zip"), ("directory",) * 2]
)
def test_hashes_of_changed_files_are_made_for_documents_only(
    tmp_path: Path, kinds: tuple[str, str]
) -> None:
    """The differences are the same with and without them."""
    old, new = sides(tmp_path, kinds)
    with_hashes, without = compare(old, new), compare(old, new, hashes=False)
    assert [(change.path, change.kind) for change in without.files] == [
        (change.path, change.kind) for change in with_hashes.files
    ]
    assert [(change.name, change.kind) for change in without.projects] == [
        (change.name, change.kind) for change in with_hashes.projects
    ]
    assert render_comparison(without) == render_comparison(with_hashes)
    for change in with_hashes.to_dict()["files"]:
        for side, files in (("before", before_files()), ("after", after_files())):
            data = files.get(change["path"])
            assert (data is None) == (change[side] is None)
            if data is not None:
                content = data.encode() if isinstance(data, str) else data
                assert change[side]["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_file_with_another_mode_has_its_hash(tmp_path: Path) -> None:
    content = zipped(tmp_path / "a.zip", {"a.py": "x"}).read_bytes()
    (tmp_path / "b.zip").write_bytes(patch_central(content, "a.py", external=0o100755 << 16))
    for hashes in (True, False):
        found = compare(tmp_path / "a.zip", tmp_path / "b.zip", hashes=hashes)
        (change,) = found.to_dict()["files"]
        assert change["change"] == "mode"
        if hashes:
            assert change["before"]["sha256"] == hashlib.sha256(b"x").hexdigest()
            assert change["after"]["sha256"] == change["before"]["sha256"]


def forge_crc32(data: bytes, wanted: int) -> bytes:
    """Append four bytes to *data* so that its CRC-32 is *wanted*."""
    table = [zlib.crc32(bytes([n])) ^ zlib.crc32(b"\0") for n in range(256)]
    top = {value >> 24: n for n, value in enumerate(table)}
    value, steps = wanted ^ 0xFFFFFFFF, []
    for _ in range(4):
        steps.append(top[value >> 24])
        value = (value ^ table[steps[-1]]) << 8 & 0xFFFFFFFF
    state, suffix = zlib.crc32(data) ^ 0xFFFFFFFF, b""
    for step in reversed(steps):
        suffix += bytes([step ^ (state & 0xFF)])
        state = state >> 8 ^ table[step]
    return data + suffix


@pytest.mark.parametrize("hashes", [True, False])
def test_a_checksum_alone_proves_nothing(tmp_path: Path, *, hashes: bool) -> None:
    """Two files of the same size and CRC-32."""
    one = b"import good\n1234"
    other = forge_crc32(b"import evil\n", zlib.crc32(one))
    assert (len(one), zlib.crc32(one)) == (len(other), zlib.crc32(other))
    old = zipped(tmp_path / "a.zip", {"a.py": one})
    new = zipped(tmp_path / "b.zip", {"a.py": other})
    (change,) = compare(old, new, hashes=hashes).files
    assert (change.path, change.kind) == ("a.py", "content")


def test_files_compressed_in_another_way_are_the_same(tmp_path: Path) -> None:
    files = after_files()
    with zipfile.ZipFile(tmp_path / "stored.zip", "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    for hashes in (True, False):
        found = compare(zipped(tmp_path / "a.zip", files), tmp_path / "stored.zip", hashes=hashes)
        assert not found.differs


def test_only_what_differs_is_inflated(tmp_path: Path) -> None:
    """A file that is damaged in the same way in both is the same."""
    text = "".join(f"x{number} = {number}\n" for number in range(200))
    content = zipped(tmp_path / "a.zip", {"a.py": text, "b.py": "y"}).read_bytes()
    damaged = flip_byte(content, "a.py", 300)
    (tmp_path / "b.zip").write_bytes(damaged)
    (tmp_path / "c.zip").write_bytes(damaged)
    assert not compare(tmp_path / "b.zip", tmp_path / "c.zip").differs
    for hashes in (True, False):
        with pytest.raises(ArtifactReadError, match="cannot be read"):
            compare(tmp_path / "a.zip", tmp_path / "b.zip", hashes=hashes)
