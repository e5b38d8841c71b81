"""Sources: added, and given a password."""

from __future__ import annotations

from functools import partial

from django.db import IntegrityError, transaction

from aniworld_site.downloads.credentials import encrypt
from aniworld_site.downloads.models import Source
from aniworld_site.downloads.providers.registry import (
    Listing,
    ProviderError,
    SourceOptions,
)
from aniworld_site.downloads.refreshing import find_listing, keep
from aniworld_site.downloads.tasks import refresh_one
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
                may_be_private=options.may_be_private,
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
        secret=encrypt(password), due_at=None, etag="", last_modified=""
    )


def request_refresh(source: Source) -> None:
    """Have a worker read a source soon, after the current transaction."""
    transaction.on_commit(partial(refresh_one.delay, source.pk))
