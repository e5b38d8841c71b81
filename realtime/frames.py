"""What a client may send: one JSON object per text frame, checked before anything acts on it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, from_json

from realtime.codes import ErrorCode
from realtime.exceptions import FrameError

MAX_REF = 64

Ref = Annotated[str, Field(max_length=MAX_REF)]
RoomName = Annotated[str, Field(min_length=1, max_length=80)]


class ClientFrame(BaseModel):
    """Base of all actions. Fields that the server does not know are ignored: a newer client may send them."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    ref: Ref | None = None
    """Comes back in the reply."""


class RoomData(BaseModel):
    """Names a room."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    room: RoomName


class RoomFrame(ClientFrame):
    """An action on one room, which may stand in `data` or beside it."""

    data: RoomData

    @model_validator(mode="before")
    @classmethod
    def lift_room(cls, value: Any) -> Any:
        """Move a `room` at the top level into `data`; one that is there already wins."""
        data = value.get("data", {})
        if isinstance(data, dict):
            return {
                **value,
                "data": {"room": value["room"], **data} if "room" in value else data,
            }
        return value


class Position(BaseModel):
    """A place in a room's stream."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    epoch: Annotated[str, Field(min_length=1, max_length=40)]
    seq: Annotated[int, Field(ge=0, lt=2**53)]


class JoinData(RoomData):
    """Names a room, and what the client has of it."""

    since: Position | None = None
    """Of the last frame that the client holds."""


class JoinFrame(RoomFrame):
    """Asks to receive what is published to a room."""

    action: Literal["join"]
    data: JoinData


class HelloData(BaseModel):
    """What the client can do."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", allow_inf_nan=False
    )

    protocol: int
    acks: bool = False
    """Whether it counts frames and acknowledges them."""
    batch: bool = False
    """Whether it reads `batch` frames."""
    max_hz: Annotated[float, Field(ge=1, le=20)] | None = None
    """The most state updates a second per entity that it wants."""


class HelloFrame(ClientFrame):
    """Says what the client can do; counting begins behind it."""

    action: Literal["hello"]
    data: HelloData


class AckData(BaseModel):
    """How far the client has read."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    n: Annotated[int, Field(ge=0, lt=2**53)]
    """Frames received since `hello`."""


class AckFrame(ClientFrame):
    """Acknowledges what was received."""

    action: Literal["ack"]
    data: AckData


class LeaveFrame(RoomFrame):
    """Asks to receive it no longer."""

    action: Literal["leave"]


class PingFrame(ClientFrame):
    """Asks whether the server is there."""

    action: Literal["ping"]
    data: dict[str, JsonValue] = {}
    """Comes back in the pong."""


class PongFrame(ClientFrame):
    """Answers the server's ping."""

    action: Literal["pong"]
    data: dict[str, JsonValue] = {}


AnyFrame = Annotated[
    JoinFrame | LeaveFrame | PingFrame | PongFrame | HelloFrame | AckFrame,
    Field(discriminator="action"),
]
_adapter = TypeAdapter[AnyFrame](AnyFrame)


def parse_frame(text: str | None, *, max_bytes: int) -> AnyFrame:
    """Return the checked frame; `text` is None where a binary frame came.

    Raises:
        FrameError: with too_large, bad_json, bad_frame or unknown_action, and the frame's `ref` where it could be read.
    """
    if text is None:
        raise FrameError(
            ErrorCode.BAD_FRAME, "Expected a text frame, got a binary one."
        )
    # A character takes one to four bytes, so most frames need no encoding to be counted.
    if len(text) > max_bytes or (
        len(text) * 4 > max_bytes
        and len(text.encode(errors="surrogatepass")) > max_bytes
    ):
        raise FrameError(
            ErrorCode.TOO_LARGE,
            f"Expected at most {max_bytes} bytes, got a frame of {len(text)} characters.",
        )
    try:
        value = from_json(text, allow_inf_nan=False)
    except (
        ValueError,
        TypeError,
    ) as error:  # TypeError: a string that UTF-8 cannot hold
        raise FrameError(
            ErrorCode.BAD_JSON,
            f"Expected JSON, got something else: {str(error)[:200]}.",
        ) from error
    if not isinstance(value, dict):
        raise FrameError(
            ErrorCode.BAD_FRAME,
            f"Expected a JSON object with an action, got {_show(value)}.",
        )
    try:
        return _adapter.validate_python(value)
    except ValidationError as error:
        raise _refuse(value, error.errors(include_url=False)[0]) from error


def _refuse(value: dict[str, Any], problem: ErrorDetails) -> FrameError:
    ref = value.get("ref")
    ref = ref if isinstance(ref, str) and len(ref) <= MAX_REF else None
    if problem["type"] in ("union_tag_not_found", "union_tag_invalid"):
        action = value.get("action")
        expected = "join, leave, ping, pong, hello or ack"
        came = _show(action) if "action" in value else "nothing"
        if not isinstance(action, str):
            return FrameError(
                ErrorCode.BAD_FRAME,
                f"Expected `action` to be one of {expected}, got {came}.",
                ref=ref,
            )
        return FrameError(
            ErrorCode.UNKNOWN_ACTION,
            f"Expected one of {expected}, got {came}.",
            ref=ref,
        )
    # The first part of the path names the member of the union.
    field = ".".join(str(part) for part in problem["loc"][1:])[:80]
    came = "nothing" if problem["type"] == "missing" else _show(problem["input"])
    return FrameError(
        ErrorCode.BAD_FRAME,
        f"Field `{field}`: {problem['msg']}, got {came}.",
        ref=ref,
        details={"field": field},
    )


def _show(value: object) -> str:
    shown = (
        str(value).lower()
        if isinstance(value, bool)
        else "null"
        if value is None
        else repr(value)
    )
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
