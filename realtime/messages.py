"""What goes over the wire: the message base with its registry, the envelope, the messages about a connection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from realtime.codes import CloseCode, ErrorCode
from realtime.exceptions import RegistrationError

Delivery = Literal["state", "event"]

_message_types: dict[str, type[Message]] = {}


class Message(BaseModel):
    """Base of everything that the server sends; a subclass registers itself under its wire name.

    `class ScanProgress(Message, type="scan_progress", delivery="state")`: of a *state* only the latest counts, of an *event* every
    one. The class name is the type in CamelCase, with "Message" behind it where it would hide a name of Python. A class without
    `type` is a base for others. A field that has the default None is left out of the JSON while it is None; a required one is null.
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
    _optional: ClassVar[frozenset[str]] = frozenset()

    # Pydantic hands the words of the class line to both hooks; only in the second one are the fields known.
    def __init_subclass__(
        cls,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        delivery: Delivery | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        type: str | None = None,  # noqa: A002 - the word of the wire
        delivery: Delivery | None = None,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._optional = frozenset(
            name for name, field in cls.model_fields.items() if field.default is None
        )
        if type is not None:
            _register(cls, type, delivery)

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


def get_message_types() -> Mapping[str, type[Message]]:
    """Return all registered messages by their wire name, a live view."""
    return MappingProxyType(_message_types)


def encode_frame(
    message: Message, *, room: str | None = None, ref: str | None = None
) -> str:
    """Return the text of a server frame: type, timestamp (now), data, and room and ref where given."""
    timestamp = datetime.now(UTC).isoformat(timespec="microseconds")
    # Type and timestamp are plain ASCII by construction.
    frame = f'{{"type":"{message.type}","timestamp":"{timestamp}","data":{message.encode_data()}'
    if room is not None:
        frame += f',"room":{json.dumps(room)}'
    if ref is not None:
        frame += f',"ref":{json.dumps(ref)}'
    return frame + "}"


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
    """The connection is in the room: whatever is published from here on arrives."""

    room: str


class Left(Message, type="left", delivery="event"):
    """The connection is not, or no longer, in the room; without `ref` the server took it out."""

    room: str


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
