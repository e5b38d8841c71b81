"""Sources: added, and given a password."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from aniworld_site.downloads.credentials import encrypt
from aniworld_site.downloads.models import Source, SourceEpisode
from aniworld_site.downloads.providers.registry import (
    Listing,
    ProviderError,
    SourceOptions,
)
from aniworld_site.downloads.reconciling import offer as offer_episodes
from aniworld_site.downloads.refreshing import find_listing, keep
from aniworld_site.downloads.tasks import refresh_one, wake
from aniworld_site.downloads.ytdlp.versions import UpdateError, get_version, update
from aniworld_site.exceptions import DomainError


def add_source(
    options: SourceOptions, *, name: str = "", kind: str = ""
) -> tuple[Source, Listing]:
    """Read a source, and keep it with what it has. Takes as long as the source does.

    Raises:
        DomainError: It cannot be read, or the name or address is taken.
    """
    if Source.objects.filter(url=options.url).exists():
        raise DomainError(f"{options.url[:200]} is a source already.")
    try:
        provider, listing = find_listing(options, kind)
    except ProviderError as error:
        raise DomainError(str(error)) from error
    try:
        with transaction.atomic():
            source = Source.objects.create(
                name=(name or listing.title)[:80],
                kind=provider.kind,
                url=options.url,
                username=options.username,
                secret=encrypt(options.password),
                private_hosts=", ".join(sorted(options.private_hosts)),
                cookies=options.cookies,
                format=options.format,
            )
    except IntegrityError as error:
        raise DomainError(
            f"A source is called {(name or listing.title)[:80]!r} already: give it another name."
        ) from error
    keep(source, provider, listing)
    return source, listing


def set_password(source: Source, password: str) -> None:
    """Give a source another password, "" for none; it is read with it at the next opportunity."""
    Source.objects.filter(pk=source.pk).update(
        secret=encrypt(password),
        due_at=None,
        etag="",
        last_modified="",
        # Whoever reads it now asks with the old one.
        refreshing_since=None,
    )
    end_rest(source)


def end_rest(source: Source) -> None:
    """Let a source's downloads start again before its rest is over."""
    Source.objects.filter(pk=source.pk).update(
        rests_until=None, rest_reason="", download_failures=0
    )


def remove_source(source: Source) -> None:
    """Forget a source with what it lists; what came from it stays, and what is in the queue from it fails when its turn comes, and says why."""
    source.delete()


def settle_review(offer: SourceEpisode, *, takes_new: bool) -> None:
    """Say that a source was right to renumber an episode, which is linked by its new number then, or that the link stays as it is."""
    with transaction.atomic():
        if takes_new:
            offer.episode, offer.reason = None, ""
        offer.review = ""
        offer.save(update_fields=["episode", "reason", "review"])
    if takes_new and offer.listed.series is not None:
        offer_episodes(offer.listed, offer.listed.series)


def update_ytdlp() -> tuple[str, str]:
    """Fetch the newest yt-dlp, and return the number that was used before and the one that is used from now on. Takes some seconds.

    Raises:
        DomainError: It cannot be had or does not run here; what was used is used further.
    """
    before = get_version(Path(settings.DATA_DIR))
    try:
        after = update(Path(settings.DATA_DIR))
    except UpdateError as error:
        raise DomainError(str(error)) from error
    return before.number, after.number


def request_refresh(source: Source) -> None:
    """Have a worker read a source soon, after the current transaction.

    When the broker is away the request waits in the database, and the next look at what is due finds it, unless the source is switched off.
    """
    Source.objects.filter(pk=source.pk).update(due_at=None)
    transaction.on_commit(partial(wake, refresh_one, source.pk))
