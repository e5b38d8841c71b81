"""The numbers of one name by our own patterns, with its folders in mind."""

from __future__ import annotations

import re
from dataclasses import replace

from aniworld_site.library.naming.absolute import (
    find_box,
    find_first,
    find_leading,
    find_number,
    flatten,
)
from aniworld_site.library.naming.cleaning import MASK, mask
from aniworld_site.library.naming.dates import read_date
from aniworld_site.library.naming.folders import SEASON_WORD, number_of
from aniworld_site.library.naming.found import Found
from aniworld_site.library.naming.hundreds import (
    read_combined,
    read_file_range,
    read_hundreds,
    read_within,
)
from aniworld_site.library.naming.results import PACK, Numbers
from aniworld_site.library.naming.seasoned import (
    read_cap,
    read_dotted,
    read_loose_pair,
    read_nxm,
    read_sxe,
    read_words,
)
from aniworld_site.library.naming.worded import find_explicit

_ANIME = re.compile(
    r"^\s*\[(?!\s*www)(?!\d+\s*\])[^\[\]]+\]|[\[(][0-9A-Fa-f]{8}[\])]|vostfr|fansub|[a-z](?:subs|raws)\]|[\u3040-\u30ff\u4e00-\u9fff]",
    re.IGNORECASE,
)
_SEASON = re.compile(
    rf"(?:(?<!\w)(?:s(?P<s>\d{{1,2}})|{SEASON_WORD}[\s:№#]{{0,3}}(?P<w>\d{{1,2}})(?:\s?of\s?\d{{1,2}})?"
    rf"|(?P<o>\d{{1,2}})(?:st|nd|rd|th|-\u0433\u043e|-\u0439|ª|º|a\.?|\.)\s{{0,2}}(?:{SEASON_WORD}|stage)"
    r"|(?<=[\w-]\s)series\s(?P<x>\d{1,2})(?=$|\s)|(?P<n>\d{1,2})\s{1,2}(?:staffel|évad|сез(?:он)?|sez(?:on)?|temporada|stagione))(?!\w)"
    r"|第(?P<c>\d{1,2}|[一二三四五六七八九十百]{1,5})[季期部])(?!\s?[-&+~]\s?s\d)",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    rf"(?<![a-z])(?:ova|oad|ovd|specials?|sp|ex)(?:\s-)?\s?(?:ep\s?)?[\[(]?(?P<a>\d{{1,3}})(?:\s?v\d)?(?![\w.])|(?:^|[\s\[-])\d{{1,3}}(?:v\d)?\]?\s*-?\s*[\[(]?(?:ova|oad|ovd|specials?|sp)(?=$|[\s\])\[({MASK}])",
    re.IGNORECASE,
)
_TAGGED = re.compile(
    r"\[[^\[\]]{1,60}\][ _]?(?P<title>[^\[\]()]{1,150}?)[ _]-[ _](?P<a>\d{2,3}|1\d{3}(?<!19\d\d))(?:v(?P<v>\d))?[ _]?(?:$|[\[(](?!\d{1,4}[\])]))"
)
_NUMBERED = re.compile(
    rf"(?:[^\d\[(]*\s-\s+|[\s{MASK}]*(?:-\s+)?)(?P<a>\d{{1,3}})(?:v(?P<v>\d))?\s-\s+(?P<rest>\S.*)$"
)
_BARE = re.compile(rf"(\d{{1,3}})(?![\w.,:'-])(?=\s*(?:$|-|[\[({MASK}]))")
_HINT = re.compile(
    rf"\bs\d|{SEASON_WORD}|stage|(?<!\d)0\d{{1,2}}$|ova|oad|ovd|special|(?<![a-z])(?:sp|ex|ep)(?![a-z])|\d(?:st|nd|rd|th|x\d)|第|\d{{4}}[.-]\d\d|\bs\d+e\d",
    re.IGNORECASE,
)
_SITE = re.compile(r"^\s*www[., ]\S{2,40}\s{1,4}-{1,2}\s{1,6}", re.IGNORECASE)
_SEASONS = re.compile(
    r"(?<!\w)(?:(?:seasons|temporadas|staffeln|saisons|сезоны)\s?:?\s?\d{1,2}(?!\d)(?:[\s,&+:-]|to|and|y|e|et|und|(?<!\d)\d{1,2}(?!\d))*"
    rf"|{SEASON_WORD}\s?:?\s?\d{{1,2}}(?:\s?(?:,|&|\+|to|and)\s?\d{{1,2}}(?!\d|\s?of\s))+|{SEASON_WORD}\s?\d(?:(?:\s\d(?!\w)){{2,}}|\s?-\s?[1-9](?!\w))"
    r"|all seasons \(?\d{1,2}-\d{1,2}\)?)",
    re.IGNORECASE,
)
_SCENE = re.compile(r"e\d\d(?!\d)", re.IGNORECASE)
_FILM = re.compile(r"(?<![a-z])movies?[\s-]{1,3}\d", re.IGNORECASE)
_DIGIT = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?!\d))\d")
_NO_EPISODE = Numbers(
    how=PACK, reason="The name says a season, and no episode.", confidence=0.0
)


def is_anime_like(text: str) -> bool:
    """Tell from a group's tag in front, a checksum, or CJK letters that numbers are likely absolute."""
    return _ANIME.search(text) is not None


def read_name(
    text: str, *, is_anime: bool, folder_season: int | None, is_file: bool = False
) -> Numbers | None:
    """Read the numbers of a narrowed name without its extension. `is_file`: it had one, so it is one file.

    Raises:
        RangeError: It claims too many episodes.
    """
    numbers = read_sxe(text) or (
        _read_tagged(text, folder_season) if is_anime else None
    )
    if numbers is not None:
        return numbers
    text = _SITE.sub(lambda match: " " * len(match[0]), text)
    masked = mask(text)
    pair = read_nxm(masked)
    if folder_season is not None:
        numbers = _read_numbered(
            flatten(masked), pair, folder_season, is_anime=is_anime
        )
        if numbers is not None:
            return numbers
    numbers = (
        pair
        or read_words(masked)
        or read_cap(masked)
        or read_dotted(masked)
        or (read_loose_pair(masked) if is_file and not is_anime else None)
    )
    if numbers is not None:
        return numbers
    flat = flatten(masked)
    combined = None if is_anime else read_combined(flat, masked, folder_season)
    if combined is not None:
        return combined
    dated = read_date(masked)
    if dated is not None and not _is_numbered(flat[: dated.start], is_anime=is_anime):
        return dated
    if dated is not None:
        flat = flat[: dated.start]
    return _read_plain(
        flat, is_anime=is_anime, folder_season=folder_season, is_file=is_file
    )


def _read_numbered(
    flat: str, pair: Numbers | None, folder_season: int, *, is_anime: bool
) -> Numbers | None:
    """Read "05 - Catch-22" and "Show - 05 - 3x3" in a season's folder: numbers behind belong to the episode's title."""
    match = _NUMBERED.match(flat)
    if match is None or int(match["a"]) == 0:
        return None
    bare = _BARE.match(match["rest"])
    if (
        bare is not None
        and len(bare[1]) > 1
        and match["a"] in {"01", "001", str(folder_season)}
    ):
        return None
    found = Found(
        match["a"],
        (int(match["a"]),),
        "number at the start",
        0.9,
        match.start("a"),
        int(match["v"] or 1),
    )
    numbers = _interpret(
        found, flat, season=None, is_anime=is_anime, folder_season=folder_season
    )
    is_other = pair is not None and pair.told != numbers.told
    return replace(numbers, confidence=0.5) if is_other or bare else numbers


def _is_numbered(before: str, *, is_anime: bool) -> bool:
    """Tell whether a number is given before the day, so that the day is when it was released."""
    return find_explicit(before) is not None or (
        is_anime and find_box(before) is not None
    )


def _read_tagged(text: str, folder_season: int | None) -> Numbers | None:
    """Read "[Group] Title - 12 (1080p) [ABCD1234]", the commonest form by far, without the long way round."""
    match = _TAGGED.match(text)
    if match is None or _HINT.search(match["title"]) is not None:
        return None
    number = int(match["a"])
    numbers = Numbers(
        how="absolute",
        reason=f"The name has the number {number} after its title, and no season.",
        confidence=0.95,
        episodes=(number,),
        absolute=(number,),
        version=int(match["v"] or 1),
        start=match.end("title"),
    )
    return numbers if folder_season is None else _in_folder(numbers, folder_season)


def _read_plain(
    flat: str, *, is_anime: bool, folder_season: int | None, is_file: bool
) -> Numbers | None:
    if not is_anime and folder_season is not None:
        within = read_within(flat, folder_season)
        if within is not None:
            return within
    season, start = None, None
    seasons = _SEASONS.search(flat)
    if seasons is not None and not (is_anime and " - " in seasons[0]):
        flat = _masked(flat, seasons)
        if find_explicit(flat) is None:
            return replace(_NO_EPISODE, start=seasons.start())
    match = _SEASON.search(flat)
    if match is not None:
        season, start = number_of(next(filter(None, match.groups()))), match.start()
        flat = _unmask_title(_masked(flat, match) if start else flat, match)
    found = _find(flat, is_in_season=folder_season is not None)
    if (
        found is None
        or (match is not None and _is_title(found, match.start()))
        or _is_film(flat, found)
    ):
        return _without_number(flat, season, match)
    numbers = _interpret(
        found, flat, season=season, is_anime=is_anime, folder_season=folder_season
    )
    if is_file and not is_anime and numbers.season is None:
        numbers = read_file_range(found) or numbers
    return replace(numbers, start=min(start, found.start)) if start else numbers


def _masked(flat: str, match: re.Match[str]) -> str:
    return f"{flat[: match.start()]}{MASK * len(match[0])}{flat[match.end() :]}"


def _find(flat: str, *, is_in_season: bool) -> Found | None:
    found = find_number(flat)
    return (find_leading(flat) or found or find_first(flat)) if is_in_season else found


def _is_title(found: Found, season_start: int) -> bool:
    """Tell "The 100 Season 1": a loose number in front of the season."""
    return (
        found.start < season_start
        and found.how == "number after the title"
        and not found.digits.startswith("0")
    )


def _is_film(flat: str, found: Found) -> bool:
    film = _FILM.search(flat)
    return (
        film is not None
        and found.how == "number after the title"
        and film.end() - 1 == found.start
    )


def _without_number(
    flat: str, season: int | None, match: re.Match[str] | None
) -> Numbers | None:
    """Say that there is a season or a film only, so that nobody else looks for episodes in it."""
    if match is not None and _DIGIT.search(flat[match.end() :]) is None:
        return replace(_NO_EPISODE, season=season, start=match.start() or -1)
    return (
        replace(_NO_EPISODE, reason="It is a film, with the number of the film.")
        if match is None and _FILM.search(flat) is not None
        else None
    )


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
    if folder_season in {None, 0} and _is_special(flat, found):
        return replace(
            numbers,
            season=0,
            absolute=(),
            how="special",
            reason=f"It is special {found.digits}.",
        )
    if not is_anime:
        hundreds = read_hundreds(found, folder_season)
        if hundreds is not None:
            return hundreds
    if folder_season is not None:
        return _in_folder(numbers, folder_season)
    if not is_anime and found.numbers[-1:] <= (12,) and _SCENE.match(flat, found.start):
        # Of a first season this long both are right; of anything later only the count from the start may be.
        return replace(numbers, season=1)
    if numbers.how in {"part", "number of how many"} and not is_anime:
        return replace(numbers, season=1, absolute=())
    return numbers


def _is_special(flat: str, found: Found) -> bool:
    """Tell "OVA2" and "01 - OVA", but not the title in "Special 7 - 10"."""
    match = _SPECIAL.search(flat)
    return match is not None and (
        match["a"] is None or not found.numbers or int(match["a"]) == found.numbers[0]
    )


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
