"""What the hub knows of one room."""

from __future__ import annotations

import asyncio

from realtime.rooms import Room
from realtime.transports import Transport


class Subscription:
    """A room with its local members, and what the layer knows of it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.members: set[Transport] = set()
        self.waiting = 0
        """Joins that are not answered yet."""
        self.live = asyncio.Event()
        """Set while events are known to come through."""
        self.is_added = False
        """Whether the layer was asked to put the hub's channel into the group."""
        self.was_lost = False
        """Whether members may have missed something since `live` was set last."""
        self.task: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        return bool(self.members) or self.waiting > 0

    @property
    def is_settled(self) -> bool:
        return self.live.is_set() if self.is_wanted else not self.is_added
