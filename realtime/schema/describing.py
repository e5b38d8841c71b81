"""Gathers what the registries say: messages, actions, rooms, codes and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import get_args

from realtime import frames, messages
from realtime.codes import COMES_BACK, CloseCode, ErrorCode
from realtime.conf import RealtimeSettings
from realtime.deliveries import WINDOW
from realtime.frames import MAX_REF
from realtime.history import KEPT_MESSAGES, KEPT_S
from realtime.messages import get_message_types
from realtime.outbox import MAX_OUTBOX_BYTES, MAX_OUTBOX_STATES
from realtime.rooms import MAX_NAME, Room, get_room_types
from realtime.schema.definitions import define
from realtime.schema.docstrings import get_attribute_docs
from realtime.schema.entries import (
    ActionEntry,
    CodeEntry,
    LimitEntry,
    MessageEntry,
    Protocol,
)

# What the consumer replies with; no class says it.
ANSWERS = {
    "join": ("joined", "error"),
    "leave": ("left", "error"),
    "ping": ("pong", "error"),
}
FIXED = tuple(
    LimitEntry(name=name, value=value, text=text, is_setting=False)
    for name, value, text in (
        ("max_room_name", MAX_NAME, "Characters of a room's name."),
        ("max_ref", MAX_REF, "Characters of a `ref`."),
        ("kept_messages", KEPT_MESSAGES, "Of a room's history, for `since`."),
        ("kept_s", KEPT_S, "Seconds that they stay there."),
        ("max_unacked_frames", WINDOW, "Sent and not acknowledged, by a client that said `acks`; then the server waits."),
        ("max_outbox_bytes", MAX_OUTBOX_BYTES, "That wait for a connection; over it the connection is closed with 4408."),
        ("max_outbox_entries", MAX_OUTBOX_STATES, "The same in messages, where states of one entity are one."),
    )
)  # fmt: skip


def describe() -> Protocol:
    """Return the protocol of everything that is registered, in an order that depends on nothing else."""
    kinds = get_room_types()
    entries = _list_messages(kinds)
    actions = _list_actions()
    return Protocol(
        version=messages.Connected.model_fields["protocol"].default,
        messages=entries,
        actions=actions,
        rooms=kinds,
        close_codes=_list_codes(CloseCode),
        error_codes=_list_codes(ErrorCode),
        limits=(*_list_settings(), *FIXED),
        definitions=define(entries, actions),
    )


def camel(name: str) -> str:
    """Return a wire name as a type is called."""
    return "".join(part.capitalize() for part in name.split("_"))


def _list_messages(kinds: tuple[type[Room], ...]) -> tuple[MessageEntry, ...]:
    # By app, the connection's own first; within an app as they are defined.
    types = sorted(
        get_message_types().values(),
        key=lambda cls: (cls.__module__ != messages.__name__, cls.__module__),
    )
    entries = []
    for cls in types:
        is_member = cls in (messages.MemberJoined, messages.MemberLeft)
        patterns = tuple(
            kind.pattern
            for kind in kinds
            if issubclass(cls, tuple(kind.messages))
            or (is_member and kind.announces_members)
        )
        is_published = is_member or cls.__module__ != messages.__name__
        name = camel(cls.type)
        entries.append(
            MessageEntry(
                cls=cls,
                data=f"{name}Data",
                frame=f"{name}Frame",
                rooms=patterns,
                is_published=is_published,
            )
        )
    return tuple(entries)


def _list_actions() -> tuple[ActionEntry, ...]:
    found = []
    for cls in get_args(get_args(frames.AnyFrame)[0]):
        (name,) = get_args(cls.model_fields["action"].annotation)
        entry = ActionEntry(
            name=name,
            cls=cls,
            frame=f"{camel(name)}Action",
            answers=ANSWERS.get(name, ()),
        )
        found.append(entry)
    return tuple(found)


def _list_settings() -> Iterator[LimitEntry]:
    settings, docs = RealtimeSettings(), get_attribute_docs(RealtimeSettings)
    for field in fields(RealtimeSettings):
        value = getattr(settings, field.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield LimitEntry(
                name=field.name, value=value, text=docs.get(field.name, "")
            )


def _list_codes(codes: type[CloseCode] | type[ErrorCode]) -> tuple[CodeEntry, ...]:
    docs = get_attribute_docs(codes)
    return tuple(
        CodeEntry(
            name=code.name,
            value=code.value,
            text=docs.get(code.name, ""),
            comes_back=code in COMES_BACK,
        )
        for code in codes
    )
