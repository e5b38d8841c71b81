"""Reads that a page or a room needs. Each states its queries; none grows with the rows it returns."""

from __future__ import annotations

from aniworld_site.downloads.selectors.episodes import (
    EpisodeGroup,
    EpisodeRow,
    list_episode_groups,
)
from aniworld_site.downloads.selectors.messages import (
    Facts,
    count_downloads,
    get_places,
    get_series_names,
    list_facts,
)
from aniworld_site.downloads.selectors.missing import (
    MissingEpisode,
    count_missing,
    find_offers,
    list_missing,
    list_missing_episodes,
)
from aniworld_site.downloads.selectors.queue import (
    QueueView,
    Row,
    explain_source,
    get_queue_view,
    list_ended,
    list_live,
    list_rows,
)
from aniworld_site.downloads.selectors.sources import (
    Reading,
    Removal,
    SourceState,
    get_removal,
    list_readings,
    list_reviews,
    list_sources,
    search_listed,
)

__all__ = [
    "EpisodeGroup",
    "EpisodeRow",
    "Facts",
    "MissingEpisode",
    "QueueView",
    "Reading",
    "Removal",
    "Row",
    "SourceState",
    "count_downloads",
    "count_missing",
    "explain_source",
    "find_offers",
    "get_places",
    "get_queue_view",
    "get_removal",
    "get_series_names",
    "list_ended",
    "list_episode_groups",
    "list_facts",
    "list_live",
    "list_missing",
    "list_missing_episodes",
    "list_readings",
    "list_reviews",
    "list_rows",
    "list_sources",
    "search_listed",
]
