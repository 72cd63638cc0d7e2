"""Messages of failures, word by word: whoever changes one sees it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crossdeps.errors import CrossdepsError
from crossdeps.resolution.model import Policy
from tests.resolution.memory import LINUX, TARGETS, Case

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = TARGETS["3.12"]


def told(case: Case) -> list[str]:
    """The error as it would be printed."""
    with pytest.raises(CrossdepsError) as caught:
        case.resolve()
    error = caught.value
    hint = [f"hint: {error.hint}"] if error.hint else []
    return [f"error: {error.message}", *(f"  {line}" for line in error.context), *hint]


def _wheels(*pythons: str, platforms: Sequence[str]) -> dict[str, list[str]]:
    return {
        "wheels": [f"{python}-{python}-{platform}" for python in pythons for platform in platforms]
    }


_PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_11_0_arm64",
    "macosx_10_9_x86_64",
    "win_amd64",
)


def test_a_newer_glibc() -> None:
    case = Case(
        id="",
        index={"numpy": {"2.5": _wheels("cp311", "cp312", "cp313", platforms=_PLATFORMS)}},
        ask=("numpy",),
        target="lambda-3.11",
    )
    assert told(case) == [
        (
            "error: no file of numpy is compatible with python3.11"
            " (CPython 3.11.9, x86_64, glibc 2.26)"
        ),
        "  requirements.txt:1: numpy",
        "  numpy 2.5 requires glibc 2.28, and the target has glibc 2.26",
        (
            "  it has wheels for Python 3.11 to 3.13: x86_64 glibc 2.28, x86_64 musl 1.2,"
            " Windows x86_64, aarch64 glibc 2.28, macOS arm64, macOS x86_64"
        ),
        ("hint: choose a target with glibc 2.28 or later (python3.12, python3.13, python3.14)"),
    ]


def test_a_newer_glibc_that_the_runtime_of_the_same_python_has() -> None:
    case = Case(
        id="",
        index={"numpy": {"2.5": _wheels("cp312", platforms=_PLATFORMS[:1])}},
        ask=("numpy",),
    )
    assert told(case)[-1] == (
        "hint: choose --runtime python3.12, or --platform manylinux_2_28_x86_64"
    )


def test_another_python() -> None:
    case = Case(
        id="",
        index={
            "a": {
                "2": {"wheels": [f"cp39-cp39-{LINUX}", f"cp310-cp310-{LINUX}"], "sdist": True},
            }
        },
        ask=("a",),
    )
    assert told(case) == [
        f"error: no file of a is compatible with {TARGET.describe()}",
        "  requirements.txt:1: a",
        "  a 2 has wheels only for other Python versions (cp39)",
        "  it has wheels for Python 3.9, 3.10: x86_64 glibc 2.17",
        "  it has a source distribution",
        "hint: choose Python 3.9, 3.10 with --python or --runtime",
    ]


def test_another_version_comes_before_another_python() -> None:
    """The next version that fits is the smaller change."""
    linux = f"cp312-cp312-{LINUX}"
    index: dict[str, Any] = {
        "lxml": {
            "4.6": {
                "wheels": [
                    *("cp27-cp27mu-manylinux1_x86_64", f"cp38-cp38-{LINUX}"),
                    *(f"cp38-cp38-{platform}" for platform in _PLATFORMS[1:]),
                ]
            },
            "5.0": {"wheels": [linux]},
            "5.1": {"wheels": [linux]},
            "6.0a1": {"wheels": [linux]},
            "4.0": {"wheels": [linux]},
        }
    }
    case = Case(id="", index=index, ask=("lxml==4.6",))
    assert told(case) == [
        f"error: no file of lxml==4.6 is compatible with {TARGET.describe()}",
        "  requirements.txt:1: lxml==4.6",
        "  lxml 4.6 has wheels only for other Python versions (cp38)",
        (
            "  it has wheels for Python 3.8, cp27: x86_64 glibc 2.17, x86_64 glibc 2.5; and for"
            " other platforms"
        ),
        "  compatible with this target: 5.1, 5.0, 4.0",
        (
            "hint: require lxml 5.0, the next newer version that fits this target; or choose"
            " Python 3.8 with --python or --runtime"
        ),
    ]
    del index["lxml"]["5.0"], index["lxml"]["5.1"], index["lxml"]["6.0a1"]
    assert told(case)[-1].startswith("hint: require lxml 4.0, the next older version that fits")


def test_another_version_is_no_way_out_where_a_dependency_asks() -> None:
    index: dict[str, Any] = {
        "a": {"2": _wheels("cp311", platforms=[LINUX]), "1": []},
        "b": {"1": ["a==2"]},
    }
    assert told(Case(id="", index=index, ask=("b",)))[-1] == (
        "hint: choose Python 3.11 with --python or --runtime"
    )


@pytest.mark.parametrize(
    ("target", "platforms", "problem", "hint"),
    [
        (
            "musl",
            ("musllinux_1_3_x86_64", "musllinux_1_4_x86_64", "manylinux_2_28_x86_64"),
            "requires musl 1.3, and the target has musl 1.2",
            "choose a target with musl 1.3 or later: --platform musllinux_1_3_x86_64",
        ),
        (
            "musl",
            ("macosx_11_0_arm64", "manylinux_2_28_x86_64", "manylinux_2_28_aarch64"),
            "requires glibc 2.28, and the target has musl 1.2",
            "choose a target with glibc 2.28 or later: --platform manylinux_2_28_x86_64",
        ),
        (
            "3.12",
            ("macosx_11_0_arm64", "musllinux_1_2_x86_64"),
            "requires musl 1.2, and the target has glibc 2.17",
            "choose a target with musl 1.2 or later: --platform musllinux_1_2_x86_64",
        ),
    ],
)
def test_a_c_library_is_named(
    target: str, platforms: tuple[str, ...], problem: str, hint: str
) -> None:
    index = {"a": {"2": _wheels("cp312", platforms=platforms)}}
    lines = told(Case(id="", index=index, ask=("a",), target=target))
    assert (lines[2], lines[-1]) == (f"  a 2 {problem}", f"hint: {hint}")


@pytest.mark.parametrize(
    ("tags", "hint"),
    [
        (
            [f"cp313-cp313-{LINUX}", f"cp314-cp314t-{LINUX}"],
            "choose the default build of Python 3.13: leave out --abi cp313t",
        ),
        (
            [f"cp38-abi3-{LINUX}"],
            "choose the default build of Python 3.13: leave out --abi cp313t",
        ),
        (
            [f"cp311-cp311-{LINUX}", f"cp314-cp314t-{LINUX}"],
            "choose free-threaded Python 3.14 with --python and --abi cp314t",
        ),
        (
            [f"cp310-cp310-{LINUX}", f"cp311-cp311-{LINUX}"],
            "choose Python 3.10, 3.11 with --python, and leave out --abi",
        ),
        (
            ["cp312-cp312-manylinux_2_28_x86_64"],
            "choose python3.12 with --runtime, and leave out --abi",
        ),
    ],
)
def test_a_free_threaded_python(tags: list[str], hint: str) -> None:
    """What is suggested has the ABI of what it names."""
    case = Case(id="", index={"a": {"2": {"wheels": tags}}}, ask=("a",), target="3.13t")
    lines = told(case)
    assert lines[2] == "  a 2 has no wheel for free-threaded Python 3.13"
    assert lines[-1] == f"hint: {hint}"


def test_another_architecture() -> None:
    case = Case(
        id="", index={"a": {"2": _wheels("cp312", platforms=["manylinux2014_aarch64"])}}, ask=("a",)
    )
    assert told(case)[-1] == "hint: choose --arch aarch64"


def test_another_operating_system() -> None:
    case = Case(
        id="",
        index={"pywin32": {"311": _wheels("cp312", platforms=["win_amd64"])}},
        ask=("pywin32",),
    )
    assert told(case) == [
        f"error: no file of pywin32 is compatible with {TARGET.describe()}",
        "  requirements.txt:1: pywin32",
        "  pywin32 311 has wheels only for other platforms (win_amd64)",
        "  it has wheels for Python 3.12: Windows x86_64",
        (
            "hint: exclude pywin32 where it is not needed, by a marker such as"
            " ; sys_platform == 'win32'"
        ),
    ]


def test_only_a_source_distribution() -> None:
    case = Case(id="", index={"a": {"1.5": {"sdist": True}}, "b": {"2": ["a>1"]}}, ask=("b",))
    assert told(case) == [
        f"error: no file of a>1 is compatible with {TARGET.describe()}",
        "  requirements.txt:1: b",
        "  b 2 requires a>1",
        "  a 1.5 has no wheels, only a source distribution",
        (
            "hint: if a is pure Python, allow building its source: --allow-sdist a;"
            " if it is native, provide a manylinux wheel, as auditwheel makes them:"
            " --find-links DIRECTORY"
        ),
    ]


def test_a_source_distribution_beside_wheels_for_other_systems() -> None:
    """The project is native: its source won't be offered to be built."""
    files = {**_wheels("cp312", platforms=["win_amd64"]), "sdist": True}
    case = Case(id="", index={"mysql": {"2": files}}, ask=("mysql",))
    assert told(case) == [
        f"error: no file of mysql is compatible with {TARGET.describe()}",
        "  requirements.txt:1: mysql",
        "  mysql 2 has wheels only for other platforms (win_amd64)",
        "  it has wheels for Python 3.12: Windows x86_64",
        "  it has a source distribution",
        (
            "hint: mysql is native code and has no wheel for this target: provide a manylinux"
            " wheel, as auditwheel makes them: --find-links DIRECTORY"
        ),
    ]


@pytest.mark.parametrize("with_wheels", [True, False])
def test_a_project_that_has_its_wheels_under_another_name(with_wheels: bool) -> None:
    files = {**(_wheels("cp312", platforms=["win_amd64"]) if with_wheels else {}), "sdist": True}
    case = Case(id="", index={"psycopg2": {"2.9": files}}, ask=("psycopg2",))
    assert told(case)[-1].startswith("hint: require psycopg2-binary, ")
    assert "--allow-sdist" not in told(case)[-1]


def test_another_requires_python() -> None:
    case = Case(id="", index={"a": {"2": {"python": ">=3.13"}}}, ask=("a",))
    assert told(case) == [
        f"error: no file of a is compatible with {TARGET.describe()}",
        "  requirements.txt:1: a",
        f"  a 2 requires Python >=3.13, and the target has {TARGET.python}",
        "  it has wheels for any Python 3: any platform",
        "hint: choose Python 3.13 to 3.15 with --python or --runtime",
    ]


def test_thousands_of_files_are_a_few_lines() -> None:
    pythons = [f"cp3{minor}" for minor in range(5, 12)]
    case = Case(
        id="",
        index={
            "a": {
                str(version): _wheels(*pythons, platforms=[*_PLATFORMS, "win32", "win_arm64"])
                for version in range(20)
            }
        },
        ask=("a",),
    )
    lines = told(case)
    assert len(lines) < 8
    assert "Python 3.5 to 3.11" in lines[3]


def test_a_missing_project() -> None:
    assert told(Case(id="", ask=("reqests",))) == [
        "error: no project 'reqests' on https://index.example/simple",
        "  requirements.txt:1: reqests",
        "hint: check the spelling, or add the index that has it: --extra-index-url URL",
    ]


def test_a_misspelt_project_that_stands_beside_its_right_name() -> None:
    case = Case(id="", index={"requests": {"1": []}}, ask=("requests", "reqests"))
    assert told(case)[-1] == "hint: check the spelling (did you mean requests?)"


def test_no_such_version() -> None:
    case = Case(id="", index={"a": {str(version): [] for version in range(1, 30)}}, ask=("a>=99",))
    assert told(case) == [
        "error: no version of a satisfies >=99",
        "  requirements.txt:1: a>=99",
        "  compatible with this target: 29, 28, 27, ... 1 (29 versions)",
        "hint: choose a version that exists",
    ]


def test_a_conflict_is_a_chain_with_the_smallest_change() -> None:
    case = Case(
        id="",
        index={
            "web": {"1": ["core>=1,<2"], "2": ["core>=2,<3"]},
            "plugin": {"5": ["core>=2"]},
            "core": {"1": [], "2": [], "3": []},
            "innocent": {"1": ["core"]},
        },
        ask=("innocent", "web==1", "plugin"),
    )
    assert told(case) == [
        "error: the requirements on core conflict",
        "  requirements.txt:2: web==1",
        "  web 1 requires core<2,>=1",
        "  requirements.txt:3: plugin",
        "  plugin 5 requires core>=2",
        "hint: this would resolve it: web 2 (requirements.txt:2)",
    ]


def test_a_conflict_that_no_looser_line_mends() -> None:
    case = Case(
        id="",
        index={"a": {"1": ["c<2"]}, "b": {"1": ["c>=2"]}, "c": {"1": [], "2": []}},
        ask=("a", "b"),
    )
    assert told(case)[-1] == "hint: a and b are incompatible: remove one of them"


def test_a_conflict_tells_that_other_versions_were_tried() -> None:
    case = Case(
        id="",
        index={
            "a": {str(version): ["c<2"] for version in range(1, 8)},
            "c": {"1": [], "2": []},
        },
        ask=("a", "c==2"),
    )
    assert told(case) == [
        "error: the requirements on c conflict",
        "  requirements.txt:1: a",
        "  a 7 requires c<2",
        "  requirements.txt:2: c==2",
        "  no other version of a helps: 6 more were tried",
        "hint: this would resolve it: c 1 (requirements.txt:2)",
    ]


def test_the_bound_of_the_search() -> None:
    count = 12
    case = Case(
        id="",
        index={
            **{
                f"p{place}": {str(slot): [f"slot{slot}=={place}"] for slot in range(1, count)}
                for place in range(1, count + 1)
            },
            **{
                f"slot{slot}": {str(place): [] for place in range(1, count + 1)}
                for slot in range(1, count)
            },
        },
        ask=tuple(f"p{place}" for place in range(1, count + 1)),
        policy=Policy(max_rounds=200),
    )
    lines = told(case)
    assert lines[0].startswith("error: no solution after 200 steps: most conflicts are about")
    assert lines[-1].startswith("hint: pin one of them")
    assert len(lines) < 10
