"""Names of symbol versions, which a damaged or hostile binary can make up."""

from __future__ import annotations

import pytest

from crossdeps.binaries.model import parse_symbol_version


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("GLIBC_2.17", ("GLIBC", (2, 17))),
        ("GLIBCXX_3.4.29", ("GLIBCXX", (3, 4, 29))),
        ("GLIBC_ABI_DT_RELR", ("GLIBC", (2, 36))),
        ("GLIBC_PRIVATE", None),
        ("OPENSSL_3.0.0-dev", None),
        ("GLIBC_\u0662.17", None),
        ("GLIBC_" + "9" * 5000, None),
        ("", None),
    ],
)
def test_a_symbol_version_is_a_family_and_a_number(
    name: str, parsed: tuple[str, tuple[int, ...]] | None
) -> None:
    assert parse_symbol_version(name) == parsed
