"""What is missing, and where it can be had."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from aniworld_site.downloads.models import Download, SourceEpisode
from aniworld_site.library.models import MISSING, Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingEpisode:
    """An episode that is wanted and not there."""

    episode: Episode
    """With season and series."""
    offer: SourceEpisode | None
    """Where it can be had; None where no source lists it."""
    download: Download | None
    """That brings it, or failed to."""

    @property
    def reason(self) -> str:
        """Why it is not on its way, as a sentence."""
        if self.download is not None:
            said = f"Is {self.download.get_state_display()}."
            return f"{said} {self.download.reason}".strip()
        if self.offer is None:
            return "No source lists it."
        if not self.offer.url:
            return f"{self.offer.listed.source} announces it; it is not there yet."
        return ""


def list_missing(*, text: str = "", only: str = "") -> QuerySet[Episode]:
    """Return wanted, regular episodes without a file, of monitored series or (`only="all"`) of all; `only="offered"` keeps those that can be had."""
    rows = Episode.objects.filter(MISSING).select_related("season__series")
    if only != "all":
        rows = rows.filter(season__series__is_monitored=True)
    if text:
        rows = rows.filter(season__series__title__icontains=text)
    if only == "offered":
        rows = rows.filter(pk__in=_get_usable_offers().values("episode"))
    return rows.order_by(
        "season__series__sort_title",
        "season__series_id",
        "season__number",
        "number",
        "label",
    )


def list_missing_episodes(episodes: Iterable[Episode]) -> list[MissingEpisode]:
    """Add to episodes where each can be had and what brings it. Two queries."""
    chosen = list(episodes)
    offers = find_offers({each.pk for each in chosen}, only_usable=False)
    downloads: dict[int, Download] = {}
    for download in Download.objects.filter(episode__in=chosen).order_by("pk"):
        if download.is_live or download.state == Download.State.FAILED:
            downloads[download.episode_id] = download
    return [
        MissingEpisode(
            episode=episode,
            offer=offers.get(episode.pk),
            download=downloads.get(episode.pk),
        )
        for episode in chosen
    ]


def find_offers(
    episode_ids: Collection[int], *, only_usable: bool = True
) -> dict[int, SourceEpisode]:
    """Return the best offer of each episode that has one, by episode. One query for 500 episodes.

    The best has an address and a known size, of the source that is first by name.
    """
    rows = _get_usable_offers() if only_usable else _get_offers()
    ids, found = sorted(episode_ids), {}
    for at in range(0, len(ids), 500):
        chunk = rows.filter(episode__in=ids[at : at + 500])
        for offer in sorted(chunk, key=_rank, reverse=True):
            assert offer.episode_id is not None  # noqa: S101  # The query asks for it.
            found[offer.episode_id] = offer
    return found


def _rank(offer: SourceEpisode) -> tuple[bool, bool, str, int]:
    return (
        not offer.url,
        offer.size_bytes is None,
        offer.listed.source.name,
        -offer.pk,
    )


def _get_offers() -> QuerySet[SourceEpisode]:
    return SourceEpisode.objects.filter(
        withdrawn_at=None,
        listed__withdrawn_at=None,
        listed__source__is_enabled=True,
    ).select_related("listed__source")


def _get_usable_offers() -> QuerySet[SourceEpisode]:
    return _get_offers().exclude(url="")


def count_missing() -> dict[str, int]:
    """Return how many are missing of monitored series, and how many of them can be had: `{"missing", "offered"}`. One query."""
    offered = _get_usable_offers().values("episode")
    return Episode.objects.filter(MISSING, season__series__is_monitored=True).aggregate(
        missing=Count("pk"), offered=Count("pk", filter=Q(pk__in=offered))
    )
