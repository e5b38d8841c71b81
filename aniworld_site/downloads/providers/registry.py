"""Kinds of sources. Others come as packages that name a class under the entry point `aniworld.providers`."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from aniworld_site.downloads.providers.base import (
    ListedEpisode,
    ListedSeries,
    Listing,
    Media,
    Provider,
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
)
from aniworld_site.downloads.providers.catalogue import CatalogueProvider
from aniworld_site.downloads.providers.feed import FeedProvider
from aniworld_site.downloads.providers.guarding import GuardError
from aniworld_site.downloads.providers.ytdlp import YtDlpProvider

logger = logging.getLogger(__name__)

ENTRY_POINT = "aniworld.providers"

__all__ = [
    "ListedEpisode",
    "ListedSeries",
    "Listing",
    "Media",
    "Provider",
    "ProviderError",
    "SourceOptions",
    "Trouble",
    "Version",
    "find_provider",
    "get_provider_types",
]


@cache
def get_provider_types() -> MappingProxyType[str, type[Provider]]:
    """Return all kinds of sources by name, our own first; one that cannot be loaded is logged and left out."""
    found: dict[str, type[Provider]] = {
        kind.kind: kind for kind in (CatalogueProvider, FeedProvider, YtDlpProvider)
    }
    for point in entry_points(group=ENTRY_POINT):
        try:
            found.setdefault(point.name, point.load())
        except Exception:
            logger.exception("The provider %s cannot be loaded", point.name)
    return MappingProxyType(found)


def find_provider(options: SourceOptions) -> tuple[type[Provider], Listing]:
    """Return the kind of source that is at an address, and what it has; kinds that are not guessed are not tried.

    Raises:
        ProviderError: the address cannot be read, or nothing of ours is there.
    """
    problem: ProviderError | None = None
    # One that another package brings may not know the question.
    guessed = [
        kind
        for kind in get_provider_types().values()
        if getattr(kind, "is_guessed", True)
    ]
    for kind in guessed:
        try:
            if listing := kind(options).read():
                return kind, listing
        except GuardError:
            raise
        except ProviderError as error:
            if error.trouble is not Trouble.PERMANENT:
                raise
            problem = problem or error
    if len(guessed) > 1 and problem is not None:
        kinds = " or ".join(kind.label for kind in guessed)
        raise ProviderError(
            f"Expected a {kinds} at {options.url[:200]}. {problem}",
            trouble=Trouble.PERMANENT,
        )
    raise problem or ProviderError("There is no kind of source.")
