"""The target: what users write, the tags and the markers it stands for."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.tags import parse_tag

from crossdeps.errors import TargetError
from crossdeps.target.model import Target
from crossdeps.target.runtimes import NEWEST_PATCH, RUNTIMES


def accepts(target: Target, tags: str) -> bool:
    """Whether any of a compressed tag set fits."""
    return bool(parse_tag(tags) & set(target.tags))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("3.9", "3.9.25"),
        ("39", "3.9.25"),
        ("3.9.19", "3.9.19"),
        ("310", "3.10.22"),
        ("3.99", "3.99.0"),
    ],
)
def test_a_bare_python_means_its_newest_known_patch_release(written: str, meant: str) -> None:
    """Two numbers are completed from the table; three are taken as said."""
    assert Target(python=written, arch="x86_64").python == meant


@pytest.mark.parametrize("text", ["", "2.7", "3", "3.9.1.2", "three", "3.6", "3.9rc1", "python3.9"])
def test_what_is_no_python_3_is_refused(text: str) -> None:
    """The error says what was given."""
    with pytest.raises(TargetError, match="unknown Python version"):
        Target(python=text, arch="x86_64")


def test_a_free_threaded_python_is_an_abi() -> None:
    """What pyenv and uv write as 3.13t has its own option here, and the hint names it."""
    with pytest.raises(TargetError) as caught:
        Target(python="3.13t", arch="x86_64")
    assert "--python 3.13 --abi cp313t" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("arm64", "aarch64"), ("ARM64", "aarch64"), ("amd64", "x86_64"), ("x86_64", "x86_64")],
)
def test_architectures_are_known_by_both_their_names(written: str, meant: str) -> None:
    """What people and Lambda call arm64 is aarch64 in tags and markers."""
    target = Target(python="3.12", arch=written)
    assert target.arch == meant
    assert target.environment["platform_machine"] == meant


@pytest.mark.parametrize("arch", ["sparc", "", "i686", "arm", "x86-64"])
def test_an_unknown_architecture_names_the_two_choices(arch: str) -> None:
    """The hint is enough to go on."""
    with pytest.raises(TargetError, match="unknown architecture") as caught:
        Target(python="3.12", arch=arch)
    assert "x86_64" in str(caught.value.hint)
    assert "aarch64" in str(caught.value.hint)


ACCEPTED = [
    ("x86_64", "2.17", "cp39-abi3-manylinux_2_17_x86_64", True),
    ("x86_64", "2.17", "cp35-abi3-manylinux2014_x86_64", True),
    ("x86_64", "2.17", "cp39-cp39-manylinux2010_x86_64", True),
    ("x86_64", "2.17", "cp39-cp39-manylinux1_x86_64", True),
    ("x86_64", "2.17", "cp39-cp39-manylinux_2_5_x86_64", True),
    ("x86_64", "2.17", "cp39-cp39-manylinux_2_18_x86_64", False),
    ("x86_64", "2.26", "cp39-cp39-manylinux_2_26_x86_64", True),
    ("x86_64", "2.26", "cp39-cp39-manylinux_2_28_x86_64", False),
    ("x86_64", "2.17", "cp39-cp39-manylinux_2_17_aarch64", False),
    ("x86_64", "2.17", "cp39-cp39-linux_x86_64", False),
    ("x86_64", "2.17", "cp39-cp39-musllinux_1_1_x86_64", False),
    ("x86_64", "2.17", "cp39-cp39-macosx_11_0_arm64", False),
    ("x86_64", "2.17", "cp39-cp39-win_amd64", False),
    ("x86_64", "2.17", "py2.py3-none-any", True),
    ("x86_64", "2.17", "cp310-cp310-manylinux1_x86_64", False),
    ("x86_64", "2.17", "cp310-abi3-manylinux1_x86_64", False),
    ("x86_64", "2.17", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
    ("aarch64", "2.17", "cp39-cp39-manylinux2014_aarch64", True),
    ("aarch64", "2.17", "cp39-cp39-manylinux2010_aarch64", False),
]


@pytest.mark.parametrize(("arch", "glibc", "tags", "fits"), ACCEPTED)
def test_a_glibc_floor_accepts_itself_and_all_below(
    arch: str, glibc: str, tags: str, fits: bool
) -> None:
    """PEP 600: one number stands for every tag at or below it, with the legacy aliases."""
    assert accepts(Target(python="3.9", arch=arch, glibc=glibc), tags) is fits


def test_musl_is_a_floor_of_its_own() -> None:
    """PEP 656: no manylinux tag fits a musl machine."""
    target = Target(python="3.12", arch="x86_64", musl="1.2")
    assert accepts(target, "cp312-cp312-musllinux_1_1_x86_64")
    assert not accepts(target, "cp312-cp312-manylinux2014_x86_64")


def test_several_platforms_may_be_given_and_each_may_match() -> None:
    """Bare linux is only accepted where it was asked for."""
    target = Target(
        python="3.12", arch="x86_64", platforms=("manylinux_2_28_x86_64", "linux_x86_64")
    )
    assert accepts(target, "cp312-cp312-manylinux_2_26_x86_64")
    assert accepts(target, "cp312-cp312-linux_x86_64")
    assert str(target.libc) == "glibc 2.28"


def test_free_threaded_takes_neither_plain_nor_abi3_wheels() -> None:
    """PEP 703: another ABI altogether."""
    target = Target(python="3.13", arch="x86_64", abi="cp313t")
    assert accepts(target, "cp313-cp313t-manylinux2014_x86_64")
    assert not accepts(target, "cp313-cp313-manylinux2014_x86_64")
    assert not accepts(target, "cp39-abi3-manylinux2014_x86_64")
    assert accepts(target, "py3-none-any")


BAD_TARGETS = [
    ({"glibc": "two"}, "MAJOR.MINOR"),
    ({"glibc": "2.4"}, "is not a valid target on x86_64"),
    ({"glibc": "3.1"}, "is not a valid target on x86_64"),
    ({"glibc": "2.17", "musl": "1.2"}, "more than one"),
    ({"platforms": ("manylinux2014_aarch64",)}, "is not for architecture x86_64"),
    ({"platforms": ("win_amd64",)}, "unknown platform"),
    ({"platforms": ("manylinux_2_17_x86_64", "musllinux_1_2_x86_64")}, "both glibc and musl"),
    ({"abi": "cp310"}, "unknown ABI"),
    ({"abi": "cp39t"}, "unknown ABI"),
    ({"abi": "cp39d"}, "unknown ABI"),
]


@pytest.mark.parametrize(("parts", "message"), BAD_TARGETS)
def test_parts_that_contradict_each_other_are_refused(
    parts: dict[str, object], message: str
) -> None:
    """Nothing is guessed: an ABI or implementation that no wheel could match neither (A18)."""
    with pytest.raises(TargetError, match=message):
        Target(python="3.9", arch="x86_64", **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_every_runtime_is_a_target(name: str) -> None:
    """Its own facts hold together."""
    target = Target.runtime(name, arch="x86_64")
    assert target.runtime_facts is RUNTIMES[name]
    assert target.environment["python_full_version"] == RUNTIMES[name].python
    assert name in target.describe()


def test_the_founding_runtime() -> None:
    """python3.9 on Lambda is Amazon Linux 2: glibc 2.26, so no manylinux_2_28 (A13)."""
    target = Target.runtime("python3.9", arch="x86_64")
    assert target.describe() == "python3.9 (CPython 3.9.19, x86_64, glibc 2.26)"
    assert not accepts(target, "cp39-abi3-manylinux_2_28_x86_64")


def test_a_runtime_takes_another_patch_release_but_no_other_python() -> None:
    """The image moves on; its minor version doesn't."""
    assert Target.runtime("python3.12", arch="arm64", python="3.12.11").python == "3.12.11"
    assert Target.runtime("python3.12", arch="arm64", python="3.12").python == "3.12.3"
    with pytest.raises(TargetError, match=r"has Python 3\.12\.3, not 3\.11"):
        Target.runtime("python3.12", arch="arm64", python="3.11")


@pytest.mark.parametrize(
    ("name", "arch", "message"),
    [
        ("python3.99", "x86_64", "unknown runtime"),
        ("python3.7", "arm64", "is not available on arm64"),
    ],
)
def test_runtimes_that_do_not_exist(name: str, arch: str, message: str) -> None:
    """Neither by name nor by architecture."""
    with pytest.raises(TargetError, match=message):
        Target.runtime(name, arch=arch)


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ('platform_machine == "aarch64"', True),
        ('platform_machine == "arm64"', False),
        ('sys_platform == "linux"', True),
        ('sys_platform == "darwin"', False),
        ('python_version < "3.10"', True),
        ('python_full_version >= "3.9.1"', True),
        ('implementation_name == "cpython" and os_name == "posix"', True),
        ('platform_python_implementation != "PyPy"', True),
    ],
)
@pytest.mark.usefixtures("poisoned_host")
def test_markers_are_decided_by_the_target(marker: str, holds: bool) -> None:
    """On a host that answers nonsense, every marker is as the target has it."""
    target = Target(python="3.9", arch="aarch64")
    assert Marker(marker).evaluate(cast("dict[str, str]", target.environment)) is holds


@given(
    minor=st.sampled_from(sorted(NEWEST_PATCH)),
    arch=st.sampled_from(["x86_64", "aarch64"]),
    floor=st.integers(17, 40),
)
def test_a_higher_floor_only_ever_adds_tags(minor: int, arch: str, floor: int) -> None:
    """A newer glibc runs all that an older one runs."""
    older = Target(python=f"3.{minor}", arch=arch, glibc=f"2.{floor}")
    newer = Target(python=f"3.{minor}", arch=arch, glibc=f"2.{floor + 1}")
    assert set(older.tags) < set(newer.tags)
    assert len(set(older.tags)) == len(older.tags)


def test_the_dates_of_a_runtime_are_in_its_document() -> None:
    document = Target.runtime("python3.9", arch="x86_64").to_dict()
    assert document["deprecated"] == "2025-12-15"
    assert document["updates_blocked"] == "2027-03-03"
    assert Target(python="3.9", arch="x86_64").to_dict()["deprecated"] is None
