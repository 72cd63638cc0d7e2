"""Of one file on several indexes, the one of the index that was named first is taken."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from tests.resolution.memory import Case

ROOTS = ("https://zz.example/simple", "file:///aa/simple", "https://aa.example/simple")


@pytest.mark.parametrize("first", range(len(ROOTS)))
def test_the_order_of_indexes_decides_and_not_their_names(first: int) -> None:
    """A lock made beside a local mirror names the index that everybody can reach."""
    order = ROOTS[first:] + ROOTS[:first]
    case = Case(id="order", indexes={root: {"a": {"1": []}} for root in order}, ask=("a",))
    found = case.resolve(case.memory_index(shuffle=first))
    candidate = found.choices[canonicalize_name("a")].candidate
    assert candidate is not None
    assert candidate.file.index == order[0]
