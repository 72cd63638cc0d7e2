from __future__ import annotations

import codecs
import contextlib
import encodings.aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.errors import InputError
from crossdeps.requirements.files import decode

TEXT = "# Größe\npkg==1.0\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TEXT.encode(), TEXT),
        (codecs.BOM_UTF8 + TEXT.encode(), TEXT),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), TEXT),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), TEXT),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), TEXT),
        ("# -*- coding: latin-1 -*-\n# é".encode("latin-1"), "# -*- coding: latin-1 -*-\n# é"),
        ("#\n# vim: set fileencoding=cp1252 :\n# €".encode("cp1252"), None),
        (b"", ""),
    ],
)
def test_text_is_read_by_its_mark_or_declaration(data: bytes, expected: str | None) -> None:
    """Byte order marks come first, then PEP 263 (G92)."""
    text = decode(data)
    assert text == expected if expected is not None else "€" in text


def test_a_declaration_counts_only_in_a_comment_of_the_first_two_lines() -> None:
    late = "a\nb\n# -*- coding: latin-1 -*-\né"
    assert decode(late.encode("utf-8")) == late


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"pkg\nother==1\xff\n", ["utf-8", "0xff", "offset 12", "line 2"]),
        (b"pkg\n\0", ["NUL", "offset 4", "line 2"]),
        (codecs.BOM_UTF16_LE + b"a\0b", ["utf-16-le"]),
        (b"# -*- coding: klingon -*-\n", ["klingon", "unknown"]),
        (b"# -*- coding: punycode -*-\n", ["punycode"]),
        (b"# -*- coding: hex -*-\n61", ["hex"]),
        (b"# -*- coding: ascii -*-\n\xe9", ["ascii", "0xe9"]),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(data: bytes, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        decode(data)
    for part in parts:
        assert part in caught.value.message


def test_utf16_without_a_mark_is_recognised_in_the_hint() -> None:
    with pytest.raises(InputError) as caught:
        decode("requests==2.32\n".encode("utf-16-le"))
    assert "UTF-16" in (caught.value.hint or "")


@pytest.mark.parametrize("encoding", sorted(set(encodings.aliases.aliases.values())))
def test_every_encoding_that_can_be_declared_is_read_or_refused(encoding: str) -> None:
    for rest in (b"", b"pkg==1.0", b"\xff\xfe\x81\x00\xd8+AAAA-", bytes(range(256))):
        with contextlib.suppress(InputError):
            decode(f"# coding: {encoding}\n".encode() + rest)


@given(st.binary(max_size=200), st.sampled_from([b"", codecs.BOM_UTF16_LE, b"# coding: utf-7\n"]))
def test_any_bytes_are_text_or_an_input_error(data: bytes, start: bytes) -> None:
    with contextlib.suppress(InputError):
        assert "\0" not in decode(start + data)
