"""What a person can do with sources. Each commits what it does; the network is asked outside of any transaction."""

from __future__ import annotations

from aniworld_site.downloads.services.listed import (
    add_listed,
    link_listed,
    unlink_listed,
)
from aniworld_site.downloads.services.sources import (
    add_source,
    request_refresh,
    set_password,
)

__all__ = [
    "add_listed",
    "add_source",
    "link_listed",
    "request_refresh",
    "set_password",
    "unlink_listed",
]
