"""Words of the wire: error codes of replies and close codes of connections."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """Why a client frame was refused; the value of `error.data.code`."""

    BAD_JSON = "bad_json"
    BAD_FRAME = "bad_frame"
    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_ROOM = "unknown_room"
    """Also for a room that exists and is not the asker's, so that nobody can learn which rooms exist."""
    NOT_JOINED = "not_joined"
    TOO_MANY_ROOMS = "too_many_rooms"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


class CloseCode(IntEnum):
    """Why a connection ended; only 1000 and 4xxx, since some ASGI servers refuse the others."""

    NORMAL = 1000
    INVALID_FRAMES = 4400
    NOT_LOGGED_IN = 4401
    FORBIDDEN = 4403
    UNKNOWN_VERSION = 4406
    TOO_SLOW = 4408
    TOO_MANY = 4429
    SERVER_FAULT = 4500
    RESTART = 4503


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
