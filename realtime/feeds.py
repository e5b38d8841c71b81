"""A group of the channel layer as the hub knows it: the rooms that share it, and whether its events are known to come through."""

from __future__ import annotations

import asyncio

from realtime.streams import Stream


class Feed:
    """One subscription of the hub's channel."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.streams: dict[str, Stream] = {}
        """By room name."""
        self.is_pinned = False
        """Whether it is wanted without a room."""
        self.is_live = False
        """Whether an event came through since the channel was put into the group."""
        self.is_added = False
        """Whether the layer was asked to put it there."""
        self.task: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        return self.is_pinned or bool(self.streams)

    @property
    def is_settled(self) -> bool:
        return self.is_live if self.is_wanted else not self.is_added
