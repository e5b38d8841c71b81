"""The room of the site itself."""

from __future__ import annotations

from aniworld_site.messages import TaskUpdated
from realtime.rooms import Room


class SystemRoom(Room):
    """What a person should know about the installation, for everybody who is logged in."""

    pattern = "system"
    messages = frozenset({TaskUpdated})
