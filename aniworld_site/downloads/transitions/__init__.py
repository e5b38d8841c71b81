"""The only writer of a download's state: each move is one conditional UPDATE, and whoever finds no row came second."""

from __future__ import annotations

from aniworld_site.downloads.transitions.claiming import (
    Claim,
    Room,
    claim_next,
    is_anything_claimable,
)
from aniworld_site.downloads.transitions.opening import (
    Wanted,
    get_order,
    open_downloads,
)
from aniworld_site.downloads.transitions.running import (
    LeaseLostError,
    beat,
    begin_importing,
    begin_verifying,
    fail,
    finish,
    is_held,
    release,
    release_stale,
    save_taken,
    wait_for,
)
from aniworld_site.downloads.transitions.steering import (
    FORCE,
    PAUSE,
    RESUME,
    RETRY,
    Move,
    end_pause,
    make_cancel,
    move,
    move_many,
    remove,
    set_queue,
)

__all__ = [
    "FORCE",
    "PAUSE",
    "RESUME",
    "RETRY",
    "Claim",
    "LeaseLostError",
    "Move",
    "Room",
    "Wanted",
    "beat",
    "begin_importing",
    "begin_verifying",
    "claim_next",
    "end_pause",
    "fail",
    "finish",
    "get_order",
    "is_anything_claimable",
    "is_held",
    "make_cancel",
    "move",
    "move_many",
    "open_downloads",
    "release",
    "release_stale",
    "remove",
    "save_taken",
    "set_queue",
    "wait_for",
]
