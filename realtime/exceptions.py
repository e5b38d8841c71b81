"""What can go wrong in the realtime layer.

RealtimeError
├── RegistrationError      a message type or room is defined wrongly
├── PublishError           this message may not be published there
├── UnknownRoomError       no kind of room has this name
├── PausedError            the channel layer cannot be reached
└── FrameError             a client frame is refused, with a code of the protocol
"""

from __future__ import annotations

from typing import Any


class RealtimeError(Exception):
    """Base of everything that this package raises."""


class RegistrationError(RealtimeError):
    """A message type or a room is defined wrongly; raised while its module is imported."""


class PublishError(RealtimeError):
    """A message was published to a room that does not list its type."""


class UnknownRoomError(RealtimeError):
    """No kind of room has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No room is called {name[:80]!r}.")


class PausedError(RealtimeError):
    """The channel layer did not confirm a subscription in time."""


class FrameError(RealtimeError):
    """A client frame is refused; becomes an `error` reply."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        ref: str | None = None,
        room: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.ref, self.room, self.details = (
            code,
            message,
            ref,
            room,
            details,
        )
