"""Writes the two machine-readable documents: JSON Schema and AsyncAPI 3.0.

Source: JSON Schema 2020-12; AsyncAPI 3.0.0.
"""

from __future__ import annotations

import re
from typing import Any

from realtime.messages import SystemNotice
from realtime.rooms import MAX_NAME, Room
from realtime.routing import websocket_urlpatterns
from realtime.schema.definitions import CLIENT_FRAME, REF, SERVER_FRAME
from realtime.schema.docstrings import one_line
from realtime.schema.entries import ActionEntry, MessageEntry, Protocol, Schema

CONNECTION = "connection"
PARAMETER = "[A-Za-z0-9_.-]+"


def build_json_schema(protocol: Protocol) -> Schema:
    """Return one schema that every frame of either side is valid against; `$defs` has each by its name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames of the realtime protocol",
        "description": "Written by `manage.py asyncapi`; do not edit. Fields that it does not name may come from a newer server.",
        "anyOf": [{"$ref": f"{REF}{SERVER_FRAME}"}, {"$ref": f"{REF}{CLIENT_FRAME}"}],
        "$defs": protocol.definitions,
    }


def build_asyncapi(protocol: Protocol) -> Schema:
    """Return the AsyncAPI document, seen from the server: it receives actions and sends messages.

    Rooms are channels with what may be published there. They have no address of their own: all travel over the connection, once it has
    sent `join` with the room's name.
    """
    names = _name_rooms(protocol)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Realtime protocol",
            "version": str(protocol.version),
            "description": "Rooms over one WebSocket: one JSON object per text frame. Written by `manage.py asyncapi`; do not edit.",
        },
        "defaultContentType": "application/json",
        "channels": {
            CONNECTION: _build_connection(protocol),
            **{
                names[kind.pattern]: _build_room(kind, protocol)
                for kind in protocol.rooms
            },
        },
        "operations": _build_operations(protocol, names),
        "components": {
            "messages": {
                **{
                    entry.cls.type: _build_message(entry) for entry in protocol.messages
                },
                **{
                    _name_action(action): _build_action(action)
                    for action in protocol.actions
                },
            },
            "schemas": {
                name: _move(schema)
                for name, schema in protocol.definitions.items()
                if name not in (SERVER_FRAME, CLIENT_FRAME)
            }
            | {SERVER_FRAME: _move(protocol.definitions[SERVER_FRAME])},
        },
    }


def _build_connection(protocol: Protocol) -> Schema:
    own = [entry for entry in protocol.messages if not entry.is_published]
    names = [entry.cls.type for entry in own]
    names += [_name_action(action) for action in protocol.actions]
    return {
        "address": f"/{websocket_urlpatterns[0].pattern}",
        "title": "The connection",
        "description": "A WebSocket, below the site's base path. What is about the connection itself, and replies.",
        "messages": {name: _refer("messages", name) for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }


def _build_room(kind: type[Room], protocol: Protocol) -> Schema:
    names = _list_published(kind, protocol)
    parameters = re.findall(r"\{([a-z_]+)\}", kind.pattern)
    channel: Schema = {
        "address": kind.pattern,
        "title": kind.__name__,
        "description": one_line(kind.__doc__),
        "messages": {name: _refer("messages", name) for name in names},
        "x-over": CONNECTION,
        "x-max-name": MAX_NAME,
    }
    if parameters:
        channel["parameters"] = {
            name: {"description": f"Matches `{PARAMETER}`."} for name in parameters
        }
    return channel


def _list_published(kind: type[Room], protocol: Protocol) -> list[str]:
    return [
        entry.cls.type
        for entry in protocol.messages
        if kind.pattern in entry.rooms or issubclass(entry.cls, SystemNotice)
    ]


def _build_operations(protocol: Protocol, names: dict[str, str]) -> Schema:
    operations: Schema = {}
    for action in protocol.actions:
        name = _name_action(action)
        operations[f"receive_{name}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{CONNECTION}"},
            "summary": one_line(action.cls.__doc__),
            "messages": [_pick(CONNECTION, name)],
        }
        if action.answers:
            operations[f"receive_{name}"]["reply"] = {
                "channel": {"$ref": f"#/channels/{CONNECTION}"},
                "messages": [_pick(CONNECTION, answer) for answer in action.answers],
            }
    operations["send_connection"] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{CONNECTION}"},
        "summary": "Tell a connection what is about itself.",
        "messages": [
            _pick(CONNECTION, entry.cls.type)
            for entry in protocol.messages
            if not entry.is_published
        ],
    }
    for kind in protocol.rooms:
        name = names[kind.pattern]
        operations[f"send_{name}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": f"Publish to everybody in {kind.pattern}.",
            "messages": [
                _pick(name, published) for published in _list_published(kind, protocol)
            ],
        }
    return operations


def _build_message(entry: MessageEntry) -> Schema:
    cls = entry.cls
    message: Schema = {
        "name": cls.type,
        "title": entry.frame,
        "summary": one_line(cls.__doc__).split(". ")[0].rstrip(".") + ".",
        "description": one_line(cls.__doc__),
        "payload": _refer("schemas", entry.frame),
        "x-delivery": cls.delivery,
    }
    if cls.entity is not None:
        message["x-entity"] = cls.entity
    if cls.ends:
        message["x-ends"] = True
    if cls.max_hz is not None:
        message["x-max-hz"] = cls.max_hz
    return message


def _build_action(action: ActionEntry) -> Schema:
    text = one_line(action.cls.__doc__)
    return {
        "name": action.name,
        "title": action.frame,
        "summary": text,
        "payload": _refer("schemas", action.frame),
        "correlationId": {"location": "$message.payload#/ref"},
    }


def _name_action(action: ActionEntry) -> str:
    # `ping` and `pong` are words of both sides.
    return f"{action.name}_action"


def _name_rooms(protocol: Protocol) -> dict[str, str]:
    """Return the rooms' channels by pattern, as identifiers."""
    names: dict[str, str] = {}
    for kind in protocol.rooms:
        name = "room_" + re.sub(r"\W+", "_", kind.pattern).strip("_")
        while name in names.values():
            name += "_"
        names[kind.pattern] = name
    return names


def _refer(what: str, name: str) -> Schema:
    return {"$ref": f"#/components/{what}/{name}"}


def _pick(channel: str, message: str) -> Schema:
    return {"$ref": f"#/channels/{channel}/messages/{message}"}


def _move(node: Any) -> Any:
    """Return a schema for AsyncAPI's own dialect: other places, and nothing beside a `$ref`, which would be overlooked there."""
    if isinstance(node, list):
        return [_move(value) for value in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _move(value) for key, value in node.items()}
    if "$ref" in moved:
        target = {"$ref": moved.pop("$ref").replace(REF, "#/components/schemas/")}
        return {"allOf": [target], **moved} if moved else target
    return moved
