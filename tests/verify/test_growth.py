"""The work of the rules grows no faster than the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.target.model import Target
from crossdeps.verify.context import CheckContext
from crossdeps.verify.linking import check_needed_libraries
from crossdeps.verify.registry import verify
from tests.support.elf_factory import make_elf
from tests.support.growth import LINEAR, growth
from tests.verify.bundles import FakeProject, make_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding

TARGET = Target(python="3.12", arch="x86_64")
LIBRARY = "libvendored-0123abcd.so.1"


def make_files(count: int) -> Bundle:
    """One project with many files."""
    files = {f"p/d{number % 50}/m{number}.py": b"" for number in range(count)}
    return make_bundle(FakeProject("p", files=files))


def make_natives(count: int, *, found: bool = True) -> Bundle:
    """Many folders, each with a module and a library of the same name.

    :param found: whether the loader searches that folder
    """
    files = {}
    for number in range(count):
        folder = f"l{number}" if found else "elsewhere"
        module = make_elf(needed=[LIBRARY, "libother-0123abcd.so"], runpath=f"$ORIGIN/{folder}")
        files[f"p/m{number}.so"] = module
        files[f"p/l{number}/{LIBRARY}"] = make_elf(soname=LIBRARY)
    return make_bundle(FakeProject("p", files=files))


def make_chain(count: int) -> Bundle:
    """Many modules with paths of their own, all of which load the same long chain of libraries."""
    files = {}
    for number in range(count):
        files[f"p/m{number}.abi3.so"] = make_elf(
            needed=["l0.so"], rpath=f"$ORIGIN/x:$ORIGIN/y{number}"
        )
        files[f"p/x/l{number}.so"] = make_elf(needed=[f"l{number + 1}.so"])
    return make_bundle(FakeProject("p", files=files))


def make_strangers(count: int) -> Bundle:
    """Many projects, each with a module that the loader finds no library for."""
    return make_bundle(
        *(
            FakeProject(
                f"p{number}",
                files={
                    f"p{number}/m.abi3.so": make_elf(needed=[f"libx{number}.so"]),
                    f"p{number}/y/libx{number}.so": make_elf(),
                    f"p{number}/m.py": b"CDLL",
                },
            )
            for number in range(count)
        )
    )


def make_projects(count: int) -> Bundle:
    """Many projects, each of which requires the next."""
    return make_bundle(
        *(
            FakeProject(
                f"p{number}",
                requires=(
                    f"p{number + 1}[x]>=1; python_version > '3'",
                    f"p{number // 2}; extra == 'x'",
                ),
            )
            for number in range(count)
        )
    )


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (make_files, 10_000),
        (make_natives, 2_000),
        (make_projects, 800),
        (make_chain, 1_000),
        (make_strangers, 800),
    ],
)
def test_work_is_linear(make: Callable[[int], Bundle], size: int) -> None:
    assert growth(lambda bundle: verify(bundle, TARGET), make, size) < LINEAR


def test_libraries_of_one_name_in_many_folders() -> None:
    def check(bundle: Bundle) -> list[Finding]:
        with CheckContext(bundle, TARGET, expected_missing=frozenset()) as context:
            return list(check_needed_libraries(context))

    assert [len(finding.paths) for finding in check(make_natives(100))] == [100]
    assert [len(finding.paths) for finding in check(make_natives(100, found=False))] == [100] * 2
    assert growth(check, lambda count: make_natives(count, found=False), 6_000) < LINEAR
