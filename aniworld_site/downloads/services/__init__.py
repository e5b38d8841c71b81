"""What a person can do with sources and with the queue. Each commits what it does; the network is asked outside of any transaction."""

from __future__ import annotations

from aniworld_site.downloads.services.listed import (
    add_listed,
    link_listed,
    unlink_listed,
)
from aniworld_site.downloads.services.queueing import (
    Queued,
    find_episodes,
    queue_episodes,
    queue_missing,
)
from aniworld_site.downloads.services.sources import (
    add_source,
    end_rest,
    remove_source,
    request_refresh,
    set_password,
    settle_review,
    update_ytdlp,
)
from aniworld_site.downloads.services.steering import (
    Outcome,
    cancel_downloads,
    force_downloads,
    move_downloads,
    pause_downloads,
    pause_queue,
    remove_downloads,
    resume_downloads,
    resume_queue,
    retry_downloads,
    set_limits,
    start_queue,
    stop_queue,
)

__all__ = [
    "Outcome",
    "Queued",
    "add_listed",
    "add_source",
    "cancel_downloads",
    "end_rest",
    "find_episodes",
    "force_downloads",
    "link_listed",
    "move_downloads",
    "pause_downloads",
    "pause_queue",
    "queue_episodes",
    "queue_missing",
    "remove_downloads",
    "remove_source",
    "request_refresh",
    "resume_downloads",
    "resume_queue",
    "retry_downloads",
    "set_limits",
    "set_password",
    "settle_review",
    "start_queue",
    "stop_queue",
    "unlink_listed",
    "update_ytdlp",
]
