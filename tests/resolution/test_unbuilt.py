"""An allowed source distribution that can't be used: who needs it, and what there is instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from crossdeps.errors import SdistBuildError
from crossdeps.progress import Progress
from crossdeps.resolution.model import Policy
from crossdeps.resolution.resolver import resolve
from tests.resolution.memory import LINUX, TARGETS, Case, MemoryBuilder

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.model import BuiltWheel


class NativeBuilder(MemoryBuilder):
    """Whatever is built has native code.

    :param is_static: whether metadata can be read without a build
    """

    def __init__(self, *, is_static: bool) -> None:
        super().__init__({"native-2.tar.gz": ("native-2-py3-none-any.whl", "", ())})
        self._is_static = is_static

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        del name
        raise SdistBuildError(f"{file.filename} has native code", hint="ask for another")

    def read_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        if not self._is_static:
            return self.from_sdist(name, file)
        return replace(self._built(file.filename), filename="", sha256="")


@pytest.mark.parametrize("is_static", [False, True])
def test_a_native_result_names_who_needs_it_and_the_wheels_that_exist(is_static: bool) -> None:
    """From the user's line on, and for this target as for others (G101)."""
    case = Case(
        id="",
        index={
            "app": {"1": ["native==2"]},
            "native": {
                "1": {"wheels": [f"cp312-cp312-{LINUX}"]},
                "2": {"wheels": ["cp312-cp312-win_amd64", f"cp311-cp311-{LINUX}"], "sdist": True},
            },
        },
        ask=("app",),
        policy=Policy(allow_sdist=frozenset({canonicalize_name("native")})),
    )
    with pytest.raises(SdistBuildError) as caught:
        resolve(
            case.inputs(),
            TARGETS[case.target],
            case.memory_index(),
            case.policy,
            builder=NativeBuilder(is_static=is_static),
            progress=Progress(),
            build=True,
        )
    assert caught.value.message == "native-2.tar.gz has native code"
    assert caught.value.context == (
        "requirements.txt:1: app",
        "app 1 requires native==2",
        "it has wheels for Python 3.11: x86_64 glibc 2.17; and for other platforms",
        "compatible wheels exist for 1",
    )
