"""A project that the user holds to one index comes from there and from nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import ProjectNotFoundError, ResolutionError
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from tests.support.index_settings import Settings as Habits
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.index_server import IndexServer

TARGET = Target(python="3.12", arch="x86_64")
OURS = make_wheel("ours", "1.0", requires=["shared"])
THEIRS = make_wheel("ours", "99.0")
SHARED = make_wheel("shared", "2.0")


def settings(public: IndexServer, private: IndexServer, *, held: bool) -> Settings:
    """Both indexes, with or without the project held to the private one."""
    return Settings(
        index=FileOptions(index_url=public.url, extra_index_urls=(private.url,)),
        project_indexes={"Ours": private.url} if held else {},
        isolated=True,
        no_cache=True,
    )


def test_a_held_project_is_asked_for_on_its_own_index_only(
    make_index: Callable[..., IndexServer],
) -> None:
    """The public upload under an internal name isn't even looked at; other projects are free."""
    public, private = make_index(Habits()), make_index(Habits())
    public.add(THEIRS)
    public.add(SHARED)
    private.add(OURS)
    with pytest.raises(ResolutionError, match="different files of ours"):
        resolve(["ours"], TARGET, settings=settings(public, private, held=False))
    public.forget_requests()
    found = resolve(["ours"], TARGET, settings=settings(public, private, held=True))
    assert {name: str(item.version) for name, item in found.choices.items()} == {
        "ours": "1.0",
        "shared": "2.0",
    }
    assert not [path for path in public.paths() if "ours" in path]


def test_a_held_project_that_its_index_lacks_is_not_found(
    make_index: Callable[..., IndexServer],
) -> None:
    """There is no falling back to the public index."""
    public, private = make_index(Habits()), make_index(Habits())
    public.add(THEIRS)
    with pytest.raises(ProjectNotFoundError) as caught:
        resolve(["ours"], TARGET, settings=settings(public, private, held=True))
    assert private.url.rstrip("/") in caught.value.message
    assert public.url.rstrip("/") not in caught.value.message
