"""What this process's hubs hold at the moment, for people: read from any thread, changed by none.

The hubs live in their event loops and change while they are read, so everything that is gone through is copied first; numbers of one
report may be a moment apart.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any, TypeVar

from django.contrib.auth import get_user_model

from realtime.hub import Guest, Hub, get_hubs
from realtime.metrics import OUTBOX_BYTES, ROOMS, TALLY
from realtime.sse import EventsTransport
from realtime.streams import Stream
from realtime.transports import SharedTransport, Transport

SHOWN = 500
"""Rooms, and connections, of one report."""

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReport:
    """A room that somebody here is in."""

    name: str
    epoch: str
    seq: int
    members: int
    """In this process."""
    others: int
    """In other processes."""
    lagging: int
    """Members for which something waits."""
    is_ready: bool
    """Whether its place in the stream is known; it is being read otherwise."""

    @property
    def state(self) -> str:
        if not self.is_ready:
            return "being read"
        return f"{self.lagging} behind" if self.lagging else "up to date"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """An open connection."""

    user: str
    transport: str
    age: timedelta | None
    """In whole seconds; None where nobody noted it."""
    rooms: tuple[str, ...]
    outbox_bytes: int
    outbox_count: int
    unacked: int
    """Frames; a large one counts as several."""
    is_slow: bool
    """Whether something waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything at a moment, slow connections first."""

    process: str
    made_at: datetime
    is_healthy: bool
    """Whether the broker answers, as far as known."""
    rooms: tuple[RoomReport, ...]
    connections: tuple[ConnectionReport, ...]
    room_count: int
    connection_count: int
    slow_count: int

    @property
    def is_cut(self) -> bool:
        return max(self.room_count, self.connection_count) > SHOWN


def inspect() -> Report:
    """Return what is open here; at most 500 rooms and connections. One query, for the users' names."""
    hubs = get_hubs()
    guests = [guest for hub in hubs for guest in _copy(hub.guests.values())]
    streams = [stream for hub in hubs for stream in _copy(hub.streams.values())]
    guests.sort(key=lambda guest: guest.link.outbox.size_bytes, reverse=True)
    shown = guests[:SHOWN]
    names = _find_names(guest.user_key for guest in shown)
    return Report(
        process=f"{socket.gethostname()}, process {os.getpid()}",
        made_at=datetime.now(UTC),
        is_healthy=all(hub.uplink.is_healthy for hub in hubs),
        rooms=tuple(
            _report_room(stream)
            for stream in sorted(streams, key=lambda each: each.name)[:SHOWN]
        ),
        connections=tuple(_report_connection(guest, names) for guest in shown),
        room_count=len(streams),
        connection_count=len(guests),
        slow_count=sum(len(guest.link.outbox) > 0 for guest in guests),
    )


def measure() -> None:
    """Set the gauges that nobody keeps up to date, over all hubs of this process."""
    TALLY.collect()
    hubs = get_hubs()
    ROOMS.set(sum(len(hub.streams) for hub in hubs))
    OUTBOX_BYTES.set(sum(_count_waiting_bytes(hub) for hub in hubs))


def _count_waiting_bytes(hub: Hub) -> int:
    return sum(link.outbox.size_bytes for link in _copy(hub.guests))


def _copy(things: Iterable[Kind]) -> tuple[Kind, ...]:
    while True:
        try:
            return tuple(things)
        except RuntimeError:
            # It changed in size meanwhile; copying takes microseconds.
            continue


def _report_room(stream: Stream) -> RoomReport:
    position = stream.position
    return RoomReport(
        name=stream.name,
        epoch=position.epoch,
        seq=position.seq,
        members=len(stream.links),
        others=stream.others,
        lagging=len(stream._lagging),
        is_ready=stream.ready.is_set(),
    )


def _report_connection(guest: Guest, names: dict[str, str]) -> ConnectionReport:
    link = guest.link
    waiting = len(link.outbox)
    opened_at = getattr(guest, "opened_at", None)
    return ConnectionReport(
        user=names.get(guest.user_key, guest.user_key),
        transport=_name(link.transport),
        age=timedelta(seconds=int(time() - opened_at)) if opened_at else None,
        rooms=tuple(sorted(_copy(link.rooms))),
        outbox_bytes=link.outbox.size_bytes,
        outbox_count=waiting,
        unacked=link.unacked,
        is_slow=waiting > 0,
    )


def _name(transport: Transport) -> str:
    if isinstance(transport, EventsTransport):
        return "events"
    return (
        "websocket, direct" if isinstance(transport, SharedTransport) else "websocket"
    )


def _find_names(user_keys: Iterable[str]) -> dict[str, str]:
    by_pk: dict[Any, str] = {
        key.removeprefix("user:"): key for key in user_keys if key.startswith("user:")
    }
    users = get_user_model()._default_manager.filter(pk__in=list(by_pk))
    return {by_pk[str(user.pk)]: user.get_username() for user in users}
