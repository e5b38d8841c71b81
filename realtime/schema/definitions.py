"""JSON Schema of every model that crosses the wire, as the encoder writes it and the parser reads it.

Data that the server sends is left open for fields that a later version adds, although the models themselves refuse unknown ones:
clients must take such frames.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from realtime.frames import RoomFrame
from realtime.messages import Message, SystemNotice
from realtime.schema.docstrings import get_attribute_docs, one_line
from realtime.schema.entries import ActionEntry, MessageEntry, Schema

REF = "#/$defs/"
SERVER_FRAME, CLIENT_FRAME = "ServerFrame", "ClientFrame"

# What a connection's own messages may carry beside their data: it is put on while encoding, so no class says it.
REPLIES = {
    "error": ("room", "ref"),
    "joined": ("room", "ref"),
    "left": ("room", "ref"),
    "pong": ("ref",),
}
# These hold whole frames, encoded before; their models cannot name all others.
HOLDERS = (("joined", "snapshot"), ("batch", "messages"))
UNITS = {
    "_per_s": "per second",
    "_ms": "milliseconds",
    "_seconds": "seconds",
    "_s": "seconds",
    "_bytes": "bytes",
    "_mbps": "megabits per second",
    "_hz": "per second",
    "percent": "percent",
}

ENVELOPE: dict[str, Schema] = {
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "description": "When the message was made: ISO 8601 in UTC with offset, always of the same width.",
    },
    "room": {
        "type": "string",
        "minLength": 1,
        "maxLength": 80,
        "description": "Name of the room that it belongs to.",
    },
    "seq": {
        "type": "integer",
        "minimum": 1,
        "description": "Place in the room's stream; rises by one per published message.",
    },
    "prev": {
        "type": "integer",
        "minimum": 0,
        "description": "The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots.",
    },
    "ref": {
        "type": "string",
        "maxLength": 64,
        "description": "The `ref` of the client frame that it answers.",
    },
}


class WireSchema(GenerateJsonSchema):
    """Describes what is on the wire: no titles that repeat names, units, and required what the encoder always writes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField
        | core_schema.DataclassField
        | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - Pydantic's own signature
    ) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        found = super().model_schema(schema)
        cls: type[BaseModel] = schema["cls"]
        is_sent = self.mode == "serialization"
        docs = get_attribute_docs(cls)
        found["description"] = one_line(cls.__doc__)
        for name, field in found.get("properties", {}).items():
            if text := field.get("description") or docs.get(name):
                field["description"] = one_line(text)
            if unit := get_unit(name):
                field["x-unit"] = unit
            if is_sent:
                field.pop("default", None)
        if is_sent:
            # Whoever checks what comes must let through what a later version adds.
            if found.get("additionalProperties") is False:
                del found["additionalProperties"]
            if issubclass(cls, Message):
                _leave_out(cls, found)
        return found


def _leave_out(cls: type[Message], schema: Schema) -> None:
    """Follow the encoder: a field that has the default None is never null, it is left out."""
    absent = {name for name, field in cls.model_fields.items() if field.default is None}
    for name in absent:
        field = schema["properties"][name]
        kinds = [kind for kind in field.pop("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) == 1:
            schema["properties"][name] = {**kinds[0], **field}
        elif kinds:
            field["anyOf"] = kinds
    if required := [name for name in schema.get("required", ()) if name not in absent]:
        schema["required"] = required
    else:
        schema.pop("required", None)


def define(
    messages: Sequence[MessageEntry], actions: Sequence[ActionEntry]
) -> dict[str, Schema]:
    """Return all definitions by name, sorted: data, frames, actions, what they are made of, and the two unions."""
    found = _generate(messages, actions)
    for entry in messages:
        found[entry.frame] = _wrap(entry)
        for holder, field in HOLDERS:
            if entry.cls.type == holder:
                _hold_frames(found[entry.data]["properties"][field])
    for action in actions:
        if issubclass(action.cls, RoomFrame):
            _lift_room(found[action.frame])
    found[SERVER_FRAME] = _unite(
        "Any frame that the server sends.", [entry.frame for entry in messages]
    )
    found[CLIENT_FRAME] = _unite(
        "Any frame that a client sends.", [action.frame for action in actions]
    )
    return {name: {**schema, "title": name} for name, schema in sorted(found.items())}


def get_unit(name: str) -> str:
    """Return the unit that a field's name ends in, or nothing."""
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _generate(
    messages: Sequence[MessageEntry], actions: Sequence[ActionEntry]
) -> dict[str, Schema]:
    """Return Pydantic's schemas under names of ours."""
    # In one call, so that Pydantic keeps models of the same name apart.
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((entry.cls, "serialization") for entry in messages),
        *((action.cls, "validation") for action in actions),
    ]
    refs, document = models_json_schema(
        inputs, ref_template=f"{REF}{{model}}", schema_generator=WireSchema
    )
    ours = [entry.data for entry in messages] + [action.frame for action in actions]
    names = {
        refs[key]["$ref"].removeprefix(REF): name
        for key, name in zip(inputs, ours, strict=True)
    }
    taken = {SERVER_FRAME, CLIENT_FRAME, *ours, *(entry.frame for entry in messages)}
    for old in sorted(document["$defs"]):
        if old not in names:
            names[old] = re.sub(r"\W", "_", old)
            while names[old] in taken:
                names[old] += "_"
            taken.add(names[old])
    return {
        names[old]: _rename(schema, names) for old, schema in document["$defs"].items()
    }


def _rename(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: f"{REF}{names[value.removeprefix(REF)]}"
            if key == "$ref"
            else _rename(value, names)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_rename(value, names) for value in node]
    return node


def _wrap(entry: MessageEntry) -> Schema:
    """Return the schema of the whole frame around a message's data."""
    cls = entry.cls
    if entry.is_published:
        # Within a snapshot nothing was sent before.
        required, optional = ["room", "seq"], ["prev"]
    elif issubclass(cls, SystemNotice):
        required, optional = [], ["room", "seq", "prev"]
    else:
        required, optional = [], list(REPLIES.get(cls.type, ()))
    return {
        "description": one_line(cls.__doc__),
        "type": "object",
        "properties": {
            "type": {"const": cls.type},
            "timestamp": ENVELOPE["timestamp"],
            "data": {"$ref": f"{REF}{entry.data}"},
            **{name: ENVELOPE[name] for name in [*required, *optional]},
        },
        "required": ["type", "timestamp", "data", *required],
    }


def _hold_frames(field: Schema) -> None:
    for kind in [field, *field.get("anyOf", [])]:
        if kind.get("type") == "array":
            kind["items"] = {"$ref": f"{REF}{SERVER_FRAME}"}


def _lift_room(schema: Schema) -> None:
    """Let `room` stand beside `data` as well, as the parser does."""
    schema["properties"]["room"] = {
        **ENVELOPE["room"],
        "description": "Instead of `data.room`.",
    }
    schema["required"] = [name for name in schema["required"] if name != "data"]
    schema["anyOf"] = [{"required": ["data"]}, {"required": ["room"]}]


def _unite(text: str, names: Sequence[str]) -> Schema:
    return {"description": text, "oneOf": [{"$ref": f"{REF}{name}"} for name in names]}
