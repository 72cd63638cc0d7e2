"""Screenshots as colours: just enough of PNG (8 bits a channel, not interlaced)."""

from __future__ import annotations

import struct
import zlib
from collections import Counter


def colours(data: bytes) -> Counter[tuple[int, int, int]]:
    """How many pixels of each colour an image has."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, interlaced) == (8, 0)
    step = {2: 3, 6: 4}[kind]
    packed = b"".join(_chunks(data))
    rows = zlib.decompress(packed)
    counts: Counter[tuple[int, int, int]] = Counter()
    before = bytearray(width * step)
    for number in range(height):
        start = number * (width * step + 1)
        line = bytearray(rows[start + 1 : start + 1 + width * step])
        _unfilter(rows[start], line, before, step)
        counts.update(zip(line[0::step], line[1::step], line[2::step], strict=True))
        before = line
    return counts


def _chunks(data: bytes) -> list[bytes]:
    found = []
    position = 8
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            found.append(data[position + 8 : position + 8 + length])
        position += length + 12
    return found


def _unfilter(kind: int, line: bytearray, above: bytearray, step: int) -> None:
    """Undo a row's filter (PNG specification, section 9)."""
    for index in range(len(line)):
        left = line[index - step] if index >= step else 0
        corner = above[index - step] if index >= step else 0
        up = above[index]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        line[index] = (line[index] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    distances = ((abs(estimate - each), each) for each in (left, up, corner))
    return min(distances, key=lambda pair: pair[0])[1]
