"""Series that a source lists: which of the library they are."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from aniworld_site.downloads.matching import propose
from aniworld_site.downloads.models import SourceSeries
from aniworld_site.downloads.providers.feed import FeedProvider
from aniworld_site.downloads.reconciling import offer
from aniworld_site.downloads.tasks import fetch_posters, wake
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Series
from aniworld_site.library.services import add_series

BY_HAND = "Set by a person."
ADDED = "Added from this source."


def link_listed(listed: SourceSeries, series: Series) -> None:
    """Say that a listed series is this one of the library; its episodes are linked, and made where they are not there."""
    with transaction.atomic():
        listed.episodes.exclude(episode=None).exclude(
            episode__season__series=series
        ).update(episode=None, reason="", review="")
        _set(listed, series, BY_HAND)
    offer(listed, series)


def add_listed(listed: SourceSeries, *, is_new: bool = False) -> Series:
    """Add a listed series to the library with all its episodes, which are missing until there are files.

    `is_new` says that it is none of those that it may be.

    Raises:
        DomainError: It is linked already, or a series of the library may be the same: that is for a person to say.
    """
    if listed.series is not None:
        raise DomainError(f"{listed} is {listed.series} of the library already.")
    if not is_new and (proposals := propose(listed)):
        first = proposals[0]
        raise DomainError(
            f"{listed} may be {first.series} ({first.series.key}), which is in the library: {first.reason} Link it, or rename one of them."
        )
    with transaction.atomic():
        # All feeds call their one series the same, which names none.
        is_of_feed = listed.source.kind == FeedProvider.kind
        key = "" if is_of_feed else listed.key
        series = add_series(listed.title, year=listed.year, key=key)
        series.ids, series.provider = dict(listed.ids), listed.source.kind
        series.save(update_fields=["ids", "provider"])
        _set(listed, series, ADDED)
    offer(listed, series)
    return series


def unlink_listed(listed: SourceSeries) -> None:
    """Say that a listed series is none of the library, or that nobody knows; the library keeps its episodes."""
    with transaction.atomic():
        listed.episodes.update(episode=None, reason="", review="")
        _set(listed, None, BY_HAND)


def _set(listed: SourceSeries, series: Series | None, reason: str) -> None:
    listed.series, listed.reason, listed.is_locked = series, reason, True
    listed.image_seen = ""
    listed.save(update_fields=["series", "reason", "is_locked", "image_seen"])
    if series is not None and listed.image_url:
        transaction.on_commit(partial(wake, fetch_posters, listed.source_id))
