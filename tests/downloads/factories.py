"""Sources for tests, and documents that they have."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from aniworld_site.downloads.models import (
    Download,
    Source,
    SourceEpisode,
    SourceSeries,
)
from aniworld_site.library.models import Episode
from tests.factories import make_season, make_series

_numbers = count(1)


def make_source(**fields: Any) -> Source:
    number = next(_numbers)
    fields.setdefault("name", f"Source {number}")
    fields.setdefault("kind", "catalogue")
    fields.setdefault("url", f"https://source-{number}.example/")
    fields.setdefault("private_hosts", "127.0.0.1")
    return Source.objects.create(**fields)


def make_listed(source: Source | None = None, **fields: Any) -> SourceSeries:
    fields.setdefault("key", f"listed-{next(_numbers)}")
    fields.setdefault("title", "Night Show")
    return SourceSeries.objects.create(source=source or make_source(), **fields)


def make_offer(listed: SourceSeries, **fields: Any) -> SourceEpisode:
    number = next(_numbers)
    fields.setdefault("key", f"e{number}")
    fields.setdefault("title", f"Part {number}")
    return SourceEpisode.objects.create(listed=listed, **fields)


def make_ended(count: int = 1, state: str = "done", **fields: Any) -> list[Download]:
    """Make downloads that have ended, of one series, the first ended last; quick for hundreds."""
    season = make_season(make_series(title="Night Show"))
    now = timezone.now()
    episodes = Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(1, count + 1)
    )
    return Download.objects.bulk_create(
        Download(
            episode=each,
            state=state,
            finished_at=now - timedelta(minutes=each.number),
            **fields,
        )
        for each in episodes
    )


def episode(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "key": f"e{number}",
        "title": f"Part {number}",
        "season": 1,
        "episode": number,
        "url": f"files/{number}.mkv",
        **fields,
    }


def series(
    key: str = "night-show", *episodes: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    return {"key": key, "title": "Night Show", "episodes": list(episodes), **fields}


def catalogue(*all_series: dict[str, Any], **fields: Any) -> str:
    return json.dumps(
        {"aniworld_catalogue": 1, "title": "Mine", "series": all_series, **fields}
    )
