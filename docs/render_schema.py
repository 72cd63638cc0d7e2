"""Write the fields of the JSON documents into the reference: ``python docs/render_schema.py``.

The tables come from ``reference/crossdeps.schema.json``; what is around them is written by hand. A
test fails while the page is out of date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]

REFERENCE = Path(__file__).parent / "reference"
SCHEMA: Schema = json.loads((REFERENCE / "crossdeps.schema.json").read_text(encoding="utf-8"))
_PREFIX = "#/$defs/"
_COMMON = {"version", "crossdeps"}


def render_page(page: str) -> str:
    """The page with current tables."""
    return re.sub(
        r"(<!-- schema: (.*?) -->\n)(.*?)(<!-- end -->\n)",
        lambda match: f"{match[1]}{_render_table(match[2])}{match[4]}",
        page,
        flags=re.DOTALL,
    )


def _render_table(name: str) -> str:
    """A row for each field of a definition, those of objects in it included."""
    rows = ["| field | value | meaning |", "|---|---|---|"]
    if name == "common":
        fields = {key: SCHEMA["$defs"]["build"]["properties"][key] for key in sorted(_COMMON)}
    else:
        fields = SCHEMA["$defs"][name]["properties"]
        if fields.keys() > _COMMON:
            fields = {key: value for key, value in fields.items() if key not in _COMMON}
    for path, field in _list_fields(fields):
        rows.append(f"| `{path}` | {_render_type(field)} | {_describe(field)} |")
    return "\n".join(["", *rows, "", ""])


def _describe(field: Schema) -> str:
    known = ", ".join(f"`{value}`" for value in field.get("examples", ()))
    return f"{field['description']} Known: {known}." if known else str(field["description"])


def _list_fields(fields: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    for name, field in fields.items():
        path = f"{prefix}{name}"
        yield path, field
        inner, suffix = field, ""
        while _has_items(inner):
            suffix += "[]" if "items" in inner else ".*"
            inner = inner["items"] if "items" in inner else inner["additionalProperties"]
        if "properties" in inner:
            yield from _list_fields(inner["properties"], f"{path}{suffix}.")


def _has_items(field: Schema) -> bool:
    return "items" in field or isinstance(field.get("additionalProperties"), dict)


def _render_type(field: Schema, *, plural: bool = False) -> str:
    s = "s" if plural else ""
    if "anyOf" in field:
        return " or ".join(_render_type(each) for each in field["anyOf"])
    if "$ref" in field:
        name = field["$ref"].removeprefix(_PREFIX)
        nullable = "null" in SCHEMA["$defs"][name]["type"]
        text = f"[{name.replace('_', ' ')}{s}](#json-{name.replace('_', '-')})"
        return f"{text} or null" if nullable else text
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return " or ".join(_render_kind(kind, field, s) for kind in kinds)


def _render_kind(kind: str, field: Schema, s: str) -> str:
    if kind == "array":
        return f"list{s} of {_render_type(field['items'], plural=True)}"
    if kind == "object" and _has_items(field):
        return f"object{s} of {_render_type(field['additionalProperties'], plural=True)}"
    if kind == "string" and field.get("format") == "date":
        return f"date{s}"
    return kind if kind == "null" else f"{kind}{s}"


if __name__ == "__main__":
    path = REFERENCE / "json.md"
    path.write_text(render_page(path.read_text(encoding="utf-8")), encoding="utf-8")
