"""Writes protocol-reference.md: the same for people, as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from realtime.messages import SystemNotice
from realtime.schema.bounds import read_choices, write_bounds
from realtime.schema.definitions import ENVELOPE, REF
from realtime.schema.docstrings import one_line
from realtime.schema.entries import MessageEntry, Protocol, Schema

Row = tuple[str, ...]

CODES = {
    "CloseCode": "[close code](#close-codes)",
    "ErrorCode": "[error code](#error-codes)",
}


def write_reference(protocol: Protocol) -> str:
    """Return the reference as Markdown."""
    sections = (
        _write_head,
        _write_rooms,
        _write_messages,
        _write_actions,
        _write_codes,
        _write_limits,
    )
    return "\n".join(line for write in sections for line in write(protocol))


def _write_head(protocol: Protocol) -> Iterator[str]:
    yield "<!-- Written by `manage.py asyncapi`; do not edit. -->\n"
    yield "# Protocol reference\n"
    yield (
        'One JSON object per text frame. The server sends `{"type", "timestamp", "data"}`, a client `{"action", "data"}`. Fields and types\n'
        "that a client does not know are to be ignored: later versions add some. What is marked ? may be absent.\n"
    )
    yield "The same for programs: [AsyncAPI](asyncapi.json), [JSON Schema](messages.schema.json).\n"
    yield "## Beside the data\n"
    envelope = {"properties": ENVELOPE, "required": ["timestamp"]}
    yield from _write_fields("field", envelope, protocol)
    yield "Messages of a room carry `room`, `seq` and `prev`; a reply carries the `ref` of the frame that it answers.\n"


def _write_rooms(protocol: Protocol) -> Iterator[str]:
    yield "## Rooms\n"
    yield from _write_table(
        ("room", "what it is about", "messages"), _list_rooms(protocol)
    )
    yield "System messages may come in every room, and without one.\n"


def _write_messages(protocol: Protocol) -> Iterator[str]:
    yield "## Server messages\n"
    yield "*state*: of each entity only the latest counts, and a slow connection gets no other. *event*: every one is delivered, in order.\n"
    yield from _write_table(
        ("type", "delivery", "entity", "rooms", "sent when"), _list_messages(protocol)
    )
    for entry in protocol.messages:
        yield f"### `{entry.cls.type}`\n"
        yield f"{one_line(entry.cls.__doc__)}\n"
        data = protocol.definitions[entry.data]
        if data.get("properties"):
            yield from _write_fields("data", data, protocol)
        else:
            yield "`data` is the asker's.\n"


def _write_actions(protocol: Protocol) -> Iterator[str]:
    yield "## Client actions\n"
    yield (
        f"Every action may carry a `ref` of at most {ENVELOPE['ref']['maxLength']} characters, which comes back in the reply. The `room` of `join` and\n"
        "`leave` may stand beside `data` instead of in it.\n"
    )
    for action in protocol.actions:
        answers = " or ".join(f"`{answer}`" for answer in action.answers)
        yield f"### `{action.name}`\n"
        yield f"{one_line(action.cls.__doc__)} Answer: {answers or 'none, or `error`'}.\n"
        field = protocol.definitions[action.frame]["properties"]["data"]
        data = _resolve(field, protocol)
        if data.get("properties"):
            yield from _write_fields("data", data, protocol)
        else:
            yield "`data` may hold anything small.\n"


def _write_codes(protocol: Protocol) -> Iterator[str]:
    yield "## Close codes\n"
    closes = (
        (
            str(code.value),
            code.name.lower(),
            code.text,
            "comes back" if code.comes_back else "stays away",
        )
        for code in protocol.close_codes
    )
    yield from _write_table(("code", "name", "meaning", "client"), closes)
    yield "## Error codes\n"
    errors = ((f"`{code.value}`", code.text) for code in protocol.error_codes)
    yield from _write_table(("code", "meaning"), errors)


def _write_limits(protocol: Protocol) -> Iterator[str]:
    yield "## Limits\n"
    yield "Those in capitals are defaults of the `REALTIME` setting; `connected` says what is in force.\n"
    limits = (
        (
            f"`{limit.name.upper()}`" if limit.is_setting else limit.name,
            str(limit.value),
            limit.text,
        )
        for limit in protocol.limits
    )
    yield from _write_table(("limit", "value", "meaning"), limits)


def _list_rooms(protocol: Protocol) -> Iterator[Row]:
    for kind in protocol.rooms:
        types = [
            _link(entry) for entry in protocol.messages if kind.pattern in entry.rooms
        ]
        yield (
            f"`{kind.pattern}`",
            one_line(kind.__doc__),
            ", ".join(types) or "system messages",
        )


def _list_messages(protocol: Protocol) -> Iterator[Row]:
    for entry in protocol.messages:
        cls = entry.cls
        delivery = cls.delivery + (", ends" if cls.ends else "")
        if cls.max_hz is not None:
            delivery += f", at most {cls.max_hz:g} Hz"
        entity = f"`{cls.entity}`" if cls.entity is not None else ""
        yield _link(entry), delivery, entity, _where(entry), one_line(cls.__doc__)


def _where(entry: MessageEntry) -> str:
    if issubclass(entry.cls, SystemNotice):
        return "all"
    return ", ".join(f"`{pattern}`" for pattern in entry.rooms)


def _write_fields(head: str, schema: Schema, protocol: Protocol) -> Iterator[str]:
    return _write_table(
        (head, "type", "range", "meaning"), _list_fields(schema, protocol)
    )


def _list_fields(schema: Schema, protocol: Protocol) -> Iterator[Row]:
    for name, field in schema.get("properties", {}).items():
        mark = "" if name in schema.get("required", ()) else "?"
        text = str(field.get("description", ""))
        if field.get("default") is not None:
            text += f" By default {json.dumps(field['default'])}."
        if examples := _find_examples(field):
            text += f" Such as `{examples[0]}`."
        yield (
            f"`{name}`{mark}",
            _write_type(field, protocol),
            write_bounds(field),
            text.strip(),
        )


def _find_examples(field: Schema) -> list[object]:
    kinds = field.get("anyOf", [])
    return next(
        (kind["examples"] for kind in [field, *kinds] if "examples" in kind), []
    )


def _resolve(schema: Schema, protocol: Protocol) -> Schema:
    ref = schema.get("$ref")
    return protocol.definitions[ref.removeprefix(REF)] if ref else schema


def _write_type(schema: Schema, protocol: Protocol) -> str:
    found = _resolve(schema, protocol)
    if "const" in found:
        return f'"{found["const"]}"'
    if choices := read_choices(found.get("pattern", "")):
        return " or ".join(f'"{choice}"' for choice in choices)
    if kinds := found.get("anyOf"):
        return " or ".join(_write_type(kind, protocol) for kind in kinds)
    if "enum" in found:
        anchor = CODES.get(found.get("title", ""))
        return anchor or " or ".join(f"`{value}`" for value in found["enum"])
    if "oneOf" in found:
        return "frame"
    if found.get("type") == "array":
        return f"list of {_write_type(found['items'], protocol)}s"
    if found.get("properties"):
        inner = _list_fields(found, protocol)
        return "{" + ", ".join(f"{name}: {kind}" for name, kind, _, _ in inner) + "}"
    return str(found.get("type", "anything"))


def _link(entry: MessageEntry) -> str:
    return f"[`{entry.cls.type}`](#{entry.cls.type})"


def _write_table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    yield _write_row(head)
    yield _write_row(("---",) * len(head))
    for row in rows:
        yield _write_row(row)
    yield ""


def _write_row(cells: Row) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
