"""The episodes of a series as a list: which files there are, where each can be had, and what brings it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q

from aniworld_site.downloads.models import LIVE_STATES, Download, SourceEpisode
from aniworld_site.downloads.selectors.missing import find_offers
from aniworld_site.downloads.selectors.queue import Row, list_rows
from aniworld_site.library.models import EpisodeFileLink, Series
from aniworld_site.library.selectors import (
    UNFOLD_UP_TO,
    Cell,
    SeasonGrid,
    list_seasons,
    unfold,
)

GROUP = 100
"""Episodes that are shown together of a season that is too long to be unfolded at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFile:
    """A file that an episode is in."""

    pk: int
    name: str
    size_bytes: int
    is_shared: bool
    """It holds other episodes, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRow:
    """One episode in the list."""

    cell: Cell
    """As in the grid."""
    tag: str
    """Like S01E03."""
    files: Sequence[HeldFile]
    offer: SourceEpisode | None
    """Where it can be had, or is announced."""
    queued: Row | None
    """What brings it, or did not."""

    @property
    def is_there(self) -> bool:
        return self.cell.state in ("there", "several")

    @property
    def state(self) -> str:
        """As in the grid, and "announced" for what a source names and does not have yet."""
        is_away = self.cell.state in ("missing", "absent")
        if is_away and self.offer is not None and not self.offer.url:
            return "announced"
        return self.cell.state

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def is_coming(self) -> bool:
        """It is in the queue."""
        return self.queued is not None and self.queued.download.is_live

    @property
    def may_queue(self) -> bool:
        has_offer = self.offer is not None and self.offer.url != ""
        return has_offer and not self.is_coming


@dataclass(slots=True, kw_only=True)
class EpisodeGroup:
    """A season, or a part of one that is long."""

    name: str
    """Like "1", or "1-2" for the second part: in addresses and ids."""
    season: SeasonGrid
    rows: list[EpisodeRow] = field(default_factory=list)
    """Of one that is folded up there are none, so that a page of a thousand episodes is no longer than of a hundred."""
    opens: list[str] = field(default_factory=list)
    """Names of the groups that are unfolded, and of this one."""


def list_episode_groups(series: Series, shown: Collection[str]) -> list[EpisodeGroup]:
    """Return all of a series' episodes by season, specials last, with rows in those that are unfolded.

    `shown` names those that are; where none of them is there, the grid's rule decides. Eight queries, and one more for each further 500
    episodes that are shown.
    """
    groups = [part for season in list_seasons(series) for part in _divide(season)]
    if any(group.name in shown for group in groups):
        for group in groups:
            group.season.is_open = group.name in shown
    else:
        unfold([group.season for group in groups])
    is_open = [group for group in groups if group.season.is_open]
    names = [group.name for group in is_open]
    for group in groups:
        group.opens = [*names, group.name]
    _fill(series, is_open)
    return groups


def _divide(season: SeasonGrid) -> Iterator[EpisodeGroup]:
    cells = season.cells
    if len(cells) <= UNFOLD_UP_TO:
        yield EpisodeGroup(name=str(season.number), season=season)
        return
    for part, at in enumerate(range(0, len(cells), GROUP), 1):
        some = cells[at : at + GROUP]
        grid = SeasonGrid(
            number=season.number,
            name=f"{season.name}, {some[0].text} to {some[-1].text}",
            cells=some,
        )
        yield EpisodeGroup(name=f"{season.number}-{part}", season=grid)


def _fill(series: Series, groups: Sequence[EpisodeGroup]) -> None:
    pks = {cell.pk for group in groups for cell in group.season.cells}
    files = _find_files(series)
    offers = find_offers(pks, only_usable=False)
    rows = _find_rows(series, pks)
    for group in groups:
        group.rows = [
            EpisodeRow(
                cell=cell,
                tag=_make_tag(group.season.number, cell.text),
                files=files.get(cell.pk, ()),
                offer=offers.get(cell.pk),
                queued=rows.get(cell.pk),
            )
            for cell in group.season.cells
        ]


def _make_tag(season: int, text: str) -> str:
    return f"S{season:02}E{text.zfill(2) if text.isdecimal() else text}"


def _find_files(series: Series) -> dict[int, list[HeldFile]]:
    links = list(
        EpisodeFileLink.objects.filter(
            episode__season__series=series, file__vanished_at=None
        )
        .order_by("file__folder", "file__name")
        .values_list("episode", "file", "file__name", "file__size_bytes")
    )
    holds = Counter(file for _, file, _, _ in links)
    found: dict[int, list[HeldFile]] = defaultdict(list)
    for episode, file, name, size_bytes in links:
        held = HeldFile(
            pk=file, name=name, size_bytes=size_bytes, is_shared=holds[file] > 1
        )
        found[episode].append(held)
    return dict(found)


def _find_rows(series: Series, pks: Collection[int]) -> dict[int, Row]:
    """Return what is in the queue, else the last try that came to nothing, by episode."""
    newer = Download.objects.filter(episode=OuterRef("episode"), pk__gt=OuterRef("pk"))
    is_live = Q(state__in=LIVE_STATES)
    is_last_try = ~Q(state=Download.State.DONE) & ~Exists(newer)
    downloads = (
        Download.objects.filter(episode__season__series=series)
        .filter(is_live | is_last_try)
        .select_related("source")
        .order_by("pk")
    )
    chosen: dict[int, Download] = {}
    for download in downloads:
        known = chosen.get(download.episode_id)
        if download.episode_id in pks and (known is None or not known.is_live):
            chosen[download.episode_id] = download
    return {row.download.episode_id: row for row in list_rows(chosen.values())}
