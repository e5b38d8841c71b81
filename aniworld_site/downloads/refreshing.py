"""Reading one source: who does it, what comes of it, and how long a source that fails is left alone. Asks the network outside of any transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from aniworld_site.downloads.credentials import read_options
from aniworld_site.downloads.heartbeats import beating
from aniworld_site.downloads.models import Source
from aniworld_site.downloads.providers.registry import (
    Listing,
    Provider,
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
    find_provider,
    get_provider_types,
)
from aniworld_site.downloads.queueing import queue_new_offers
from aniworld_site.downloads.reconciling import Changes, store
from aniworld_site.downloads.signals import source_changed
from aniworld_site.downloads.transitions import LeaseLostError
from aniworld_site.exceptions import DomainError

logger = logging.getLogger(__name__)

FIRST_REST, LONGEST_REST = timedelta(minutes=5), timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """How a look at a source went."""

    changes: Changes | None = None
    """None where nothing is new there."""
    error: str = ""
    """A sentence; "" where it could be read."""


def refresh_source(source: Source, *, is_forced: bool = False) -> Refreshed | None:
    """Read a source and bring the rows in line; None where somebody does so already, or it is gone.

    `is_forced` reads it also where it says that nothing changed. What goes wrong is kept on the row, and the longer it does the longer
    the source rests.
    """
    if not _claim(source):
        return None
    source.refresh_from_db()
    source_changed.send(Source, source=source)
    try:
        with beating(partial(_beat, source.pk, source.refreshing_since)):
            changes = _look(source, is_forced=is_forced)
    except LeaseLostError:
        logger.info("Source %s was taken over by another.", source.pk)
        return None
    except (ProviderError, DomainError) as error:
        _rest(source, error)
        return Refreshed(error=str(error))
    except Exception as error:
        logger.exception("Source %s could not be kept", source.pk)
        _rest(source, error)
        return Refreshed(error=source.error)
    if changes is None:
        _finish(source)
    return Refreshed(changes=changes)


def _look(source: Source, *, is_forced: bool) -> Changes | None:
    provider, listing = _read(source, is_forced=is_forced)
    _beat(source.pk, source.refreshing_since)
    changes = keep(source, provider, listing) if listing is not None else None
    # Also what an earlier look left that came to no end, or to no root folder.
    queue_new_offers(source)
    return changes


def _claim(source: Source) -> bool:
    now = timezone.now()
    claimed = Source.objects.unread().filter(pk=source.pk)
    return claimed.update(refreshing_since=now, reader_beat_at=now) == 1


def _beat(source_id: int, since: datetime | None) -> None:
    """Say that a source is still read by who began at that time.

    Raises:
        LeaseLostError: Another reads it now, since this process stood still, or it is gone.
    """
    mine = Source.objects.filter(pk=source_id, refreshing_since=since)
    if not mine.update(reader_beat_at=timezone.now()):
        raise LeaseLostError


def _read(source: Source, *, is_forced: bool) -> tuple[type[Provider], Listing | None]:
    options = read_options(source)
    if not source.kind:
        return find_listing(options, "")
    provider = _get_kind(source.kind)
    known = Version(etag=source.etag, last_modified=source.last_modified)
    return provider, provider(options).read(Version() if is_forced else known)


def find_listing(options: SourceOptions, kind: str) -> tuple[type[Provider], Listing]:
    """Return what a source has, and of which kind it is, found out where none is given.

    Raises:
        ProviderError: It cannot be read.
    """
    if not kind:
        return find_provider(options)
    listing = _get_kind(kind)(options).read()
    if listing is None:
        raise ProviderError("It says that nothing changed since it was never read.")
    return _get_kind(kind), listing


def _get_kind(kind: str) -> type[Provider]:
    kinds = get_provider_types()
    if kind not in kinds:
        raise ProviderError(
            f"Expected a kind of source of {', '.join(kinds)}, got {kind!r}. Is a package missing?",
            trouble=Trouble.PERMANENT,
        )
    return kinds[kind]


def keep(source: Source, provider: type[Provider], listing: Listing) -> Changes:
    """Bring the rows in line with what a source has, and note that it was read."""
    changes = store(source, listing, is_complete=provider.is_complete)
    _finish(
        source,
        kind=provider.kind,
        title=listing.title,
        problems=list(listing.problems),
        etag=listing.version.etag,
        last_modified=listing.version.last_modified,
    )
    return changes


def _finish(source: Source, **found: object) -> None:
    now = timezone.now()
    _end(
        source,
        **found,
        error="",
        failures=0,
        due_at=now + timedelta(minutes=source.every_minutes),
        refreshed_at=now,
    )


def _rest(source: Source, error: Exception) -> None:
    """Ask a source that fails less and less often, and one that only a person can mend once a day."""
    trouble = error.trouble if isinstance(error, ProviderError) else Trouble.PERMANENT
    rest = FIRST_REST * 2 ** min(source.failures, 10)
    if trouble in (Trouble.PERMANENT, Trouble.LOGIN):
        rest = LONGEST_REST
    elif isinstance(error, ProviderError) and error.retry_after_s is not None:
        rest = timedelta(seconds=error.retry_after_s)
    known = isinstance(error, (ProviderError, DomainError))
    said = str(error) if known else "It could not be kept; the log says why."
    _end(
        source,
        error=said[:500],
        failures=min(source.failures + 1, 1_000),
        due_at=timezone.now() + min(rest, LONGEST_REST),
    )


def _end(source: Source, **fields: object) -> None:
    """Write how a look ended, unless it is not this process's any more: another reads it, it has another address, or it is gone."""
    mine = Source.objects.filter(pk=source.pk, refreshing_since=source.refreshing_since)
    for name, value in fields.items():
        setattr(source, name, value)
    if mine.update(**fields, refreshing_since=None):
        source.refreshing_since = None
        source_changed.send(Source, source=source)
