"""What the protocol is made of, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime.frames import ClientFrame
from realtime.messages import Message
from realtime.rooms import Room

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class MessageEntry:
    """One server message."""

    cls: type[Message]
    data: str
    """Name of the definition of its `data`."""
    frame: str
    """Name of the definition of the whole frame."""
    rooms: tuple[str, ...]
    """Patterns of the rooms that it may be published to; system messages may be to all."""
    is_published: bool
    """Whether it always belongs to a room's stream; what is not is the connection's own, or either."""


@dataclass(frozen=True, kw_only=True)
class ActionEntry:
    """One client action."""

    name: str
    cls: type[ClientFrame]
    frame: str
    answers: tuple[str, ...]
    """Types of the replies; an action without any is only ever answered by `error`."""


@dataclass(frozen=True, kw_only=True)
class CodeEntry:
    """One close or error code."""

    name: str
    value: int | str
    text: str
    comes_back: bool = False
    """Of close codes: whether the client connects again by itself."""


@dataclass(frozen=True, kw_only=True)
class LimitEntry:
    """One number that both sides rely on."""

    name: str
    value: float
    text: str
    is_setting: bool = True
    """Whether a project may set it; `value` is then the default."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """All of it."""

    version: int
    messages: tuple[MessageEntry, ...]
    actions: tuple[ActionEntry, ...]
    rooms: tuple[type[Room], ...]
    close_codes: tuple[CodeEntry, ...]
    error_codes: tuple[CodeEntry, ...]
    limits: tuple[LimitEntry, ...]
    definitions: dict[str, Schema]
    """JSON Schemas by name, sorted; they refer to each other as `#/$defs/<name>`."""

    def get_message(self, name: str) -> MessageEntry | None:
        """Return the entry of a type, or None."""
        return next((entry for entry in self.messages if entry.cls.type == name), None)

    def get_action(self, name: str) -> ActionEntry | None:
        """Return the entry of an action, or None."""
        return next((entry for entry in self.actions if entry.name == name), None)
