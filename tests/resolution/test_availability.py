"""What a version is available for."""

from __future__ import annotations

import pytest
from packaging.version import Version

from crossdeps.index.model import ProjectFile
from crossdeps.resolution.explain.availability import describe_availability, format_minors
from crossdeps.resolution.explain.failures import find_newest
from crossdeps.resolution.rejections import Reason, Rejection
from crossdeps.target.model import Target

TARGET = Target(python="3.12", arch="x86_64")


def rejections(*tags: str, version: str = "1") -> list[Rejection]:
    names = [f"a-{version}-{text}.whl" if "-" in text else f"a-{version}{text}" for text in tags]
    return [
        Rejection(
            file=ProjectFile(filename=name, url=f"https://e/{name}", hashes={}),
            version=Version(version),
            reason=Reason.PLATFORM_TAG if name.endswith(".whl") else Reason.SDIST,
        )
        for name in names
    ]


@pytest.mark.parametrize(
    ("tags", "lines"),
    [
        (["cp311-cp311-win_amd64"], ["Python 3.11: Windows x86_64"]),
        (["cp37-cp37m-win32"], ["Python 3.7: Windows x86"]),
        (["cp39-abi3-win_arm64"], ["Python 3.9 and later: Windows arm64"]),
        (["cp313-cp313t-musllinux_1_2_x86_64"], ["free-threaded Python 3.13: x86_64 musl 1.2"]),
        (["pp310-pypy310_pp73-macosx_11_0_arm64"], ["PyPy 3.10: macOS arm64"]),
        (["py3-none-any"], ["any Python 3: any platform"]),
        (["py2.py3-none-win32"], ["any Python: Windows x86"]),
        (["py2-none-any"], ["Python 2: any platform"]),
        (["cp27-cp27mu-manylinux1_x86_64"], ["cp27: x86_64 glibc 2.5"]),
        (["cp312-cp312-freebsd_13_amd64"], ["Python 3.12: freebsd_13_amd64"]),
        (
            ["cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.manylinux_2_28_aarch64"],
            ["Python 3.12: aarch64 glibc 2.17"],
        ),
        (
            ["cp310.cp311-cp310.cp311-win32", "cp312-cp312-win32", "cp38-cp38-win_amd64"],
            ["Python 3.8, 3.10 to 3.12: Windows x86, Windows x86_64"],
        ),
        ([".tar.gz"], []),
        ([".tar.gz", "cp38-cp38-win32"], ["Python 3.8: Windows x86", "SDIST"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_one_line_a_kind_of_python(tags: list[str], lines: list[str]) -> None:
    expected = [
        "it has a source distribution" if line == "SDIST" else f"it has wheels for {line}"
        for line in lines
    ]
    assert list(describe_availability(rejections(*tags), TARGET)) == expected


def test_many_platforms_are_cut_short() -> None:
    tags = [f"cp3{minor}-cp3{minor}-odd{minor}" for minor in range(5, 16)]
    (line,) = describe_availability(rejections(*tags), TARGET)
    assert line.startswith("it has wheels for Python 3.5 to 3.15: odd10, ")
    assert line.endswith(", odd6, 3 more")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (TARGET, "Python 3.8, 3.9: x86_64 glibc 2.17; and for other platforms"),
        (
            Target(python="3.12", arch="x86_64", musl="1.2"),
            "Python 3.9: x86_64 musl 1.2; and for other platforms",
        ),
        (
            Target(python="3.12", arch="aarch64"),
            "Python 3.7 to 3.9: Windows x86_64, x86_64 glibc 2.17, x86_64 musl 1.2",
        ),
    ],
)
def test_the_platform_of_the_target_is_enough_if_there_is_one(target: Target, line: str) -> None:
    tags = [
        *("cp38-cp38-manylinux2014_x86_64", "cp39-cp39-manylinux2014_x86_64"),
        *("cp39-cp39-musllinux_1_2_x86_64", "cp37-cp37m-win_amd64"),
    ]
    assert describe_availability(rejections(*tags), target) == (f"it has wheels for {line}",)


def test_final_releases_are_newer_than_pre_releases() -> None:
    found = [*rejections("py3-none-any", version="2rc1"), *rejections("py3-none-any", version="1")]
    assert find_newest(found)[0] == Version("1")
    assert find_newest([]) == (None, [])


@pytest.mark.parametrize(
    ("minors", "text"),
    [
        ([8], "3.8"),
        ([8, 9], "3.8, 3.9"),
        ([8, 9, 10], "3.8 to 3.10"),
        ([7, 9], "3.7, 3.9"),
        ([8, 9, 10, 12], "3.8 to 3.10, 3.12"),
    ],
)
def test_runs_of_minor_versions(minors: list[int], text: str) -> None:
    assert format_minors(minors) == text
