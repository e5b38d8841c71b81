"""Posters that sources name: fetched once, and again when another is named."""

from __future__ import annotations

import logging

from aniworld_site.downloads.credentials import read_options
from aniworld_site.downloads.models import Source, SourceSeries
from aniworld_site.downloads.providers.base import ProviderError
from aniworld_site.downloads.providers.fetching import Fetcher
from aniworld_site.exceptions import DomainError
from aniworld_site.library.posters import store_poster

logger = logging.getLogger(__name__)

AT_A_TIME = 50


def fetch_pictures(source: Source) -> int:
    """Fetch the posters of a source's series that are in the library and have none, or another one; return how many came.

    Asks the network; what cannot be had is logged and not asked for again.
    """
    wanted = [
        listed
        for listed in source.listed.exclude(series=None)
        .exclude(image_url="")
        .select_related("series")
        if listed.image_url != listed.image_seen
    ][:AT_A_TIME]
    if not wanted:
        return 0
    try:
        with Fetcher(read_options(source)) as fetcher:
            return sum(_fetch(fetcher, listed) for listed in wanted)
    except (ProviderError, DomainError) as error:
        # What is wrong with the source itself its page says.
        logger.info("The posters of %s: %s", source, error)
        return 0


def _fetch(fetcher: Fetcher, listed: SourceSeries) -> bool:
    assert listed.series is not None  # noqa: S101  # The query asks for it.
    try:
        document = fetcher.fetch(listed.image_url)
        if document is not None:
            store_poster(listed.series, document.content)
    except (ProviderError, DomainError) as error:
        logger.info("The poster of %s: %s", listed.series.key, error)
        document = None
    SourceSeries.objects.filter(pk=listed.pk).update(image_seen=listed.image_url)
    return document is not None
