"""Messages made from their own schemas, so that every registered type can be tried without knowing it."""

from __future__ import annotations

import json
from typing import Any

from realtime.messages import Message
from realtime.schema.bounds import read_choices
from realtime.schema.definitions import REF
from realtime.schema.entries import MessageEntry, Protocol


def make_message(entry: MessageEntry, protocol: Protocol, *, is_full: bool) -> Message:
    """Return a valid message with all of its fields, or with the required ones alone."""
    value = make_value(protocol.definitions[entry.data], protocol, is_full=is_full)
    return entry.cls.model_validate_json(json.dumps(value))


def make_value(schema: dict[str, Any], protocol: Protocol, *, is_full: bool) -> Any:
    if "$ref" in schema:
        target = protocol.definitions[schema["$ref"].removeprefix(REF)]
        return make_value(target, protocol, is_full=is_full)
    if "const" in schema:
        return schema["const"]
    for key in ("enum", "examples"):
        if key in schema:
            return schema[key][0]
    if choices := read_choices(schema.get("pattern", "")):
        return choices[0]
    if kinds := schema.get("anyOf"):
        return make_value(kinds[0 if is_full else -1], protocol, is_full=is_full)
    if schema.get("type") == "object":
        names = schema.get("properties", {}) if is_full else schema.get("required", ())
        return {
            name: make_value(schema["properties"][name], protocol, is_full=is_full)
            for name in names
        }
    return {
        "string": "x" * schema.get("minLength", 1),
        "integer": schema.get("minimum", 1),
        "number": schema.get("maximum", 0.5),
        "boolean": True,
        "array": [],
        "null": None,
    }[schema["type"]]
