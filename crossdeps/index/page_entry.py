"""The heads of kept pages to bytes and back.

msgspec learns a type when it first meets it, and two threads that make it learn the same one at
once crash the process: encoder and decoder are made here, once, under Python's import lock.
"""

from __future__ import annotations

import msgspec

from crossdeps.index.stored_page import StoredPage

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(StoredPage)


def encode_page(page: StoredPage) -> bytes:
    """A page as bytes."""
    return _ENCODER.encode(page)


def decode_page(data: bytes) -> StoredPage | None:
    """The page in *data*; None where there is none."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
