"""The numbers of one name by our own patterns, with its folders in mind."""

from __future__ import annotations

import re
from dataclasses import replace

from aniworld_site.library.naming.absolute import Found, find_number, flatten
from aniworld_site.library.naming.cleaning import MASK, mask
from aniworld_site.library.naming.dates import read_date
from aniworld_site.library.naming.folders import SEASON_WORD
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import (
    read_cap,
    read_nxm,
    read_sxe,
    read_words,
    split_hundreds,
)

_ANIME = re.compile(
    r"^\s*\[(?!\s*www)(?!\d+\s*\])[^\[\]]+\]|[\[(][0-9A-Fa-f]{8}[\])]|vostfr|fansub|[\u3040-\u30ff\u4e00-\u9fff]",
    re.IGNORECASE,
)
_SEASON = re.compile(
    rf"(?<!\w)(?:s(?P<s>\d{{1,2}})|{SEASON_WORD}\s?(?P<w>\d{{1,2}})|(?P<o>\d)(?:st|nd|rd|th)\s(?:season|stage))(?!\w)(?!\s?[-&+~]\s?s\d)",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    rf"(?<![a-z])(?:ova|oad|ovd|specials?|sp)(?:\s-)?\s?(?:ep\s?)?[\[(]?(?P<a>\d{{1,3}})(?:\s?v\d)?(?![\w.])|(?:^|[\s\[-])\d{{1,3}}(?:v\d)?\]?\s*-?\s*[\[(]?(?:ova|oad|ovd|specials?|sp)(?=$|[\s\])\[({MASK}])",
    re.IGNORECASE,
)
_DOUBLE = re.compile(r"(?<![\w])(\d{1,2})(\d\d)[ ._](\1)(\d\d)(?![\w])")
_PACKED = re.compile(r"(?<![\w])(\d{1,2})(\d\d)(\d\d)(?=\s)")
_HUNDREDS = {
    "number after the title",
    "number at the start",
    "number after a dash",
    "absolute",
}


def is_anime_like(text: str) -> bool:
    """Tell from a group's tag in front, a checksum, or CJK letters that numbers are likely absolute."""
    return _ANIME.search(text) is not None


def read_name(
    text: str, *, is_anime: bool, folder_season: int | None
) -> Numbers | None:
    """Read the numbers of a narrowed name without its extension.

    Raises:
        RangeError: It claims too many episodes.
    """
    numbers = read_sxe(text)
    if numbers is not None:
        return numbers
    masked = mask(text)
    for read in (read_nxm, read_words, read_cap, read_date):
        numbers = read(masked)
        if numbers is not None:
            return numbers
    return _read_plain(flatten(masked), is_anime=is_anime, folder_season=folder_season)


def _read_plain(
    flat: str, *, is_anime: bool, folder_season: int | None
) -> Numbers | None:
    if not is_anime:
        double = _read_double(flat)
        if double is not None:
            return double
    season, start = None, None
    match = _SEASON.search(flat)
    if match is not None:
        season, start = int(next(filter(None, match.groups()))), match.start()
        flat = (
            f"{flat[:start]}{MASK * len(match[0])}{flat[match.end() :]}"
            if start
            else flat
        )
        flat = _unmask_title(flat, match)
    found = find_number(flat)
    if found is None:
        return None
    numbers = _interpret(
        found, flat, season=season, is_anime=is_anime, folder_season=folder_season
    )
    return replace(numbers, start=min(start, found.start)) if start else numbers


def _unmask_title(flat: str, match: re.Match[str]) -> str:
    """Put the number search behind the season: what is before it is the title."""
    rest = flat[match.end() :]
    return " " * match.end() + rest if re.search(r"\d", rest) else flat


def _interpret(
    found: Found,
    flat: str,
    *,
    season: int | None,
    is_anime: bool,
    folder_season: int | None,
) -> Numbers:
    numbers = found.numbered()
    if season is not None:
        return replace(
            numbers,
            season=season,
            absolute=(),
            confidence=max(numbers.confidence, 0.8)
            if numbers.confidence > 0.6
            else numbers.confidence,
            reason=f"The name says season {season}, and the number {found.label or found.digits}.",
            how=f"season + {numbers.how}",
        )
    if _SPECIAL.search(flat) is not None and folder_season in {None, 0}:
        return replace(
            numbers,
            season=0,
            absolute=(),
            how="special",
            reason=f"It is special {found.digits}.",
        )
    if not is_anime:
        hundreds = _read_hundreds(found, folder_season)
        if hundreds is not None:
            return hundreds
    if folder_season is not None:
        return _in_folder(numbers, folder_season)
    if numbers.how == "part":
        return replace(numbers, season=1, absolute=())
    return numbers


def _in_folder(numbers: Numbers, season: int) -> Numbers:
    return replace(
        numbers,
        season=season,
        absolute=(),
        how="folder + number",
        confidence=max(numbers.confidence, 0.9)
        if numbers.confidence >= 0.6
        else numbers.confidence,
        reason=f"Its folder is season {season}, and the name has the number {numbers.label or numbers.episodes[0]}.",
    )


def _read_hundreds(found: Found, folder_season: int | None) -> Numbers | None:
    digits = found.digits
    if (
        found.how not in _HUNDREDS
        or len(found.numbers) != 1
        or len(digits) not in {3, 4}
    ):
        return None
    if digits.startswith("0") and len(digits) == 3:
        return None
    split = split_hundreds(digits)
    if split is None or (folder_season is not None and split[0] != folder_season):
        return None
    agrees = folder_season == split[0]
    return Numbers(
        how="three digits",
        reason=f"The number {digits} reads as season {split[0]}, episode {split[1]}"
        + (
            ", and so does its folder."
            if agrees
            else "; it may as well count from the start."
        ),
        confidence=0.9 if agrees else 0.55,
        season=split[0],
        episodes=(split[1],),
        start=found.start,
    )


def _read_double(flat: str) -> Numbers | None:
    """Read "103.104" and "10708": two episodes in one file."""
    match = _DOUBLE.search(flat) or _PACKED.search(flat)
    if match is None:
        return None
    season, first, last = int(match[1]), int(match[2]), int(match[match.lastindex or 3])
    if season == 0 or last != first + 1:
        return None
    return Numbers(
        how="three digits, two episodes",
        reason=f"{match[0].strip()} reads as season {season}, episodes {first} and {last}.",
        confidence=0.55,
        season=season,
        episodes=(first, last),
        start=match.start(),
    )
