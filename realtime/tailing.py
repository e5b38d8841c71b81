"""Listens to everything that is published, beside the rooms: subscribes at the broker as the hubs do, and joins nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import sleep
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.retry import Retry

from realtime.history import Keys, get_host, get_layer
from realtime.scopes import covers

TIMEOUT_S = 5.0
ALIVE_EVERY_S = 10
"""Of silence, then the broker is asked whether it is there."""
MIN_PAUSE_S, MAX_PAUSE_S = 0.2, 2.0
KINDS = {"s": "state", "u": "state", "e": "event", "x": "end"}


class Happening(NamedTuple):
    """A message that was published."""

    room: str
    epoch: str
    seq: int
    kind: str
    """`state`, `event`, or `end` of what it is about."""
    at: datetime
    """By the broker's clock."""
    frame: dict[str, Any]
    """As clients get it, without `seq` and `prev`."""


class Tail:
    """A subscription to the groups of all rooms."""

    def __init__(self, rooms: Sequence[str], *, tell: Callable[[str], None]) -> None:
        """Take names of rooms, or beginnings of such with `*`; none means all. `tell` gets a line when the broker goes or comes.

        Raises:
            ImproperlyConfigured: there is no usable channel layer.
        """
        self._rooms, self._tell = rooms, tell
        self._layer = get_layer()
        address, options = get_host(self._layer)
        options |= {
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
            "health_check_interval": ALIVE_EVERY_S,
            # Whoever reconnects silently does not tell that messages were missed.
            "retry": Retry(NoBackoff(), 0),
        }
        self._client = (
            Redis.from_url(address, **options) if address else Redis(**options)
        )
        self._channel: PubSub | None = None

    def open(self) -> None:
        """Subscribe.

        Raises:
            RedisError, OSError: the broker does not answer.
        """
        self._subscribe()
        self._tell(f"Listening to {', '.join(self._rooms) or 'all rooms'}.")

    def listen(self) -> Iterator[Happening]:
        """Yield what happens, for ever; over outages of the broker, during which what happens is lost."""
        while True:
            try:
                yield from self._read()
            except (RedisError, OSError) as error:
                self._tell(f"The broker does not answer, waiting for it: {error}")
                self._reopen()
                self._tell("The broker answers again; what came meanwhile is missing.")

    def close(self) -> None:
        """End the subscription."""
        if self._channel is not None:
            with suppress(RedisError, OSError):
                self._channel.close()
        self._channel = None
        self._client.close()

    def _read(self) -> Iterator[Happening]:
        while self._channel is not None:
            found = self._channel.get_message(timeout=1.0)
            if found is not None and found["type"] == "pmessage":
                yield from self._unpack(found["data"])

    def _reopen(self) -> None:
        pause_s = MIN_PAUSE_S
        while True:
            sleep(pause_s)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
            with suppress(RedisError, OSError):
                self._subscribe()
                return

    def _subscribe(self) -> None:
        if self._channel is not None:
            with suppress(RedisError, OSError):
                self._channel.close()
        self._channel = self._client.pubsub()  # type: ignore[no-untyped-call]  # redis-py has types in part.
        # The group that tells of revocations is none of a room.
        prefix = _escape(Keys(self._layer).get_group("room"))
        self._channel.psubscribe(f"{prefix}.*", f"{prefix}s.*")
        for _ in range(2):
            # Whatever is published after the answer is heard.
            if self._channel.get_message(timeout=TIMEOUT_S) is None:
                raise TimeoutError("it did not confirm a subscription")

    def _unpack(self, data: bytes) -> Iterator[Happening]:
        try:
            event = self._layer.deserialize(data)
            if event.get("type") != "room.frames":
                return
            happenings = list(read_event(event))
        except Exception as error:  # noqa: BLE001 - an edge: anybody may publish anything at the broker
            self._tell(f"Something came that cannot be read: {error!r}")
            return
        for happening in happenings:
            if not self._rooms or covers(self._rooms, happening.room):
                yield happening


def read_event(event: dict[str, Any]) -> Iterator[Happening]:
    """Yield the messages of an event of the layer, as the publish script makes it."""
    at = datetime.fromtimestamp(event["at"] / 1000, UTC)
    for room, epoch, last, items in event["batches"]:
        for seq, (mark, body) in enumerate(items, last - len(items) + 1):
            frame = cast(dict[str, Any], json.loads(f"{body}}}"))
            yield Happening(room, epoch, seq, KINDS[mark[:1]], at, frame)


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "*?[]^\\" else char for char in text)
