"""What goes over the wire: the message base with its registry, the envelope, the messages about a connection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from string import Formatter
from time import time_ns
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from realtime.codes import CloseCode, ErrorCode
from realtime.exceptions import RegistrationError

Delivery = Literal["state", "event"]

_message_types: dict[str, type[Message]] = {}


class Message(BaseModel):
    """Base of everything that the server sends; a subclass registers itself under its wire name.

    `class ScanProgress(Message, type="scan_progress", delivery="state", entity="scan:{scan_id}")`: of a *state* only the latest of
    its entity counts, of an *event* every one; a state without `entity` is about its room. An event with `ends` takes its entity's
    state out of the snapshot; a state of something that never ends is not `kept` for it. `max_hz` bounds how often one entity's state
    is published; the last one always is.

    The class name is the type in CamelCase, with "Message" behind it where it would hide a name of Python. A class without `type` is
    a base for others. A field that has the default None is left out of the JSON while it is None; a required one is null.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    type: ClassVar[str]
    delivery: ClassVar[Delivery]
    entity: ClassVar[str | None] = None
    """What it is about, as a format string over the fields."""
    ends: ClassVar[bool] = False
    kept: ClassVar[bool] = True
    """Whether the newest state of each entity is in the snapshot."""
    max_hz: ClassVar[float | None] = None
    _optional: ClassVar[frozenset[str]] = frozenset()

    # Pydantic hands the words of the class line to both hooks; only in the second one are the fields known.
    def __init_subclass__(
        cls,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        delivery: Delivery | None = None,
        entity: str | None = None,
        ends: bool = False,
        kept: bool = True,
        max_hz: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        delivery: Delivery | None = None,
        entity: str | None = None,
        ends: bool = False,
        kept: bool = True,
        max_hz: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._optional = frozenset(
            name for name, field in cls.model_fields.items() if field.default is None
        )
        if type is not None:
            _register(cls, type, delivery)
            _follow(cls, entity, ends=ends, max_hz=max_hz)
            cls.kept = kept

    @property
    def mark(self) -> str:
        """How it is kept and merged: `s` state, `u` one that is not kept, `e` event or `x` the entity's end, then what it is about."""
        kind = "x" if self.ends else "e"
        if self.delivery == "state":
            kind = "s" if self.kept else "u"
        if self.entity is not None:
            return kind + self.entity.format_map(self.__dict__)
        return kind if kind == "e" else kind + self.type

    def encode_data(self) -> str:
        """Return the JSON of the frame's `data`."""
        return self.model_dump_json(
            exclude={name for name in self._optional if getattr(self, name) is None}
        )


def _register(cls: type[Message], name: str, delivery: Delivery | None) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise RegistrationError(
            f"{cls.__qualname__}: a message type is lower case with underscores, got {name!r}."
        )
    if delivery not in ("state", "event"):
        raise RegistrationError(
            f"{cls.__qualname__}: delivery must be 'state' or 'event', got {delivery!r}."
        )
    expected = "".join(part.capitalize() for part in name.split("_"))
    if cls.__name__ not in (expected, f"{expected}Message"):
        raise RegistrationError(
            f"The class of message type {name!r} must be called {expected}, not {cls.__name__}."
        )
    if name in _message_types:
        raise RegistrationError(
            f"Message type {name!r} is taken by {_message_types[name].__module__}.{_message_types[name].__qualname__}."
        )
    cls.type, cls.delivery = name, delivery
    _message_types[name] = cls


def _follow(
    cls: type[Message], entity: str | None, *, ends: bool, max_hz: float | None
) -> None:
    names = [name for _, name, _, _ in Formatter().parse(entity or "") if name]
    if unknown := sorted(set(names) - set(cls.model_fields)):
        raise RegistrationError(
            f"{cls.__qualname__}: entity {entity!r} names no field of it: {', '.join(unknown)}."
        )
    if ends and (cls.delivery != "event" or entity is None):
        raise RegistrationError(
            f"{cls.__qualname__}: only an event with an entity can end one."
        )
    if max_hz is not None and (cls.delivery != "state" or max_hz <= 0):
        raise RegistrationError(
            f"{cls.__qualname__}: max_hz is a number above 0, and only of a state, got {max_hz!r}."
        )
    cls.entity, cls.ends, cls.max_hz = entity, ends, max_hz


def get_message_types() -> Mapping[str, type[Message]]:
    """Return all registered messages by their wire name, a live view."""
    return MappingProxyType(_message_types)


def encode_frame(
    message: Message, *, room: str | None = None, ref: str | None = None
) -> str:
    """Return the text of a server frame: type, timestamp (now), data, and room and ref where given."""
    frame = encode_body(message, room=room)
    return f'{frame},"ref":{json.dumps(ref)}}}' if ref is not None else f"{frame}}}"


def encode_body(message: Message, *, room: str | None = None) -> str:
    """Return a frame without its closing brace, so that `seq` and `prev` can follow once they are known."""
    # Type, timestamp and room are plain ASCII by construction.
    frame = f'{{"type":"{message.type}","timestamp":"{_make_timestamp()}","data":{message.encode_data()}'
    return frame if room is None else f'{frame},"room":"{room}"'


def _make_timestamp() -> str:
    second, microseconds = divmod(time_ns() // 1000, 1_000_000)
    return f"{_show_second(second)}.{microseconds:06}+00:00"


@lru_cache(maxsize=2)
def _show_second(second: int) -> str:
    # Formatting a date costs more than all the rest of a frame's head.
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Limits(BaseModel):
    """What the server takes from one connection or user."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )

    max_frame_bytes: int
    """Of one frame."""
    max_rooms: int
    """Joined at a time by one connection."""
    frames_per_s: float
    """Of one user, over all connections."""


class Connected(Message, type="connected", delivery="event"):
    """First frame of every connection."""

    connection_id: str
    """Unique; the server's log names it."""
    protocol: int = 1
    heartbeat_s: float
    """Seconds between two pings of the server."""
    server_time: str
    """ISO 8601 in UTC."""
    user: str | None
    """User name."""
    limits: Limits


class Echo(Message):
    """Base of ping and pong: `data` is whatever the asker sent."""

    model_config = ConfigDict(extra="allow")


class Ping(Echo, type="ping", delivery="event"):
    """The server asks whether the client is there; it answers `{"action": "pong"}` with the same data."""


class Pong(Echo, type="pong", delivery="event"):
    """Answer to the client's ping, with the same data."""


class Error(Message, type="error", delivery="event"):
    """A client frame was refused; the connection stays open."""

    code: ErrorCode
    message: str
    """A sentence: what was expected and what came."""
    details: dict[str, JsonValue] | None = None
    """`retry_after_ms` with rate_limited, and with internal while live updates are paused; `id` with internal."""


class Joined(Message, type="joined", delivery="event"):
    """The connection is in the room: whatever is published after `seq` arrives.

    Without `ref` the server puts it in anew, since the room's history does not reach back to what the connection has.
    """

    room: str
    epoch: str
    """Of the room's stream; positions of another one mean nothing."""
    seq: Annotated[int, Field(ge=0)]
    """Position that the reply is consistent with; with `recovered` that of the connection before what it missed."""
    recovered: bool
    """Whether everything after the position that `join` named follows."""
    snapshot: list[JsonValue] | None
    """Whole frames: the newest state of each entity at `seq`; null with `recovered`."""
    members: Annotated[int, Field(ge=0)]
    """Connections in the room, over all processes."""


class Left(Message, type="left", delivery="event"):
    """The connection is not, or no longer, in the room; without `ref` the server took it out."""

    room: str


class Batch(Message, type="batch", delivery="event"):
    """Several frames at once, for connections that said `batch` in `hello`."""

    messages: list[JsonValue]
    """Whole frames, in order."""


class MemberJoined(Message, type="member_joined", delivery="event"):
    """Somebody came into a room that announces its members."""

    user: str


class MemberLeft(Message, type="member_left", delivery="event"):
    """Somebody's last connection left a room that announces its members."""

    user: str


class Bye(Message, type="bye", delivery="event"):
    """Last frame before the server closes."""

    code: CloseCode
    reconnect: bool
    """Whether the client should come back by itself."""
    after_ms: Annotated[int, Field(ge=0)]
    """Earliest time to come back, in milliseconds from now."""
    message: str


class SystemNotice(Message):
    """Base of what a person should know; may be published to every room."""

    message: str
    details: dict[str, JsonValue] | None = None


class SystemInfo(SystemNotice, type="system_info", delivery="event"):
    """Good to know."""

    severity: Literal["info"] = "info"


class SystemWarning(SystemNotice, type="system_warning", delivery="event"):
    """Something does not work as it should, and heals by itself or can wait."""

    severity: Literal["warning"] = "warning"


class SystemErrorMessage(SystemNotice, type="system_error", delivery="event"):
    """Something is broken until a person acts."""

    severity: Literal["error"] = "error"
