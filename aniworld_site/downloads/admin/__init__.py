"""Sources, what they list, and the queue under /admin/."""

from __future__ import annotations

from aniworld_site.downloads.admin import queue, sources

__all__ = ["queue", "sources"]
