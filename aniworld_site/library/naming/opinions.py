"""What other parsers make of a name: anitomy-ng always in reach, guessit only for what is left."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Any

import anitomy_ng

from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import RangeError, spread

# guessit takes more than linear time: each bound keeps the slowest name found below a third of a second.
LONGEST_FOR_GUESSIT = 200
MOST_DIGIT_RUNS = 16
MOST_SEPARATORS = 48
LONGEST_DIGIT_RUN = 16
_DIGITS = re.compile(r"\d+")
_SEPARATORS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"[\[\](){}]")
_HUGE_RANGE = re.compile(r"\d\s*[-~]\s*[a-z]{0,2}\d{3,}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def ask_anitomy(name: str) -> Numbers | None:
    """Return anitomy-ng's reading; `None` when it sees no number."""
    if _CONTROL.search(name):
        return None
    season, episodes, version = None, [], 1
    for element in anitomy_ng.parse(name):
        if element.kind is anitomy_ng.ElementKind.EPISODE:
            episodes.append(element.value)
        elif (
            element.kind is anitomy_ng.ElementKind.SEASON and element.value.isdecimal()
        ):
            season = int(element.value)
        elif (
            element.kind is anitomy_ng.ElementKind.RELEASE_VERSION
            and element.value.isdecimal()
        ):
            version = int(element.value)
    return _from_anitomy(season, episodes, version)


def _from_anitomy(
    season: int | None, episodes: list[str], version: int
) -> Numbers | None:
    label = next(
        (f"{float(e):g}" for e in episodes if re.fullmatch(r"\d{1,4}\.\d", e)), None
    )
    whole = sorted({int(e) for e in episodes if e.isdecimal() and len(e) < 6})
    if not whole and label is None:
        return None
    if len(whole) == 2:
        try:
            whole = list(spread(*whole))
        except RangeError:
            return None
    numbers = () if label is not None else tuple(whole)
    return Numbers(
        how="anitomy",
        reason="Read by anitomy-ng alone.",
        confidence=0.5,
        season=season,
        episodes=numbers,
        absolute=numbers if season is None else (),
        label=label,
        version=version,
    )


def fits_guessit(name: str) -> bool:
    """Tell whether guessit may see the name: it takes seconds for hostile ones."""
    runs = _DIGITS.findall(name)
    return (
        len(name) <= LONGEST_FOR_GUESSIT
        and len(runs) <= MOST_DIGIT_RUNS
        and max(map(len, runs), default=0) <= LONGEST_DIGIT_RUN
        and len(_SEPARATORS.findall(name)) <= MOST_SEPARATORS
        and len(_BRACKETS.findall(name)) <= MOST_SEPARATORS // 2
        and _HUGE_RANGE.search(name) is None
        and _CONTROL.search(name) is None
    )


@lru_cache(maxsize=1024)
def ask_guessit(path: str, *, is_anime: bool) -> tuple[Numbers | None, str]:
    """Return guessit's reading and its title; nothing for names out of bounds."""
    if not fits_guessit(path):
        return None, ""
    # Imported only when asked: it costs 0.3 s and much memory, and most libraries never need it.
    from guessit import guessit
    from guessit.api import GuessitException

    try:
        guess = guessit(path, {"type": "episode", "episode_prefer_number": is_anime})
    except GuessitException:
        return None, ""
    title = guess.get("title")
    return _from_guessit(guess), title if isinstance(title, str) else ""


def _from_guessit(guess: dict[str, Any]) -> Numbers | None:
    episodes, date = _numbers(guess.get("episode")), guess.get("date")
    absolute = _numbers(guess.get("absolute_episode"))
    seasons = _numbers(guess.get("season"))
    if len(seasons) > 1 or not (
        episodes or absolute or isinstance(date, datetime.date)
    ):
        return None
    return Numbers(
        how="guessit",
        reason="Read by guessit alone.",
        confidence=0.5,
        season=seasons[0] if seasons else None,
        episodes=episodes or absolute,
        absolute=absolute or (() if seasons else episodes),
        date=date if isinstance(date, datetime.date) and not episodes else None,
    )


def _numbers(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(sorted({number for number in values if isinstance(number, int)}))
