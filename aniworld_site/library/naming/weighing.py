"""Which reading of a name's numbers to believe, and how much: ours, its folders', the other parsers'."""

from __future__ import annotations

from dataclasses import replace

from aniworld_site.library.naming.opinions import ask_anitomy, ask_guessit
from aniworld_site.library.naming.results import PACK, SURE, Numbers
from aniworld_site.library.naming.surroundings import Surroundings

NOTHING = Numbers(
    how="nothing", reason="No number was found in the name.", confidence=0.0
)


def weigh(
    own: Numbers | None,
    around: Surroundings,
    name: str,
    *,
    is_anime: bool,
    is_told: bool,
) -> Numbers:
    """Decide between our own reading, the folder's and the other parsers'. `is_told`: `is_anime` is no guess."""
    if around.numbers is not None and (
        own is None or own.confidence < SURE or own.how == "folder + number"
    ):
        return _with_release(own, around.numbers)
    if not name or (own is not None and own.how == PACK):
        return own or NOTHING
    if own is not None and own.confidence >= SURE:
        return _against_folder(own, around)
    if (
        own is not None
        and own.how == "three digits"
        and (is_told or own.confidence > 0.5)
    ):
        return own
    other = ask_anitomy(name)
    if own is not None and other is not None and _agree(own, other):
        return _agreed(own, "anitomy-ng")
    third, _ = ask_guessit(name, is_anime=is_anime)
    return _settle(own, other, third, around, is_anime=is_anime)


def _agree(one: Numbers, other: Numbers) -> bool:
    seasons = one.season is None or other.season is None or one.season == other.season
    return (
        seasons
        and bool(one.episodes or one.label or one.date)
        and one.told == other.told
    )


def _agreed(own: Numbers, name: str) -> Numbers:
    if "three digits" in own.how or own.how == "two numbers":
        return own
    has_gap = len(own.episodes) > 1 and own.episodes[-1] - own.episodes[0] >= len(
        own.episodes
    )
    return replace(
        own,
        confidence=0.8
        if own.confidence <= 0.5 or has_gap
        else max(own.confidence, 0.88),
        reason=f"{own.reason} So says {name}.",
    )


def _settle(
    own: Numbers | None,
    other: Numbers | None,
    third: Numbers | None,
    around: Surroundings,
    *,
    is_anime: bool,
) -> Numbers:
    if own is not None and third is not None and _agree(own, third):
        return _agreed(own, "guessit")
    if other is not None and third is not None and _agree(other, third):
        both = replace(
            third,
            confidence=SURE if own is None and len(third.episodes) == 1 else 0.6,
            reason="anitomy-ng and guessit read the same.",
        )
        return (
            own
            if own is not None and own.confidence > 0.6
            else _with_season(both, around)
        )
    if own is not None:
        return own
    if third is not None and (is_anime or (third.season or 0) > 1900):
        third = None
    if other is not None and other.season is None and _is_year(other.episodes):
        other = None
    return _with_season(third or other or NOTHING, around)


def _is_year(episodes: tuple[int, ...]) -> bool:
    return len(episodes) == 1 and 1900 < episodes[0] < 2050


def _with_season(numbers: Numbers, around: Surroundings) -> Numbers:
    if numbers.season is None and numbers.episodes and around.season is not None:
        return replace(numbers, season=around.season, absolute=())
    return numbers


def _against_folder(own: Numbers, around: Surroundings) -> Numbers:
    if own.season is None or around.season is None or own.season == around.season:
        return own
    return replace(
        own,
        confidence=0.5,
        reason=f"{own.reason} But its folder is season {around.season}.",
    )


def _with_release(own: Numbers | None, release: Numbers) -> Numbers:
    """Prefer the numbers of the release's folder, unless it holds several episodes of which the name says one."""
    is_one_of = (
        own is not None
        and set(own.episodes) < set(release.episodes)
        and own.episodes != ()
    )
    if own is not None and (
        is_one_of or (own.season == release.season and own.how == "folder + number")
    ):
        return replace(
            own, season=release.season, absolute=(), confidence=max(own.confidence, 0.9)
        )
    confidence = min(release.confidence, 0.9 if len(release.episodes) == 1 else 0.6)
    return replace(
        release, how=f"folder: {release.how}", start=-1, confidence=confidence
    )
