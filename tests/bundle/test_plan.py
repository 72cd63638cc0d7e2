from __future__ import annotations

import csv
import io
import stat
from typing import TYPE_CHECKING, Literal

import pytest
from msgspec import msgpack
from msgspec.structs import replace

from crossdeps.bundle.content import read_content
from crossdeps.bundle.model import Layout, layer_prefix
from crossdeps.bundle.plan import plan_bundle
from crossdeps.derived import DerivedCache
from crossdeps.errors import CollisionError, UsageError, WheelError
from crossdeps.wheels.facts import plan_installation
from crossdeps.wheels.record import SOURCE_RECORD, parse_installed_record
from tests.support.growth import LINEAR, growth
from tests.support.large_wheels import large_wheel
from tests.support.wheel_factory import Member, make_elf

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.bundle.model import Bundle
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel
    from tests.bundle.conftest import WheelMaker


def paths(bundle: Bundle) -> list[str]:
    return [entry.path for entry in bundle.entries]


def data_of(bundle: Bundle, path: str) -> bytes:
    return next(read_content(entry.content) for entry in bundle.entries if entry.path == path)


def test_a_wheel_is_laid_out_with_its_metadata(wheel: WheelMaker, target: Target) -> None:
    made = wheel("Foo.Bar", requires=["x>=1"], requires_python=">=3.8", extras={"e": ["y"]})
    bundle = plan_bundle([made], target, Layout())
    assert paths(bundle) == [
        "foo_bar-1.0.dist-info/INSTALLER",
        "foo_bar-1.0.dist-info/METADATA",
        "foo_bar-1.0.dist-info/RECORD",
        "foo_bar-1.0.dist-info/WHEEL",
        "foo_bar/__init__.py",
    ]
    (project,) = bundle.projects
    assert (project.name, project.version) == ("foo-bar", "1.0")
    assert project.requires[0] == "x>=1"
    assert project.requires_python == ">=3.8"
    assert project.provides_extras == ("e",)
    assert project.wheel_tags == ("py3-none-any",)
    assert project.size == bundle.size
    assert {entry.owner for entry in bundle.entries} == {"foo-bar"}


def test_record_lists_what_is_laid_out(wheel: WheelMaker, target: Target) -> None:
    """Forward slashes, sorted, true hashes; RECORD itself without (I115)."""
    made = wheel("a", files={"a/__init__.py": "", 'a/q"o,te.txt': "x", "a/é.txt": "y"})
    bundle = plan_bundle([made], target, Layout(prefix="python/"))
    record = data_of(bundle, "python/a-1.0.dist-info/RECORD")
    rows = list(csv.reader(io.StringIO(record.decode())))
    assert rows == sorted(rows)
    assert ["a-1.0.dist-info/RECORD", "", ""] in rows
    assert b"\r" not in record
    parsed = {
        f"python/{row.path}": (row.sha256, row.size) for row in parse_installed_record(record)
    }
    for entry in bundle.entries:
        if not entry.path.endswith("/RECORD"):
            assert parsed.pop(entry.path) == (entry.sha256, entry.size)
    assert list(parsed) == ["python/a-1.0.dist-info/RECORD"]


def test_the_data_directory_is_spread(wheel: WheelMaker, target: Target) -> None:
    """Purelib, platlib and data to the root, scripts to bin, headers nowhere (I114)."""
    made = wheel(
        "a",
        files={
            "a-1.0.data/purelib/pure.py": "1",
            "a-1.0.data/platlib/sub/plat.py": "2",
            "a-1.0.data/data/share/x.txt": "3",
            "a-1.0.data/headers/a.h": "4",
            "a-1.0.data/scripts/tool": "#!pythonw -x\nprint()\n",
            "a-1.0.data/scripts/shell": "#!/bin/sh\n",
        },
    )
    bundle = plan_bundle([made], target, Layout())
    laid_out = {entry.path: entry for entry in bundle.entries if ".dist-info/" not in entry.path}
    assert list(laid_out) == ["bin/shell", "bin/tool", "pure.py", "share/x.txt", "sub/plat.py"]
    assert data_of(bundle, "bin/tool") == b"#!/usr/bin/env python3\nprint()\n"
    assert data_of(bundle, "bin/shell") == b"#!/bin/sh\n"
    assert laid_out["bin/tool"].mode == laid_out["bin/shell"].mode == 0o755
    assert laid_out["pure.py"].mode == 0o644
    assert ("headers", "a", 1) in bundle.removed


def test_bytecode_and_signatures_are_never_laid_out(wheel: WheelMaker, target: Target) -> None:
    """Bytecode would be another Python's, and signatures are of the wheel (I121)."""
    made = wheel(
        "a",
        files={
            "a/__init__.py": "",
            "a/__pycache__/__init__.cpython-312.pyc": "12",
            "a/lonely.pyc": "345",
            "a-1.0.dist-info/INSTALLER": "pip",
        },
        extra_members=[Member(name="a-1.0.dist-info/RECORD.jws", data=b"{}", mode=0o100644)],
    )
    bundle = plan_bundle([made], target, Layout())
    assert not [p for p in paths(bundle) if "pyc" in p or p.endswith(".jws")]
    assert data_of(bundle, "a-1.0.dist-info/INSTALLER") == b"crossdeps\n"
    assert bundle.removed == (("bytecode", "a", 5),)
    assert "a/lonely.pyc without its source" in bundle.warnings[0]
    assert len(bundle.warnings) == 1


@pytest.mark.parametrize("mode", [0o4777, 0o666, 0o600, 0o744, 0o100])
def test_modes_are_normal(wheel: WheelMaker, target: Target, mode: int) -> None:
    made = wheel("a", files={"a.py": ""}, modes={"a.py": mode})
    bundle = plan_bundle([made], target, Layout())
    laid_out = next(entry for entry in bundle.entries if entry.path == "a.py")
    assert laid_out.mode == (0o755 if mode & 0o111 else 0o644)
    assert stat.S_IMODE(laid_out.mode) == laid_out.mode


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (Layout(), True),
        (Layout(kind="zip"), False),
        (Layout(prefix="python/"), False),
        (Layout(kind="zip", scripts=True), True),
        (Layout(scripts=False), False),
    ],
)
def test_scripts_are_for_plain_directories(
    wheel: WheelMaker, target: Target, layout: Layout, expected: bool
) -> None:
    """No hosted runtime starts a program from a package, so zips and layers do without."""
    made = wheel(
        "a",
        files={"a/__init__.py": "", "a-1.0.data/scripts/old": "#!python\n"},
        entry_points={"console_scripts": {"new": "a:main"}, "other": {"x": "y"}},
    )
    bundle = plan_bundle([made], target, layout)
    laid_out = [p for p in paths(bundle) if p.startswith(f"{layout.prefix}bin/")]
    if expected:
        assert laid_out == ["bin/new", "bin/old"]
        assert bundle.notes == ()
    else:
        assert laid_out == []
        assert bundle.notes == (
            "2 scripts are excluded, since a hosted function starts none: new, old",
        )


def test_layers_have_their_prefix(wheel: WheelMaker, target: Target) -> None:
    prefix = layer_prefix(target, versioned=True)
    assert prefix == "python/lib/python3.12/site-packages/"
    bundle = plan_bundle([wheel("a")], target, Layout(prefix=prefix))
    assert all(path.startswith(prefix) for path in paths(bundle))
    assert bundle.projects[0].dist_info == f"{prefix}a-1.0.dist-info"


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("python/lib/python3.9/site-packages/", "is for Python 3.9, but the target is 3.12"),
        ("lib/", "isn't one"),
        ("../", "isn't one"),
    ],
)
def test_a_prefix_that_nothing_looks_in_is_refused(target: Target, prefix: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan_bundle([], target, Layout(prefix=prefix))


def test_nothing_asked_gives_an_empty_bundle(target: Target) -> None:
    bundle = plan_bundle([], target, Layout())
    assert (bundle.entries, bundle.projects) == ((), ())


def test_excluded_projects_are_left_out(wheel: WheelMaker, target: Target) -> None:
    from packaging.utils import canonicalize_name

    made = [wheel("a"), wheel("boto3")]
    layout = Layout(excluded_projects=(canonicalize_name("Boto3"),))
    bundle = plan_bundle(made, target, layout)
    assert [project.name for project in bundle.projects] == ["a"]
    ((rule, owner, size),) = bundle.removed
    assert (rule, owner) == ("excluded-project", "boto3")
    assert size == sum(member.size for member in made[1].members)


def test_globs_cut_data_and_bring_some_of_it_back(wheel: WheelMaker, target: Target) -> None:
    """Metadata stays whatever a glob says."""
    made = wheel(
        "b",
        files={
            "b/data/s3/x.json": "1",
            "b/data/ec2/x.json": "22",
            "b/data/note.txt": "333",
            "b/__init__.py": "",
        },
        entry_points={"g": {"x": "b:y"}},
    )
    layout = Layout(exclude=("b/data/", "*.txt"), include=("b/data/s3/**",))
    bundle = plan_bundle([made], target, layout)
    assert [p for p in paths(bundle) if "dist-info" not in p] == [
        "b/__init__.py",
        "b/data/s3/x.json",
    ]
    assert "b-1.0.dist-info/entry_points.txt" in paths(bundle)
    assert bundle.removed == (("exclude", "b", 5),)
    assert b"ec2" not in data_of(bundle, "b-1.0.dist-info/RECORD")


def test_native_binaries_keep_their_facts(wheel: WheelMaker, target: Target) -> None:
    made = wheel("n", tag="cp312-cp312-manylinux2014_x86_64", files={"n.so": make_elf("x86_64")})
    bundle = plan_bundle([made], target, Layout())
    (native,) = [entry for entry in bundle.entries if entry.binary]
    assert native.path == "n.so"
    assert native.binary
    assert native.binary.machine == "x86_64"


def test_two_wheels_with_the_same_bytes_agree(wheel: WheelMaker, target: Target) -> None:
    """Both RECORDs list the shared file; the first owner by name has its bytes."""
    made = [wheel(name, files={"google/__init__.py": "", f"google/{name}.py": ""}) for name in "ba"]
    bundle = plan_bundle(made, target, Layout())
    shared = next(entry for entry in bundle.entries if entry.path == "google/__init__.py")
    assert shared.owner == "a"
    for name in "ab":
        assert b"google/__init__.py" in data_of(bundle, f"{name}-1.0.dist-info/RECORD")


@pytest.mark.parametrize("prefix", ["", "python/"])
def test_what_is_excluded_does_not_collide(wheel: WheelMaker, target: Target, prefix: str) -> None:
    """By the pattern that the hint suggests, or by ``--slim``."""
    wheels = [
        wheel(name, files={f"{name}/x.py": "", "shared/x.py": name, "tests/__init__.py": name})
        for name in ("a", "b")
    ]
    layout = Layout(prefix=prefix, exclude=("shared/x.py", "/tests/"))
    bundle = plan_bundle(wheels, target, layout)
    paths = [entry.path.removeprefix(prefix) for entry in bundle.entries]
    assert [path for path in paths if path.endswith(".py")] == ["a/x.py", "b/x.py"]
    records = [entry.content for entry in bundle.entries if entry.path.endswith("RECORD")]
    assert all(b"shared" not in content.data for content in records)  # type: ignore[union-attr]
    with pytest.raises(CollisionError, match="1 path collides") as caught:
        plan_bundle(wheels, target, Layout(prefix=prefix, exclude=("shared/",)))
    assert "tests/__init__.py" in caught.value.context[0]
    assert "(--exclude '/tests/__init__.py')" in (caught.value.hint or "")
    slim = plan_bundle(wheels, target, Layout(prefix=prefix, slim=True, exclude=("shared/",)))
    assert [entry.path for entry in slim.entries] == [entry.path for entry in bundle.entries]
    with pytest.raises(CollisionError):
        plan_bundle(wheels, target, replace(layout, include=("shared/",)))


def test_a_project_of_that_name_still_collides_with_tests_of_another(
    wheel: WheelMaker, target: Target
) -> None:
    wheels = [
        wheel("a", files={"a/x.py": "", "tests/t.py": "a"}),
        wheel("b", files={"tests/t.py": "b"}),
    ]
    with pytest.raises(CollisionError, match="1 path collides"):
        plan_bundle(wheels, target, Layout(slim=True))


def test_a_shared_file_that_is_excluded_counts_once(wheel: WheelMaker, target: Target) -> None:
    wheels = [wheel(name, files={"shared/x.py": "same"}) for name in ("a", "b")]
    bundle = plan_bundle(wheels, target, Layout(exclude=("shared/",)))
    assert bundle.removed == (("exclude", "a", 4),)


def test_every_collision_is_named_at_once(wheel: WheelMaker, target: Target) -> None:
    """Other bytes at one path are an error, not a warning (I120)."""
    made = [
        wheel("a", files={"x.py": "1", "y": "1", "z.py": "1"}),
        wheel("b", files={"x.py": "2", "y/inner.py": "", "z.py": "1"}),
    ]
    with pytest.raises(CollisionError) as caught:
        plan_bundle(made, target, Layout())
    error = caught.value
    assert error.exit_code == 7
    assert error.message == "2 paths collide between projects"
    names = "a-1.0-py3-none-any.whl and b-1.0-py3-none-any.whl"
    assert error.context == (
        f"x.py: {names} have different files",
        f"y: a file of one and a directory of another: {names}",
    )


def test_a_wheel_collides_with_itself(wheel: WheelMaker, target: Target) -> None:
    made = wheel("a", files={"x.py": "1", "a-1.0.data/purelib/x.py": "2"})
    with pytest.raises(CollisionError, match="twice"):
        plan_bundle([made], target, Layout())


def test_a_launcher_collides_with_a_script(wheel: WheelMaker, target: Target) -> None:
    made = [
        wheel("a", files={"a-1.0.data/scripts/run": "#!python\n"}),
        wheel("b", entry_points={"console_scripts": {"run": "b:main"}}),
    ]
    with pytest.raises(CollisionError, match="bin/run"):
        plan_bundle(made, target, Layout())
    plan_bundle(made, target, Layout(kind="zip"))


def test_no_wheel_writes_into_anothers_metadata(wheel: WheelMaker, target: Target) -> None:
    made = [wheel("a"), wheel("b", files={"b-1.0.data/data/a-1.0.dist-info/evil": ""})]
    with pytest.raises(CollisionError, match=r"b-1\.0.* writes into another project's metadata"):
        plan_bundle(made, target, Layout())


def test_two_wheels_of_one_project_are_refused(wheel: WheelMaker, target: Target) -> None:
    with pytest.raises(CollisionError, match="two wheels of a"):
        plan_bundle([wheel("a"), wheel("a", "2.0")], target, Layout())


def test_names_that_differ_in_case_are_told(wheel: WheelMaker, target: Target) -> None:
    made = [wheel("a", files={"Pkg/x.py": ""}), wheel("b", files={"pkg/y.py": ""})]
    bundle = plan_bundle(made, target, Layout())
    assert bundle.warnings == (
        "Pkg and pkg are one file where case doesn't matter (macOS, Windows)",
    )


def test_names_that_differ_in_composition_are_told(wheel: WheelMaker, target: Target) -> None:
    made = [wheel("a", files={"\u00e9.py": ""}), wheel("b", files={"e\u0301.py": ""})]
    assert len(plan_bundle(made, target, Layout()).warnings) == 1


def test_source_lies_next_to_the_packages(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    """And is listed with its hashes, so that a later run knows it as its own."""
    (tmp_path / "app.py").write_text("handler = 1")
    bundle = plan_bundle([wheel("a")], target, Layout(prefix="python/", sources=(tmp_path,)))
    app = next(entry for entry in bundle.entries if entry.path == "python/app.py")
    assert app.owner is None
    rows = {row.path: row.sha256 for row in parse_installed_record(data_of(bundle, SOURCE_RECORD))}
    assert rows == {"python/app.py": app.sha256, SOURCE_RECORD: ""}


@pytest.mark.parametrize("name", ["a/__init__.py", "a-1.0.dist-info/INSTALLER", "a"])
def test_source_never_replaces_a_package(
    wheel: WheelMaker, target: Target, tmp_path: Path, name: str
) -> None:
    source = tmp_path / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("mine")
    with pytest.raises(CollisionError) as caught:
        plan_bundle(
            [wheel("a", files={"a/__init__.py": "theirs"})], target, Layout(sources=(tmp_path,))
        )
    assert str(source) in str(caught.value)


@pytest.mark.parametrize(
    "entry_points",
    [
        {"console_scripts": {"../evil": "a:main"}},
        {"console_scripts": {"python3": "a:main"}},
        {"console_scripts": {"x": "a:main();evil()"}},
        {"console_scripts": {"x": "a"}},
        "[console_scripts\nbroken",
    ],
)
def test_unsafe_entry_points_never_become_launchers(
    wheel: WheelMaker, target: Target, entry_points: object
) -> None:
    """Whichever room refuses first, nothing is planned."""
    with pytest.raises(WheelError):
        plan_bundle([wheel("a", entry_points=entry_points)], target, Layout())


def test_the_work_grows_with_the_files_of_a_wheel(target: Target) -> None:
    def work(made: Wheel) -> None:
        assert len(plan_bundle([made], target, Layout()).entries) == len(made.members) + 2

    assert growth(work, lambda size: large_wheel("a", size), 10_000) <= LINEAR


def test_the_work_grows_with_the_wheels(target: Target) -> None:
    def make(size: int) -> list[Wheel]:
        return [large_wheel(f"p{number}", 10) for number in range(size)]

    def work(made: list[Wheel]) -> None:
        assert len(plan_bundle(made, target, Layout()).entries) == 12 * len(made)

    assert growth(work, make, 1_000) <= LINEAR


def test_the_work_grows_with_shared_files(target: Target) -> None:
    """As with the files of namespace packages, which are the same in each wheel."""

    def make(size: int) -> list[Wheel]:
        first = large_wheel("a", size)
        second = large_wheel("b", 3)
        members = (*first.members, *second.members)
        installation = plan_installation(second.dist_info, members)
        return [first, replace(second, members=members, installation=installation)]

    def work(made: list[Wheel]) -> None:
        plan_bundle(made, target, Layout(exclude=("*.pyi",)))

    assert growth(work, make, 10_000) <= LINEAR


def test_the_work_grows_with_the_files_to_trim(target: Target, tmp_path: Path) -> None:
    def make(size: int) -> tuple[Wheel, DerivedCache]:
        made = large_wheel("a", size)
        cache = DerivedCache(tmp_path)
        cache.write("code-uses-1", made.sha256, msgpack.encode([]))
        return made, cache

    def work(pair: tuple[Wheel, DerivedCache]) -> None:
        plan_bundle([pair[0]], target, Layout(slim=True), cache=pair[1])

    assert growth(work, make, 10_000) <= LINEAR


@pytest.mark.parametrize("kind", ["zip", "directory"])
@pytest.mark.parametrize("exclude", [(), ("b/x.py",), ("a/gone.py",)], ids=str)
def test_records_list_what_is_there(
    wheel: WheelMaker, target: Target, kind: Literal["zip", "directory"], exclude: tuple[str, ...]
) -> None:
    """Whether a wheel's own RECORD can be used, or is written for what is left of its files."""
    made = [
        wheel(
            "a",
            files={"a/x.py": "1", "a/gone.py": "2", "a-1.0.data/scripts/run": "#!python\n"},
            entry_points={"console_scripts": {"go": "a:main"}},
        ),
        wheel("b", files={"b/x.py": "1", "a/x.py": "1"}),
    ]
    bundle = plan_bundle(made, target, Layout(kind=kind, exclude=exclude, prefix="python/"))
    entries = {entry.path.removeprefix("python/"): entry for entry in bundle.entries}
    listed = set()
    for name in ("a", "b"):
        info = f"{name}-1.0.dist-info"
        rows = list(parse_installed_record(data_of(bundle, f"python/{info}/RECORD")))
        assert [row.path for row in rows] == sorted(row.path for row in rows)
        for row in rows:
            listed.add(row.path)
            if row.path != f"{info}/RECORD":
                assert (row.sha256, row.size) == (
                    entries[row.path].sha256, entries[row.path].size
                )  # fmt: skip
    assert listed == entries.keys()
