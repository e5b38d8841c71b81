"""Words of the wire: error codes of replies and close codes of connections."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """Why a client frame was refused; the value of `error.data.code`."""

    BAD_JSON = "bad_json"
    """The frame was not JSON."""
    BAD_FRAME = "bad_frame"
    """It was JSON, and not a frame: the message names the field."""
    UNKNOWN_ACTION = "unknown_action"
    """The server knows no such action."""
    UNKNOWN_ROOM = "unknown_room"
    """Also for a room that exists and is not the asker's, so that nobody can learn which rooms exist."""
    NOT_JOINED = "not_joined"
    """The action needs a room that the connection is not in."""
    TOO_MANY_ROOMS = "too_many_rooms"
    """The connection is in as many rooms as it may be."""
    RATE_LIMITED = "rate_limited"
    """Frames came faster than allowed; `details.retry_after_ms` says when the next may come."""
    TOO_LARGE = "too_large"
    """The frame was longer than `limits.max_frame_bytes`."""
    INTERNAL = "internal"
    """A mistake of the server; its log has `details.id`."""


class CloseCode(IntEnum):
    """Why a connection ended; only 1000 and 4xxx, since some ASGI servers refuse the others."""

    NORMAL = 1000
    """The client left."""
    INVALID_FRAMES = 4400
    """Five frames in a row were not valid."""
    NOT_LOGGED_IN = 4401
    """Not logged in, or logged out meanwhile; show the login."""
    FORBIDDEN = 4403
    """Not allowed, or from a wrong origin; show the login."""
    UNKNOWN_VERSION = 4406
    """The server does not know this protocol version; reload the page."""
    TOO_SLOW = 4408
    """No acknowledgement, no pong, or more waited than is kept; return at once and resume."""
    TOO_MANY = 4429
    """Too many frames or connections; return after `after_ms`."""
    SERVER_FAULT = 4500
    """A fault of the server; return with backoff."""
    RESTART = 4503
    """The server restarts or shuts down; return after `after_ms`, which it spreads over 0 to 5 s."""


COMES_BACK = frozenset(
    {
        CloseCode.UNKNOWN_VERSION,
        CloseCode.TOO_SLOW,
        CloseCode.TOO_MANY,
        CloseCode.SERVER_FAULT,
        CloseCode.RESTART,
    }
)
"""After these a client connects again by itself."""
