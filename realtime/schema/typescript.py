"""Writes messages.d.ts: the frames of the wire as TypeScript knows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from realtime.schema.bounds import read_choices, write_bounds
from realtime.schema.definitions import REF
from realtime.schema.docstrings import escape_comment
from realtime.schema.entries import Protocol, Schema

# Pydantic's schema of it says nothing.
JSON_VALUE = "JsonValue"
JSON_TYPE = (
    "null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }"
)
SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def write_types(protocol: Protocol) -> str:
    """Return messages.d.ts: an interface for each model and frame, and the unions `ServerFrame` and `ClientFrame`."""
    parts = [
        "// The frames of the wire. Written by `manage.py asyncapi`; do not edit.",
        f"/** Whatever JSON may hold. */\nexport type {JSON_VALUE} = {JSON_TYPE};",
        *(
            _declare(name, schema)
            for name, schema in protocol.definitions.items()
            if name != JSON_VALUE
        ),
    ]
    kinds = [
        f"  {json.dumps(entry.cls.type)}: {entry.frame};" for entry in protocol.messages
    ]
    parts.append(
        "/** The frame of each message type. */\nexport interface ServerFrames {\n"
        + "\n".join(kinds)
        + "\n}"
    )
    parts.append(
        "/** What can be joined; parameters stand for letters, digits and `_ . -`. */\nexport type RoomName = "
        + (" | ".join(_name_room(kind.pattern) for kind in protocol.rooms) or "never")
        + ";"
    )
    return "\n\n".join(parts) + "\n"


def _name_room(pattern: str) -> str:
    return (
        f"`{re.sub(r'{[a-z_]+}', '${string}', pattern)}`"
        if "{" in pattern
        else json.dumps(pattern)
    )


def _declare(name: str, schema: Schema) -> str:
    comment = _comment(schema, "")
    if "properties" in schema or schema.get("type") == "object":
        whole = _write_object(schema, "")
        if choices := schema.get("anyOf"):
            kinds = (
                _write_object({**schema, **kind}, "", only=kind["required"])
                for kind in choices
            )
            return f"{comment}export type {name} = {whole} & ({' | '.join(kinds)});"
        return f"{comment}export interface {name} {whole}"
    return f"{comment}export type {name} = {_write_type(schema, '')};"


def _write_object(schema: Schema, indent: str, *, only: Sequence[str] = ()) -> str:
    required = schema.get("required", ())
    inner = f"{indent}  "
    lines = [
        f"{_comment(field, inner)}{inner}{name}{'' if name in required else '?'}: {_write_type(field, inner)};"
        for name, field in schema.get("properties", {}).items()
        if not only or name in only
    ]
    extra = schema.get("additionalProperties", False)
    if extra:
        value = JSON_VALUE if extra is True else _write_type(extra, inner)
        lines.append(f"{inner}[key: string]: {value};")
    return "\n".join(["{", *lines, f"{indent}}}"]) if lines else "{}"


def _write_type(schema: Schema, indent: str) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    if "const" in schema:
        return json.dumps(schema["const"])
    if values := schema.get("enum") or read_choices(schema.get("pattern", "")):
        return " | ".join(json.dumps(value) for value in values)
    if kinds := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(_write_type(kind, indent) for kind in kinds)
    match schema.get("type"):
        case "array":
            return f"Array<{_write_type(schema.get('items', {}), indent)}>"
        case "object":
            return _write_object(schema, indent)
        case str(kind):
            return SCALARS[kind]
    return "unknown"


def _comment(schema: Schema, indent: str) -> str:
    words = [escape_comment(text) for text in _describe(schema)]
    return f"{indent}/** {' '.join(words)} */\n" if words else ""


def _describe(schema: Schema) -> Iterator[str]:
    if text := schema.get("description"):
        yield str(text)
    if bounds := write_bounds(schema):
        yield f"({bounds})"
