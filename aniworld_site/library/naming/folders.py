"""What the folders above a file say: title, year, identifiers, season."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from aniworld_site.library.naming.results import FolderContext

NO_IDS: Mapping[str, str] = MappingProxyType({})
_ID = re.compile(
    r"[\[{(]\s*(tvdb|tvmaze|tmdb|imdb|anidb|anilist|mal|tvdbid|tmdbid|imdbid)\s*[-=: ]\s*(tt\d{5,10}|\d{1,10})\s*[\]})]",
    re.IGNORECASE,
)
_YEAR = re.compile(r"[\s._]*[(\[]((?:19|20)\d\d)(?:\s?-\s?(?:(?:19|20)\d\d)?)?[)\]]")
_TAG = re.compile(r"\[[^\[\]]{0,80}\]|\{[^{}]{0,80}\}|【[^【】]{0,80}】")
_LOOSE_YEAR = re.compile(r"(?<=\S)[\s._]((?:19|20)\d\d)$")
_SPACES = re.compile(r"\s{2,}")
SEASON_WORD = r"(?:season|saison|staffel|temporada|stagione|seizoen|sez(?:on)?|s[äa]song|kausi|évad|sæson|сез(?:он)?|temp(?=[ .]?\d)|シーズン)"
_RELEASE = re.compile(
    rf"(?<=[\w)!?])[\s._\-(\[]+(?:s\d{{1,4}}(?:[\s._-]?e\d{{1,5}}|(?=[\s._\-)\]]|$))|\d{{1,2}}x\d{{2,3}}(?!\d)|{SEASON_WORD}[\s._]?\d{{1,2}}(?!\w)"
    r"|(?:480|540|576|720|1080|2160)[pi](?![a-z])|(?:blu-?ray|bdrip|web-?dl|web-?rip|hdtv|dvd-?rip)(?![a-z]))",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"\(\s*\)|\[\s*\]")
_ONLY_SEASON = re.compile(
    rf"^(?:(?:{SEASON_WORD}|s|book|volume|vol)[\s._-]{{0,3}}(\d{{1,4}})|(\d{{1,2}})(?:st|nd|rd|th|ª|º|\.)?[\s._-]?{SEASON_WORD}|第(\d{{1,2}})[季期部]|series[\s._](\d{{1,2}})$)"
    r"(?=$|[\s._\-(\[])",
    re.IGNORECASE,
)
_CHINESE = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100}
_CHINESE_SEASON = re.compile(r"(?<=.)第(\d{1,2}|[一二三四五六七八九十百]{1,5})[季期部]")
_SPECIALS = re.compile(
    r"^(?:(?:season|s)[\s._-]?0{1,2}|specials?|ovas?|oads?|onas?|sp|extras? episodes|spéciaux)$",
    re.IGNORECASE,
)
_ANY_SEASON = re.compile(
    rf"[\s._\-(\[](?:{SEASON_WORD}[\s._]{{0,2}}(\d{{1,2}})|s(\d{{1,2}})|(\d)(?:st|nd|rd|th)[\s._]season)(?=$|[\s._\-)\]])(?![\s._]?[-&+][\s._]?s?\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a path."""

    name: str
    context: FolderContext
    season: int | None
    is_season: bool
    """Whether it holds one season and has no title of its own: "Season 01", "Specials"."""


def tidy(text: str) -> str:
    """Return a title as a person writes it: dots and underscores become spaces where they stand for them."""
    if "_" in text or (" " not in text and "." in text):
        text = text.replace("_", " ").replace(".", " ")
    return _SPACES.sub(" ", _EMPTY.sub("", text)).strip(" -_.,~:;★·/|")


def number_of(digits: str) -> int:
    """Return a number below 1000 that is written with digits or in Chinese."""
    if digits.isdecimal():
        return int(digits)
    total, digit = 0, 0
    for sign in digits:
        unit = _UNITS.get(sign)
        digit = _CHINESE.index(sign) if unit is None else digit
        if unit is not None:
            total, digit = total + (digit or 1) * unit, 0
    return total + digit


@lru_cache(maxsize=4096)
def parse_folder(name: str) -> FolderContext:
    """Read the name of a series folder, as "Attack on Titan (2013) [tvdb-267440]"."""
    name = name[:1000]
    ids = {key.lower().removesuffix("id"): value for key, value in _ID.findall(name)}
    text = _ID.sub(" ", name)
    release = _RELEASE.search(text)
    text = text if release is None else text[: release.start()]
    match = _YEAR.search(text)
    year = None
    if match is not None and match.start() > 0:
        year, text = int(match[1]), text[: match.start()]
    text = _TAG.sub(" ", text).strip() or text
    loose = _LOOSE_YEAR.search(text) if year is None and " " not in text else None
    if loose is not None:
        year, text = int(loose[1]), text[: loose.start()]
    return FolderContext(title=tidy(text) or tidy(name), year=year, ids=ids or NO_IDS)


@lru_cache(maxsize=4096)
def read_folder(name: str) -> Folder:
    """Tell what one folder of a path is."""
    name = name[:1000]
    clean = name.strip()
    if _SPECIALS.match(clean):
        return Folder(name, parse_folder(""), 0, is_season=True)
    only = _ONLY_SEASON.match(clean)
    if only is not None:
        return Folder(
            name,
            parse_folder(""),
            int(next(filter(None, only.groups()))),
            is_season=True,
        )
    found = _ANY_SEASON.search(clean) or _CHINESE_SEASON.search(clean)
    season = (
        number_of(next(filter(None, found.groups()))) if found is not None else None
    )
    context = parse_folder(clean if found is None else clean[: found.start()] or clean)
    return Folder(name, context, season, is_season=False)
