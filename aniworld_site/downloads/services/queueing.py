"""Episodes into the queue: those that a person names, what is missing, and what a source lists newly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aniworld_site.downloads.models import Download
from aniworld_site.downloads.queueing import Refusal, queue_offers
from aniworld_site.downloads.selectors import find_offers, list_missing
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import MISSING, Episode, RootFolder, Series


@dataclass(frozen=True, kw_only=True)
class Queued:
    """What came of a wish to fetch episodes."""

    downloads: Sequence[Download]
    """The new ones."""
    refusals: Sequence[Refusal]
    """Episodes that cannot be had, and why."""


def queue_episodes(
    episodes: Iterable[Episode],
    *,
    by: str,
    root: RootFolder | None = None,
    is_forced: bool = False,
) -> Queued:
    """Put episodes into the queue, each from its best offer; also those that are there already, which then get another file.

    Raises:
        DomainError: There is no root folder to put files into.
    """
    chosen = list(episodes)
    offers = find_offers({each.pk for each in chosen})
    refusals = [
        Refusal(episode=each, reason="No source lists it with an address.")
        for each in chosen
        if each.pk not in offers
    ]
    wanted = [(each, offers[each.pk]) for each in chosen if each.pk in offers]
    downloads, refused = queue_offers(wanted, by=by, root=root, is_forced=is_forced)
    return Queued(downloads=downloads, refusals=[*refusals, *refused])


def queue_missing(
    *,
    by: str,
    series: Series | None = None,
    text: str = "",
    only: str = "",
    root: RootFolder | None = None,
    is_forced: bool = False,
) -> Queued:
    """Put all that is missing and can be had into the queue: of one series, or what `list_missing` finds by `text` and `only`.

    Raises:
        DomainError: There is no root folder to put files into.
    """
    if series is None:
        episodes = list_missing(text=text, only=only or "offered")
    else:
        episodes = Episode.objects.filter(MISSING, season__series=series)
    chosen = list(episodes.select_related("season__series"))
    offers = find_offers({each.pk for each in chosen})
    wanted = [(each, offers[each.pk]) for each in chosen if each.pk in offers]
    downloads, refused = queue_offers(wanted, by=by, root=root, is_forced=is_forced)
    return Queued(downloads=downloads, refusals=refused)


def find_episodes(series: Series, names: Collection[str]) -> list[Episode]:
    """Return episodes by names like "S01E03", "1x03" or "S02" for a whole season, in order.

    Raises:
        DomainError: One is not written so, or the series has none of it.
    """
    found: list[Episode] = []
    for name in names:
        found += _find(series, name)
    return list(dict.fromkeys(found))


def _find(series: Series, name: str) -> list[Episode]:
    season, number = _read(name)
    episodes = Episode.objects.filter(
        season__series=series, season__number=season
    ).select_related("season__series")
    if number is not None:
        episodes = episodes.filter(number=number)
    if not (rows := list(episodes)):
        raise DomainError(f"{series} has no {name}.")
    return rows


def _read(name: str) -> tuple[int, int | None]:
    text = name.strip().upper().removeprefix("S")
    season, _, number = text.replace("X", "E").partition("E")
    if not season.isdecimal() or not (number.isdecimal() or not number):
        raise DomainError(
            f"Expected an episode like S01E03, or a season like S01, got {name!r}."
        )
    return int(season[:6]), int(number[:6]) if number else None
