"""The base class of public values, such as targets, settings and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import dataclasses
    from collections.abc import Mapping
    from typing import ClassVar


class _DataclassFields:
    """What the functions of `dataclasses` read from a class, made when one of them asks for it."""

    def __get__(
        self, instance: Value | None, owner: type[Value]
    ) -> Mapping[str, dataclasses.Field[Any]]:
        from dataclasses import fields, make_dataclass  # noqa: PLC0415 - loads much

        same = make_dataclass(owner.__name__, owner.__struct_fields__)
        return {field.name: field for field in fields(same)}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value whose fields are given by name.

    It is a Struct, whose class is created in a thirtieth of the time of a dataclass, and a
    dataclass to those who use it: `dataclasses.replace`, `fields` and `asdict` accept it.

    >>> import dataclasses
    >>> from crossdeps.target.model import Target
    >>> dataclasses.replace(Target(python="3.12", arch="arm64"), glibc="2.34").describe()
    'CPython 3.12.16, aarch64, glibc 2.34'
    """

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    else:
        __dataclass_fields__ = _DataclassFields()
