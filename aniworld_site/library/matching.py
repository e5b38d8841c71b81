"""From what a file's name says to links with episodes, many files at a time. Reads no disk."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.utils import timezone

from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Season,
    Series,
    SeriesFolder,
)
from aniworld_site.library.naming import ParsedName, printable

LARGEST_NUMBER = 9999
# A season whose lowest known number is above this is not filled from 1: more likely it counts on from the one before.
HIGHEST_FIRST = 26
LARGEST_SEASON = 2000


class Slot(NamedTuple):
    """A place in a series that an episode has."""

    season: int
    number: int
    label: str = ""


@dataclass(slots=True, kw_only=True)
class Reading:
    """One file, and what was decided about it."""

    file: EpisodeFile
    parsed: ParsedName
    folder: SeriesFolder | None
    """The row of its top folder; `None` for a file in the root itself."""
    series: Series | None = None
    slots: list[Slot] = field(default_factory=list)
    absolute: dict[Slot, int] = field(default_factory=dict)


@dataclass(slots=True)
class Catalogue:
    """The seasons and episodes of some series, read in two queries."""

    seasons: dict[tuple[int, int], int] = field(default_factory=dict)
    """(series, season number) → season."""
    episodes: dict[int, dict[Slot, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """series → slot → episode."""
    absolute: dict[int, dict[int, Slot]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """series → absolute number → slot."""
    without_file: set[int] = field(default_factory=set)
    """Episodes that have no file."""

    @classmethod
    def of(cls, series_ids: Collection[int]) -> Catalogue:
        catalogue = cls()
        for pk, series_id, number in Season.objects.filter(
            series__in=series_ids
        ).values_list("pk", "series_id", "number"):
            catalogue.seasons[series_id, number] = pk
        rows = (
            Episode.objects.filter(season__series__in=series_ids)
            .order_by()
            .values_list(
                "pk",
                "season__series_id",
                "season__number",
                "number",
                "label",
                "absolute_number",
                "has_file",
            )
        )
        for pk, series_id, season, number, label, absolute, has_file in rows:
            slot = Slot(season, number, label)
            catalogue.episodes[series_id][slot] = pk
            if absolute is not None:
                catalogue.absolute[series_id][absolute] = slot
            if not has_file:
                catalogue.without_file.add(pk)
        return catalogue


def decide(reading: Reading, catalogue: Catalogue) -> None:
    """Set the reading's slots, or leave them empty and say why on its file. What is unsure is never guessed."""
    file, parsed, series = reading.file, reading.parsed, reading.series
    file.series, file.facts = series, facts(parsed)
    if parsed.kind == "extra" or (
        reading.folder is not None and reading.folder.is_ignored
    ):
        file.match = EpisodeFile.Match.IGNORED
        file.reason = (
            "It is no episode, by its name or folder."
            if parsed.kind == "extra"
            else "Its folder is ignored."
        )
        return
    file.match = EpisodeFile.Match.UNMATCHED
    if series is None:
        file.reason = (
            reading.folder.reason if reading.folder is not None else ""
        ) or "No series could be told from its name."
    elif not parsed.is_sure:
        file.reason = _doubt(parsed)
    else:
        reading.slots, file.reason = _slots(reading, parsed, catalogue, series)
        if reading.slots:
            file.match = EpisodeFile.Match.LINKED


def _slots(
    reading: Reading, parsed: ParsedName, catalogue: Catalogue, series: Series
) -> tuple[list[Slot], str]:
    reason = (
        parsed.findings["episodes"].reason
        if "episodes" in parsed.findings
        else f"Read as {parsed.how}."
    )
    if parsed.date is not None and not parsed.episodes:
        return [
            Slot(
                parsed.date.year,
                parsed.date.month * 100 + parsed.date.day,
                parsed.date.isoformat(),
            )
        ], reason
    numbers = (
        parsed.episodes
        if parsed.season is not None
        else parsed.absolute or parsed.episodes
    )
    if not numbers and parsed.label is None:
        return [], "No episode number could be read from its name."
    if any(number > LARGEST_NUMBER for number in numbers):
        return (
            [],
            f"An episode number above {LARGEST_NUMBER} is more likely something else.",
        )
    if parsed.season is not None:
        return _labelled(parsed, parsed.season, numbers), reason
    known = catalogue.absolute[series.pk]
    if numbers and all(number in known for number in numbers):
        return [known[number] for number in numbers], reason
    if any(slot.season > 1 for slot in catalogue.episodes[series.pk]):
        return (
            [],
            "It is numbered through, while the series has seasons: which season it belongs to cannot be told.",
        )
    slots = _labelled(parsed, 1, numbers)
    reading.absolute = {slot: slot.number for slot in slots if not slot.label}
    return slots, reason


def _labelled(parsed: ParsedName, season: int, numbers: Sequence[int]) -> list[Slot]:
    if parsed.label is None:
        return [Slot(season, number) for number in numbers]
    return [
        Slot(season, numbers[0] if numbers else int(float(parsed.label)), parsed.label)
    ]


def _doubt(parsed: ParsedName) -> str:
    if not (parsed.episodes or parsed.absolute or parsed.label or parsed.date):
        return "No episode number could be read from its name."
    return f"Not sure enough to link by itself: {parsed.how}, confidence {parsed.confidence:.2f}."


def facts(parsed: ParsedName) -> dict[str, object]:
    """Return what the name says, without what it does not, as JSON can keep it."""
    values = {
        "title": parsed.title,
        "year": parsed.year,
        "season": parsed.season,
        "episodes": list(parsed.episodes),
        "absolute": list(parsed.absolute),
        "label": parsed.label,
        "date": parsed.date and parsed.date.isoformat(),
        "version": parsed.version if parsed.version > 1 else None,
        "part": parsed.part,
        "group": parsed.group,
        "resolution": parsed.resolution,
        "how": parsed.how,
        "confidence": round(parsed.confidence, 2),
    }
    # PostgreSQL refuses JSON with the lone surrogates that stand for undecodable bytes.
    return {
        name: printable(value) if isinstance(value, str) else value
        for name, value in values.items()
        if value not in (None, "", [])
    }


def link(readings: Sequence[Reading], catalogue: Catalogue) -> None:
    """Write the links that were decided, with the seasons and episodes that they need. Files must have been saved.

    Seven queries at most, whatever the number of readings; runs within the caller's transaction.
    """
    linked = [
        (reading, reading.series)
        for reading in readings
        if reading.slots and reading.series is not None
    ]
    if not linked:
        return
    wanted: dict[int, set[Slot]] = defaultdict(set)
    absolute: dict[tuple[int, Slot], int] = {}
    for reading, series in linked:
        wanted[series.pk].update(reading.slots)
        absolute |= {
            (series.pk, slot): number for slot, number in reading.absolute.items()
        }
    _add_episodes(wanted, absolute, catalogue)
    links = [
        EpisodeFileLink(
            file=reading.file,
            episode_id=catalogue.episodes[series.pk][slot],
            part=reading.parsed.part,
            how=reading.parsed.how[:40],
            confidence=reading.parsed.confidence,
        )
        for reading, series in linked
        for slot in dict.fromkeys(reading.slots)
    ]
    EpisodeFileLink.objects.bulk_create(links, ignore_conflicts=True)
    filled = {link.episode_id for link in links} & catalogue.without_file
    Episode.objects.filter(pk__in=filled).update(has_file=True)
    catalogue.without_file -= filled


def _add_episodes(
    wanted: dict[int, set[Slot]],
    absolute: dict[tuple[int, Slot], int],
    catalogue: Catalogue,
) -> None:
    """Make the rows that are not there yet, and those that must exist between known numbers: these are what is missing."""
    missing = {
        (series_id, slot)
        for series_id, slots in wanted.items()
        for slot in slots | gaps(slots | catalogue.episodes[series_id].keys())
        if slot not in catalogue.episodes[series_id]
    }
    if not missing:
        return
    seasons = {
        (series_id, slot.season) for series_id, slot in missing
    } - catalogue.seasons.keys()
    Season.objects.bulk_create(
        [
            Season(series_id=series_id, number=number)
            for series_id, number in sorted(seasons)
        ],
        ignore_conflicts=True,
    )
    if seasons:
        for pk, series_id, number in Season.objects.filter(
            series__in={series_id for series_id, _ in seasons}
        ).values_list("pk", "series_id", "number"):
            catalogue.seasons[series_id, number] = pk
    rows = [
        Episode(
            season_id=catalogue.seasons[series_id, slot.season], number=slot.number, label=slot.label, absolute_number=absolute.get((series_id, slot)),
            air_date=_air_date(slot), has_file=slot in wanted[series_id],
        )
        for series_id, slot in sorted(missing)
    ]  # fmt: skip
    # Scans of two roots may hold the same series: whichever comes second keeps the other's row.
    Episode.objects.bulk_create(rows, ignore_conflicts=True)
    fresh = Catalogue.of({series_id for series_id, _ in missing})
    catalogue.episodes.update(fresh.episodes)
    catalogue.absolute.update(fresh.absolute)
    catalogue.without_file |= fresh.without_file


def gaps(slots: Iterable[Slot]) -> set[Slot]:
    """Return the slots that must exist since later ones of their season do. Specials, dates and labels prove nothing."""
    numbers: dict[int, set[int]] = defaultdict(set)
    for slot in slots:
        if slot.season > 0 and not slot.label:
            numbers[slot.season].add(slot.number)
    found: set[Slot] = set()
    for season, known in numbers.items():
        lowest, highest = min(known), max(known)
        counts_on = (
            lowest > HIGHEST_FIRST or lowest == max(numbers.get(season - 1, {0})) + 1
        )
        if highest <= LARGEST_SEASON:
            found.update(
                Slot(season, number)
                for number in range(lowest if counts_on else 1, highest)
                if number not in known
            )
    return found


def _air_date(slot: Slot) -> datetime.date | None:
    return (
        datetime.date.fromisoformat(slot.label) if slot.label.count("-") == 2 else None
    )


def refresh_has_file(episode_ids: Collection[int]) -> None:
    """Set `has_file` of these episodes to whether a present file is linked to them. Two queries."""
    present = EpisodeFileLink.objects.filter(
        episode=OuterRef("pk"), file__vanished_at=None
    )
    episodes = Episode.objects.filter(pk__in=episode_ids)
    episodes.filter(Exists(present), has_file=False).update(has_file=True)
    episodes.filter(~Exists(present), has_file=True).update(has_file=False)


def touch_series(series_ids: Collection[int]) -> None:
    Series.objects.filter(pk__in=series_ids).update(changed_at=timezone.now())
