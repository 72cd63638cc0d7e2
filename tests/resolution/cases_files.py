"""Which files fit the target, and which file of a version is taken (checklist A and B)."""

from __future__ import annotations

import datetime

from crossdeps.requirements.model import FileOptions
from crossdeps.resolution.model import Policy
from tests.resolution.memory import LINUX, Case, sha

X86 = "x86_64"


def _of(*tags: str) -> dict[str, list[str]]:
    return {"wheels": list(tags)}


def _day(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"{text}T00:00:00+00:00")


FILES = [
    Case(
        id="A1-universal-wheel-fits-every-target",
        index={"a": {"1": _of("py2.py3-none-any")}},
        ask=("a",),
        target="3.9-arm64",
        pins="a==1",
    ),
    Case(
        id="A2-older-manylinux-fits-newer",
        index={
            "a": {"1": _of("cp312-cp312-manylinux1_x86_64")},
            "b": {"1": _of("cp312-cp312-manylinux2010_x86_64")},
            "c": {"1": _of("cp312-cp312-manylinux2014_x86_64")},
        },
        ask=("a", "b", "c"),
        pins="a==1 b==1 c==1",
    ),
    Case(
        id="A3-newer-glibc-never-fits",
        index={"a": {"2": _of("cp312-cp312-manylinux_2_28_x86_64"), "1": []}},
        ask=("a",),
        pins="a==1",
        rejected={"a-2-cp312-cp312-manylinux_2_28_x86_64.whl": "glibc"},
    ),
    Case(
        id="A4-pep600-names-below-the-floor-fit",
        index={"a": {"1": _of("cp312-cp312-manylinux_2_5_x86_64")}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="A5-bare-linux-is-refused",
        index={"a": {"2": _of("cp312-cp312-linux_x86_64"), "1": []}},
        ask=("a",),
        pins="a==1",
        rejected={"a-2-cp312-cp312-linux_x86_64.whl": "platform-tag"},
    ),
    Case(
        id="A5-bare-linux-when-named",
        index={"a": {"2": _of("cp312-cp312-linux_x86_64"), "1": []}},
        ask=("a",),
        target="linux",
        pins="a==2",
    ),
    Case(
        id="A6-several-platforms-each-may-match",
        index={
            "a": {"1": _of("cp312-cp312-manylinux_2_28_x86_64")},
            "b": {"1": _of("cp312-cp312-manylinux2014_x86_64")},
        },
        ask=("a", "b"),
        target="two-platforms",
        pins="a==1 b==1",
    ),
    Case(
        id="A7-other-systems-and-machines-never-fit",
        index={
            "a": {
                "6": _of("cp312-cp312-macosx_11_0_arm64"),
                "5": _of("cp312-cp312-win_amd64"),
                "4": _of("cp312-cp312-manylinux2014_aarch64"),
                "3": _of("cp312-cp312-musllinux_1_2_x86_64"),
                "2": _of("py3-none-macosx_10_9_x86_64"),
                "1": [],
            }
        },
        ask=("a",),
        pins="a==1",
        rejected={
            "a-6-cp312-cp312-macosx_11_0_arm64.whl": "platform-tag",
            "a-5-cp312-cp312-win_amd64.whl": "platform-tag",
            "a-4-cp312-cp312-manylinux2014_aarch64.whl": "platform-tag",
            "a-3-cp312-cp312-musllinux_1_2_x86_64.whl": "libc",
            "a-2-py3-none-macosx_10_9_x86_64.whl": "platform-tag",
        },
    ),
    Case(
        id="A7-musl-target-takes-musl-only",
        index={
            "a": {"1": _of("cp312-cp312-musllinux_1_1_x86_64", "cp312-cp312-manylinux2014_x86_64")}
        },
        ask=("a",),
        target="musl",
        pins="a==1",
        wheels=("a-1-cp312-cp312-musllinux_1_1_x86_64.whl",),
        rejected={"a-1-cp312-cp312-manylinux2014_x86_64.whl": "libc"},
    ),
    Case(
        id="A8-foreign-python-and-abi-are-as-good-as-absent",
        index={
            "a": {
                "3": _of(f"cp311-cp311-{LINUX}"),
                "2": _of(f"cp312-cp312d-{LINUX}"),
                "1": _of("pp310-pypy310_pp73-manylinux2014_x86_64", "py3-none-any"),
            }
        },
        ask=("a",),
        pins="a==1",
        rejected={
            f"a-3-cp311-cp311-{LINUX}.whl": "python-tag",
            f"a-2-cp312-cp312d-{LINUX}.whl": "abi-tag",
            "a-1-pp310-pypy310_pp73-manylinux2014_x86_64.whl": "python-tag",
        },
    ),
    Case(
        id="A8-abi3-of-an-older-python-fits",
        index={"a": {"1": _of(f"cp38-abi3-{LINUX}"), "2": _of(f"cp313-abi3-{LINUX}")}},
        ask=("a",),
        pins="a==1",
        rejected={f"a-2-cp313-abi3-{LINUX}.whl": "python-tag"},
    ),
    Case(
        id="A9-falls-back-to-a-version-with-a-usable-wheel",
        index={"numpy": {"1.24.4": _of(f"cp39-cp39-{LINUX}"), "2.1": _of(f"cp312-cp312-{LINUX}")}},
        ask=("numpy",),
        target="3.9",
        pins="numpy==1.24.4",
    ),
    Case(
        id="A10-free-threaded-takes-neither-cp313-nor-abi3",
        index={
            "a": {
                "3": _of(f"cp313-cp313-{LINUX}"),
                "2": _of(f"cp38-abi3-{LINUX}"),
                "1": _of(f"cp313-cp313t-{LINUX}"),
            }
        },
        ask=("a",),
        target="3.13t",
        pins="a==1",
        rejected={
            f"a-3-cp313-cp313-{LINUX}.whl": "free-threaded",
            f"a-2-cp38-abi3-{LINUX}.whl": "free-threaded",
        },
    ),
    Case(
        id="A10-free-threaded-takes-a-set-with-its-abi",
        index={"a": {"1": _of(f"cp314-abi3.cp314t-{LINUX}")}},
        ask=("a",),
        target="3.14t",
        pins="a==1",
    ),
    Case(
        id="A12-bare-python-is-the-newest-patch",
        index={"a": {"2": {"python": ">=3.8,!=3.9.0,!=3.9.1"}, "1": []}},
        ask=("a",),
        target="3.9",
        pins="a==2",
    ),
    Case(
        id="A12-full-python-is-taken-as-said",
        index={"a": {"2": {"python": ">=3.8,!=3.9.0,!=3.9.1"}, "1": []}},
        ask=("a",),
        target="3.9.0",
        pins="a==1",
        rejected={"a-2-py3-none-any.whl": "requires-python"},
    ),
    Case(
        id="A14-target-decides-requires-python",
        index={"a": {"2": {"python": ">=3.10"}, "1": {"python": "<3.10"}}},
        ask=("a",),
        target="3.9",
        pins="a==1",
    ),
    Case(
        id="A15-target-decides-markers",
        index={name: {"1": []} for name in ("arm", "intel", "mac", "old", "cpython")},
        ask=(
            'arm; platform_machine == "aarch64"',
            'intel; platform_machine == "x86_64"',
            'mac; sys_platform == "darwin"',
            'old; python_version < "3.10"',
            'cpython; implementation_name == "cpython" and os_name == "posix"',
        ),
        target="3.9-arm64",
        pins="arm==1 cpython==1 old==1",
        pages=("arm", "cpython", "old"),
    ),
    Case(
        id="A17-named-wheel-must-fit-the-target",
        ask=(f"a @ https://example.org/a-1-cp311-cp311-{LINUX}.whl",),
        builds={
            f"https://example.org/a-1-cp311-cp311-{LINUX}.whl": (
                f"a-1-cp311-cp311-{LINUX}.whl",
                "",
                (),
            )
        },
        error=("NoCandidateError", "is for Python cp311", "requirements.txt:1"),
    ),
    Case(
        id="A17-named-wheel-for-a-newer-glibc",
        ask=("a @ https://example.org/a-1-cp312-cp312-manylinux_2_28_x86_64.whl",),
        builds={
            "https://example.org/a-1-cp312-cp312-manylinux_2_28_x86_64.whl": (
                "a-1-cp312-cp312-manylinux_2_28_x86_64.whl",
                "",
                (),
            )
        },
        error=("NoCandidateError", "requires glibc 2.28"),
    ),
    Case(
        id="A21-no-wheel-fits-says-what-exists",
        index={
            "a": {
                "2": _of(
                    "cp311-cp311-win_amd64",
                    "cp312-cp312-win_amd64",
                    "cp312-cp312-macosx_11_0_arm64",
                )
            }
        },
        ask=("a",),
        error=(
            "NoCandidateError",
            "no file of a is compatible with CPython 3.12",
            "requirements.txt:1: a",
            "Python 3.12",
            "Windows x86_64",
            "macOS arm64",
        ),
    ),
    Case(
        id="A21-newer-glibc-names-who-has-it",
        index={"a": {"2": _of("cp311-cp311-manylinux_2_28_x86_64")}},
        ask=("a",),
        target="lambda-3.11",
        error=("NoCandidateError", "requires glibc 2.28", "glibc 2.26", "python3.12"),
    ),
    Case(
        id="B22-best-tag-before-build-tag",
        index={
            "a": {
                "1": {
                    "files": [
                        "a-1-9-py3-none-any.whl",
                        f"a-1-1-cp312-abi3-{LINUX}.whl",
                        f"a-1-cp312-cp312-{LINUX}.whl",
                        f"a-1-2-cp311-abi3-{LINUX}.whl",
                    ]
                }
            }
        },
        ask=("a",),
        pins="a==1",
        wheels=(f"a-1-cp312-cp312-{LINUX}.whl",),
    ),
    Case(
        id="B22-newer-glibc-tag-is-better",
        index={
            "a": {"1": _of("cp312-cp312-manylinux2014_x86_64", "cp312-cp312-manylinux_2_28_x86_64")}
        },
        ask=("a",),
        target="3.12-glibc2.28",
        pins="a==1",
        wheels=("a-1-cp312-cp312-manylinux_2_28_x86_64.whl",),
    ),
    Case(
        id="B23-build-tags-compare-as-numbers",
        index={
            "a": {
                "1": {
                    "files": [
                        "a-1-9-py3-none-any.whl",
                        "a-1-10-py3-none-any.whl",
                        "a-1-py3-none-any.whl",
                    ]
                }
            }
        },
        ask=("a",),
        pins="a==1",
        wheels=("a-1-10-py3-none-any.whl",),
    ),
    Case(
        id="B23-build-tag-rest-breaks-the-tie",
        index={"a": {"1": {"files": ["a-1-3a-py3-none-any.whl", "a-1-3b-py3-none-any.whl"]}}},
        ask=("a",),
        pins="a==1",
        wheels=("a-1-3b-py3-none-any.whl",),
    ),
    Case(
        id="B24-best-member-of-a-compressed-set-ranks-the-wheel",
        index={
            "a": {
                "1": _of(
                    f"cp311.cp312-cp311.cp312-{LINUX}",
                    "cp312-none-any",
                )
            }
        },
        ask=("a",),
        pins="a==1",
        wheels=(f"a-1-cp311.cp312-cp311.cp312-{LINUX}.whl",),
    ),
    Case(
        id="B25-malformed-names-are-passed-over",
        index={
            "a": {
                "1": {
                    "files": [
                        "a-1-py3-none-any.whl",
                        "a-9-py3-none.whl",
                        "a-9-x-py3-none-any.whl",
                        "a.whl",
                        "a-9--none-any.whl",
                    ]
                }
            }
        },
        ask=("a",),
        pins="a==1",
        rejected={
            "a-9-py3-none.whl": "bad-filename",
            "a-9-x-py3-none-any.whl": "bad-filename",
            "a.whl": "bad-filename",
            "a-9--none-any.whl": "bad-filename",
        },
    ),
    Case(
        id="B26-invalid-versions-are-passed-over",
        index={"a": {"1": {"files": ["a-1-py3-none-any.whl", "a-latest-py3-none-any.whl"]}}},
        ask=("a",),
        pins="a==1",
        rejected={"a-latest-py3-none-any.whl": "bad-filename"},
    ),
    Case(
        id="B27-the-project-must-match-wholly",
        index={
            "pytest": {
                "1": {"files": ["PyTest-1-py3-none-any.whl", "pytest_xdist-2-py3-none-any.whl"]}
            }
        },
        ask=("pytest",),
        pins="pytest==1",
        rejected={"pytest_xdist-2-py3-none-any.whl": "other-project"},
    ),
    Case(
        id="A16-a-foreign-target-takes-wheels-alone-unasked",
        index={"a": {"2": {"sdist": True}, "1": []}},
        ask=("a",),
        target="3.9-arm64",
        pins="a==1",
    ),
    Case(
        id="B28-sdists-never-count-nor-hide-a-wheel",
        index={"a": {"2": {"sdist": True}, "1": {"sdist": True, "wheels": ["py3-none-any"]}}},
        ask=("a",),
        pins="a==1",
        rejected={"a-2.tar.gz": "sdist", "a-1.tar.gz": "sdist"},
    ),
    Case(
        id="B29-only-an-sdist-is-an-error-with-the-way-out",
        index={"a": {"2": {"sdist": True}}},
        ask=("a==2",),
        error=("NoCandidateError", "a==2", "only a source distribution", "--allow-sdist a"),
    ),
    Case(
        id="B29-an-allowed-sdist-is-built",
        index={"a": {"2": {"sdist": True}, "1": []}, "b": {"1": []}},
        ask=("a",),
        policy=Policy(allow_sdist=frozenset({"a"})),  # type: ignore[arg-type]
        builds={"a-2.tar.gz": ("a-2-py3-none-any.whl", "", ("b",))},
        pins="a==2 b==1",
    ),
    Case(
        id="B29-a-wheel-is-taken-before-the-sdist-of-its-version",
        index={"a": {"2": {"sdist": True, "wheels": ["py3-none-any"]}}},
        ask=("a",),
        policy=Policy(allow_sdist=frozenset({"a"})),  # type: ignore[arg-type]
        builds={},
        pins="a==2",
        wheels=("a-2-py3-none-any.whl",),
    ),
    Case(
        id="B30-no-binary-is-a-clear-error",
        index={"a": {"1": []}},
        ask=("a",),
        options=FileOptions(no_binary=("A",)),
        error=("InputError", "--no-binary", "--allow-sdist a"),
    ),
    Case(
        id="B30-the-more-specific-line-wins",
        index={"a": {"1": []}},
        ask=("a",),
        options=FileOptions(no_binary=(":all:",), only_binary=("a",)),
        pins="a==1",
    ),
    Case(
        id="B31-no-hash-on-the-index-is-not-an-error",
        index={"a": {"1": []}},
        ask=("a",),
        hashes=False,
        pins="a==1",
        warnings=("states no hash for a-1-py3-none-any.whl",),
    ),
    Case(
        id="B33-files-of-other-hashes-are-left-out",
        index={"a": {"1": _of("py3-none-any", "py2.py3-none-any", f"cp312-cp312-{LINUX}")}},
        ask=(f"a==1 --hash=sha256:{sha('a-1-py2.py3-none-any.whl')}",),
        pins="a==1",
        wheels=("a-1-py2.py3-none-any.whl",),
        rejected={"a-1-py3-none-any.whl": "hash", f"a-1-cp312-cp312-{LINUX}.whl": "hash"},
    ),
    Case(
        id="B34-files-after-the-cut-off-are-left-out",
        index={
            "a": {
                "2": {"uploaded": "2024-03-01T00:00:00+00:00"},
                "1": {"uploaded": "2024-01-01T00:00:00+00:00"},
            }
        },
        ask=("a",),
        policy=Policy(exclude_newer=_day("2024-02-01")),
        pins="a==1",
        rejected={"a-2-py3-none-any.whl": "too-new"},
    ),
    Case(
        id="B34-files-without-a-time-are-left-out-with-a-warning",
        index={"a": {"2": [], "1": {"uploaded": "2024-01-01T00:00:00+00:00"}}},
        ask=("a",),
        policy=Policy(exclude_newer=_day("2024-02-01")),
        pins="a==1",
        rejected={"a-2-py3-none-any.whl": "no-upload-time"},
        warnings=("ignored 1 file of a without an upload time, which --exclude-newer requires",),
    ),
    Case(
        id="C42-an-unreadable-requires-python-is-ignored",
        index={"a": {"1": {"python": "whatever"}}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="C43-two-indexes-with-different-files-are-an-error",
        indexes={
            "https://one.example/simple": {"a": {"1": []}},
            "https://two.example/simple": {"a": {"99": []}},
        },
        ask=("a",),
        error=("ResolutionError", "different files of a", "https://two.example/simple: 99"),
    ),
    Case(
        id="C43-the-same-files-on-two-indexes-are-fine",
        indexes={
            "https://one.example/simple": {"a": {"1": []}},
            "https://two.example/simple": {"a": {"1": []}},
        },
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="C43-partial-mirrors-have-nothing-of-their-own",
        indexes={
            "https://one.example/simple": {"a": {"1": [], "2": [], "3": []}},
            "https://two.example/simple": {"a": {"1": []}},
            "https://three.example/simple": {"a": {"2": []}},
        },
        ask=("a",),
        pins="a==3",
    ),
    Case(
        id="C43-a-partial-mirror-with-a-file-of-its-own-is-another-index",
        indexes={
            "https://one.example/simple": {"a": {"1": [], "2": []}},
            "https://two.example/simple": {"a": {"1": [], "99": []}},
        },
        ask=("a",),
        error=("ResolutionError", "only https://one.example/simple: 2", "two.example/simple: 99"),
    ),
    Case(
        id="C43-the-same-file-is-the-same-though-one-index-says-less-of-it",
        indexes={
            "https://one.example/simple": {
                "a": {"1": [], "2": {"python": ">=3.13", "requires": []}},
            },
            "https://two.example/simple": {"a": {"2": []}},
        },
        ask=("a",),
        pins="a==2",
    ),
    Case(
        id="C43-other-versions-that-the-target-can-not-take-do-not-matter",
        indexes={
            "https://one.example/simple": {"a": {"1": []}},
            "https://two.example/simple": {"a": {"1": [], "2": _of("cp27-cp27mu-win32")}},
        },
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="C43-a-version-that-only-one-index-has-may-be-pinned",
        indexes={
            "https://one.example/simple": {"a": {"1": [], "2": []}},
            "https://two.example/simple": {"a": {"99": []}, "b": {"1": ["a"]}},
        },
        ask=("a==2", "b"),
        pins="a==2 b==1",
    ),
    Case(
        id="C43-a-pin-that-two-indexes-have-with-different-files",
        indexes={
            "https://one.example/simple": {"a": {"2": []}},
            "https://two.example/simple": {"a": {"2": {"content": "other"}}},
        },
        ask=("a",),
        constraints=("a==2",),
        error=("ResolutionError", "different files of a", "https://two.example/simple: 2"),
    ),
    Case(
        id="C43-first-takes-the-first-index-that-has-it",
        indexes={
            "https://one.example/simple": {"a": {"1": []}},
            "https://two.example/simple": {"a": {"99": []}, "b": {"2": []}},
        },
        ask=("a", "b"),
        policy=Policy(index_strategy="first"),
        pins="a==1 b==2",
    ),
    Case(
        id="names-that-are-no-wheels-are-said-to-be",
        index={"a": {"1": {"files": ["a-banana-py3-none-any.whl"]}}},
        ask=("a",),
        error=(
            "NoCandidateError",
            "no file of a has the name of a wheel",
            "a-banana-py3-none-any.whl",
        ),
    ),
]
