"""The schema of the JSON documents, which every document that a test reads must follow."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from tests.support.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

Document = dict[str, Any]

SCHEMA: Document = json.loads(
    (REPOSITORY / "docs/reference/crossdeps.schema.json").read_text(encoding="utf-8")
)


def name_document(arguments: Sequence[str], document: Document) -> str:
    """The definition of what a command printed."""
    if "error" in document:
        return "error"
    verb, action = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if verb != "cache":
        return verb
    return f"cache_{action if action in {'dir', 'info'} else 'freed'}"


def validate(document: Document, name: str) -> None:
    """Compare *document* with a definition of the schema.

    :raises jsonschema.ValidationError: if it differs
    """
    _validator(name).validate(document)


@functools.cache
def _validator(name: str) -> Any:  # noqa: ANN401 - a validator has no type
    import jsonschema

    return jsonschema.Draft202012Validator(
        {**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{name}"}]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
