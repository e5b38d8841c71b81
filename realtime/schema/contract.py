"""Compares the protocol with the part of it that may not change, since clients exist that speak it.

What the server sends may gain fields and keep to tighter bounds; what it takes may gain optional fields and wider bounds. Everything
else breaks a client that was written before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from realtime.exceptions import FrameError
from realtime.frames import parse_frame
from realtime.schema.definitions import REF
from realtime.schema.entries import Protocol, Schema

Contract = dict[str, Any]

LOWER, UPPER = ("minimum", "minLength"), ("maximum", "maxLength")
ANY = "any"
KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def find_breaks(contract: Contract, protocol: Protocol) -> list[str]:
    """Return a sentence for each difference that a client of the contract would trip over; none means that it is kept.

    The contract names `types` (data fields of each message), `actions` (data fields and answers), `rooms` (with what is published
    there), `error_codes`, `close_codes`, and `accepted`: client frames that the parser must take.
    """
    return [
        *_compare_messages(contract.get("types", {}), protocol),
        *_compare_actions(contract.get("actions", {}), protocol),
        *_compare_rooms(contract.get("rooms", {}), protocol),
        *_compare_codes(contract, protocol),
        *_try_frames(contract.get("accepted", ())),
    ]


def _compare_messages(types: Contract, protocol: Protocol) -> Iterator[str]:
    for name, promised in types.items():
        entry = protocol.get_message(name)
        if entry is None:
            yield f"Message type {name} is gone."
            continue
        data = protocol.definitions[entry.data]
        for field, old in promised["data"].items():
            yield from _compare_sent(f"{name}.{field}", field, old, data, protocol)


def _compare_sent(
    where: str, field: str, old: Schema, data: Schema, protocol: Protocol
) -> Iterator[str]:
    if field not in data.get("properties", {}):
        yield f"Field {where} is gone."
        return
    new = _read_field(field, data, protocol)
    if old["required"] and not new["required"]:
        yield f"Field {where} was always there and may be absent now."
    if added := sorted(set(new["types"]) - _widen(old["types"])):
        yield f"Field {where} was {_join(old['types'])} and may be {_join(added)} now."
    yield from _compare_bounds(where, old, new, is_sent=True)


def _compare_actions(actions: Contract, protocol: Protocol) -> Iterator[str]:
    for name, promised in actions.items():
        action = protocol.get_action(name)
        if action is None:
            yield f"Action {name} is gone."
            continue
        schema = protocol.definitions[action.frame]["properties"]["data"]
        yield from _compare_taken(
            name, promised["data"], _resolve(schema, protocol), protocol
        )
        for answer in promised["answers"]:
            if answer not in action.answers or protocol.get_message(answer) is None:
                yield f"Action {name} is not answered by {answer} any more."


def _compare_taken(
    action: str, promised: Schema, data: Schema, protocol: Protocol
) -> Iterator[str]:
    for field, old in promised.items():
        where = f"{action}.{field}"
        if field not in data.get("properties", {}):
            yield f"Field {where} is not read any more."
            continue
        new = _read_field(field, data, protocol)
        if new["required"] and not old["required"]:
            yield f"Field {where} could be left out and must be there now."
        if lost := sorted(set(old["types"]) - _widen(new["types"])):
            yield f"Field {where} could be {_join(lost)} and may not be any more."
        yield from _compare_bounds(where, old, new, is_sent=False)
    for field in data.get("required", ()):
        if field not in promised:
            yield f"Field {action}.{field} is new and must be there, which older clients do not know."


def _compare_bounds(
    where: str, old: Schema, new: Schema, *, is_sent: bool
) -> Iterator[str]:
    # What is sent has to stay within the old bounds; what is taken has to reach as far as they did.
    outer, inner = (old, new) if is_sent else (new, old)
    for bound in (*LOWER, *UPPER):
        if bound not in outer:
            continue
        limit, value = outer[bound], inner.get(bound)
        if value is None or (value < limit if bound in LOWER else value > limit):
            yield f"Field {where} had {bound} {old.get(bound, 'none')} and has {new.get(bound, 'none')} now."


def _compare_rooms(rooms: Contract, protocol: Protocol) -> Iterator[str]:
    patterns = {kind.pattern for kind in protocol.rooms}
    for pattern, types in rooms.items():
        if pattern not in patterns:
            yield f"Room {pattern} is gone."
            continue
        for name in types:
            entry = protocol.get_message(name)
            if entry is not None and pattern not in entry.rooms:
                yield f"Messages of type {name} do not come in room {pattern} any more."


def _compare_codes(contract: Contract, protocol: Protocol) -> Iterator[str]:
    errors = {code.value for code in protocol.error_codes}
    for value in contract.get("error_codes", ()):
        if value not in errors:
            yield f"Error code {value} is gone."
    closes = {str(code.value): code.comes_back for code in protocol.close_codes}
    for value, comes_back in contract.get("close_codes", {}).items():
        if value not in closes:
            yield f"Close code {value} is gone."
        elif closes[value] != comes_back:
            yield f"After close code {value} a client {'came back' if comes_back else 'stayed away'}, and now it is told the opposite."


def _try_frames(accepted: Iterable[Schema]) -> Iterator[str]:
    for frame in accepted:
        try:
            parse_frame(json.dumps(frame), max_bytes=16 * 1024)
        except FrameError as error:
            yield f"Client frame {json.dumps(frame)} was accepted, and now: {error}"


def _read_field(name: str, schema: Schema, protocol: Protocol) -> Schema:
    field = schema["properties"][name]
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    bounded = {**kinds[0], **field} if len(kinds) == 1 else field
    return {
        "required": name in schema.get("required", ()),
        "types": sorted(_get_types(field, protocol)),
        **{bound: bounded[bound] for bound in (*LOWER, *UPPER) if bound in bounded},
    }


def _get_types(schema: Schema, protocol: Protocol) -> set[str]:
    found = _resolve(schema, protocol)
    if "type" in found:
        return {found["type"]}
    if "const" in found:
        return {KINDS.get(type(found["const"]).__name__, "null")}
    kinds = found.get("anyOf") or found.get("oneOf") or ()
    return {name for kind in kinds for name in _get_types(kind, protocol)} or {ANY}


def _widen(types: Iterable[str]) -> set[str]:
    """Return what a reader of these types can take: whoever takes numbers takes whole ones."""
    found = set(types)
    if "number" in found:
        found.add("integer")
    return (
        {*found, *KINDS.values(), "null", "array", "object"} if ANY in found else found
    )


def _resolve(schema: Schema, protocol: Protocol) -> Schema:
    ref = schema.get("$ref")
    return protocol.definitions[ref.removeprefix(REF)] if ref else schema


def _join(words: Iterable[str]) -> str:
    return " or ".join(words)
