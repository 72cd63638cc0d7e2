"""Errors cross process borders, and are copied, with everything that they carry."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

import crossdeps
from crossdeps import errors
from tests.architecture.test_errors import ERRORS
from tests.support.raising import raise_error

FINDING = crossdeps.Finding(
    rule="wrong-machine", severity="error", path="x.so", owner="x", message="is for aarch64"
)


def _make(cls: type[errors.CrossdepsError]) -> errors.CrossdepsError:
    if issubclass(cls, errors.FindingsError):
        return cls((FINDING, FINDING))
    return cls("it is wrong", context=("a.txt:3", "b"), hint="mend it", rule="some-rule")


def _state(error: BaseException) -> tuple[object, ...]:
    return type(error), error.args, vars(error), str(error)


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_is_pickled_and_copied_whole(cls: type[errors.CrossdepsError]) -> None:
    error = _make(cls).within("outermost")
    error.extra = ["set later"]  # type: ignore[attr-defined]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - made here
        assert _state(again) == _state(error)
    assert _state(copy.copy(error)) == _state(error)
    deep = copy.deepcopy(error)
    assert _state(deep) == _state(error)
    assert deep.extra is not error.extra  # type: ignore[attr-defined]


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_is_imported_from_one_module(cls: type[errors.CrossdepsError]) -> None:
    assert getattr(errors, cls.__name__) is cls
    assert getattr(crossdeps, cls.__name__) is cls


@pytest.mark.subprocess
def test_errors_come_back_from_a_pool_of_processes() -> None:
    """An error that cannot be unpickled breaks the pool, and all that waits for it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        for cls in ERRORS:
            error = pool.submit(raise_error, _make(cls)).exception(timeout=60)
            assert error is not None
            assert _state(error) == _state(_make(cls))
