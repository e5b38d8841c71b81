"""Season and episode in one number: "103", "1013", "101-103", "103.104", "10708". Never sure without a folder."""

from __future__ import annotations

import re
from dataclasses import replace

from aniworld_site.library.naming.dates import read_date
from aniworld_site.library.naming.found import Found
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import spread

LAST_SEASON = 40
# Of four digits more likely count from the start when their last two are above this: few seasons are as long.
LAST_EPISODE = 40
_DOUBLE = re.compile(r"(?<!\w)(\d{1,2})(\d\d)[ ._](\1)(\d\d)(?!\w)")
_PACKED = re.compile(r"(?<!\w)(\d{1,2})(\d\d)(\d\d)(?=\s)")
_PAIR = re.compile(r"(?!(\d\d)-\1)(\d{1,2})-(0[1-9]|[1-9]\d)(?=\.?\s{1,2}[^\W\d])")
_THREE = re.compile(r"(?<=[\s._\[])(?P<a>[1-9]\d\d)(?=[\s._\])]|$)")
_DASH_NUMBER = re.compile(r"\s-\s*\d{1,2}(?=\s|$|v\d)")
_LOOSE = {
    "number after the title",
    "number at the start",
    "number after a dash",
    "absolute",
    "absolute range",
}


def split_hundreds(digits: str) -> tuple[int, int] | None:
    """Split "103" or "1013" into season and episode, unless it cannot well be that."""
    season, episode = int(digits[:-2] or 0), int(digits[-2:])
    fits = 0 < season < LAST_SEASON and 0 < episode <= (
        LAST_EPISODE if len(digits) == 4 else 99
    )
    return (season, episode) if fits else None


def read_hundreds(found: Found, folder_season: int | None) -> Numbers | None:
    """Read a plain number, or a range of them, as season and episode."""
    digits = found.digits
    if found.how not in _LOOSE or len(digits) not in {3, 4} or digits.startswith("00"):
        return None
    if digits.startswith("0") and len(digits) == 3:
        return None
    first, last = split_hundreds(digits), split_hundreds(str(found.numbers[-1]))
    if (
        first is None
        or last is None
        or first[0] != last[0]
        or folder_season not in {None, first[0]}
    ):
        return None
    agrees = folder_season == first[0]
    numbers = _reading(
        digits, first[0], spread(first[1], last[1]), found.start, agrees=agrees
    )
    # " - 103 - " is written of absolute numbers as often, so that other parsers may outvote this.
    return (
        replace(numbers, confidence=0.5)
        if found.how == "absolute" and not agrees
        else numbers
    )


def _reading(
    digits: str, season: int, episodes: tuple[int, ...], start: int, *, agrees: bool
) -> Numbers:
    told = (
        ", and so does its folder."
        if agrees
        else "; it may as well count from the start."
    )
    span = (
        f"episode {episodes[0]}"
        if len(episodes) == 1
        else f"episodes {episodes[0]} to {episodes[-1]}"
    )
    return Numbers(
        how="three digits",
        reason=f"The number {digits} reads as season {season}, {span}{told}",
        confidence=0.9 if agrees else 0.55,
        season=season,
        episodes=episodes,
        start=start,
    )


def read_combined(flat: str, masked: str, folder_season: int | None) -> Numbers | None:
    """Read what only names of series that are no anime have: "11-02 Title", "103.104", "10708", "101" before a day."""
    return (
        _read_pair(flat, folder_season)
        or _read_double(flat)
        or _read_before_date(masked)
    )


def _read_pair(flat: str, folder_season: int | None) -> Numbers | None:
    match = _PAIR.match(flat)
    if match is None:
        return None
    season, episode = int(match[2]), int(match[3])
    return _reading(match[0], season, (episode,), 0, agrees=folder_season == season)


def _read_double(flat: str) -> Numbers | None:
    match = _DOUBLE.search(flat) or _PACKED.search(flat)
    if match is None:
        return None
    season, first, last = int(match[1]), int(match[2]), int(match[match.lastindex or 3])
    if season == 0 or last != first + 1:
        return None
    return _reading(
        match[0].strip(), season, (first, last), match.start(), agrees=False
    )


def _read_before_date(masked: str) -> Numbers | None:
    """Read "101" in "Show.101.Event.2010.11.23", where a day is named besides."""
    dated = read_date(masked)
    match = None if dated is None else _THREE.search(masked, 0, dated.start)
    if dated is None or match is None:
        return None
    split = split_hundreds(match["a"])
    if split is None:
        return replace(dated, confidence=0.6)
    return replace(
        _reading(match["a"], split[0], (split[1],), match.start(), agrees=False),
        date=dated.date,
    )


def read_file_range(found: Found) -> Numbers | None:
    """Read "03-20" of one file as season 3, episode 20: it hardly holds eighteen episodes."""
    first, last = found.numbers[0] if found.numbers else 0, found.numbers[-1:]
    if found.how != "absolute range" or len(found.numbers) < 3:
        return None
    if not 0 < first < LAST_SEASON or len(found.digits) > 2 or last[0] > 99:
        return None
    return _reading(
        f"{found.digits}-{last[0]:02}", first, last, found.start, agrees=False
    )


def read_within(flat: str, folder_season: int) -> Numbers | None:
    """Read "401" in the folder of season 4, wherever in the name it is."""
    if _DASH_NUMBER.search(flat) is not None:
        return None
    for match in _THREE.finditer(flat):
        split = split_hundreds(match["a"])
        if split is not None and split[0] == folder_season:
            return _reading(
                match["a"], split[0], (split[1],), match.start(), agrees=True
            )
    return None
