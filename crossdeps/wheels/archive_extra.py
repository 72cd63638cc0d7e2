"""Extra fields of ZIP headers: only those that change what a reader understands are looked into."""

from __future__ import annotations

import struct
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crossdeps.wheels.faults import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

ZIP64: Final = 0x0001
UNICODE_PATH: Final = 0x7075
NO_EXTRA: Final[Mapping[int, bytes]] = MappingProxyType({})
_MARKER = 0xFFFFFFFF


def parse_extra(data: bytes, raw_name: bytes, name: str) -> Mapping[int, bytes]:
    """The extra fields by header id (APPNOTE 4.5), once those that rename are known to agree.

    :param raw_name: the name in the header that the fields belong to
    :raises WheelError: if they are cut short, repeat a field that matters, or give another name
    """
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise refusal("zip-extra-field", "extra fields cut short", member=name)
        header_id, size = struct.unpack_from("<HH", data, position)
        position += 4
        value = data[position : position + size]
        position += size
        if len(value) < size:
            raise refusal("zip-extra-field", "extra fields cut short", member=name)
        if header_id in fields and header_id in (ZIP64, UNICODE_PATH):
            raise refusal("zip-extra-field", f"extra field {header_id:#06x} twice", member=name)
        fields[header_id] = value
    if UNICODE_PATH in fields:
        _check_unicode_path(fields[UNICODE_PATH], raw_name, name)
    return fields


def _check_unicode_path(value: bytes, raw_name: bytes, name: str) -> None:
    """The Info-ZIP Unicode Path field (APPNOTE 4.6.9) must repeat the name."""
    expected = struct.pack("<BI", 1, zlib.crc32(raw_name)) + raw_name
    if value != expected:
        raise refusal("zip-extra-field", "an extra field gives it another name", member=name)


def zip64_values(extra: Mapping[int, bytes], values: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Replace each 0xFFFFFFFF of *values* by its wide value (APPNOTE 4.5.3), in the field's order.

    Some writers (Bazel's) repeat values there that fit the header; they must be the same then.

    :raises WheelError: if a value is missing, left over, or contradicts the header
    """
    wanted = values.count(_MARKER)
    field = extra.get(ZIP64)
    if field is None:
        if wanted:
            raise refusal("zip64", "needs a ZIP64 extra field, and has none", member=name)
        return values
    count, rest = divmod(len(field), 8)
    if rest or not wanted <= count <= len(values):
        raise refusal("zip64", "its ZIP64 extra field has too few or too many values", member=name)
    wide = struct.unpack(f"<{count}Q", field)
    if count == wanted:
        supply = iter(wide)
        return tuple(next(supply) if value == _MARKER else value for value in values)
    repeated = (*wide, *values[count:])
    if any(old not in (_MARKER, new) for old, new in zip(values, repeated, strict=True)):
        raise refusal("zip64", "its ZIP64 extra field contradicts its header", member=name)
    if _MARKER in values[count:]:
        raise refusal("zip64", "its ZIP64 extra field has too few values", member=name)
    return repeated
