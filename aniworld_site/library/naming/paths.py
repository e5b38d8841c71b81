"""From a path to all that it says: own patterns first, then anitomy-ng, then guessit, each only for what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from aniworld_site.library.naming.cleaning import (
    find_group,
    find_resolution,
    narrow,
)
from aniworld_site.library.naming.files import (
    is_extra,
    is_ignored_folder,
    split_extension,
)
from aniworld_site.library.naming.folders import (
    NO_IDS,
    Folder,
    parse_folder,
    read_folder,
)
from aniworld_site.library.naming.opinions import ask_anitomy, ask_guessit
from aniworld_site.library.naming.reading import is_anime_like, read_name
from aniworld_site.library.naming.results import SURE, Finding, Numbers, ParsedName
from aniworld_site.library.naming.seasoned import RangeError, read_nxm, read_sxe

LONGEST_COMPONENT_BYTES = 255
LONGEST_PATH = 4096
_ABSOLUTE_PATH = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
_BRACKETS = str.maketrans("【】", "[]")
_LEAD = re.compile(r"^(?:\s*\[[^\[\]]*\]|\s*★[^\[]*)+")
_VERSION = re.compile(r"(?<![a-z])\[?v(\d)(?![a-z0-9])", re.IGNORECASE)
_NONE = Numbers(
    how="nothing", reason="No number was found in the name.", confidence=0.0
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all files of one folder have in common."""

    title: str
    year: int | None
    ids: Mapping[str, str]
    season: int | None
    is_ignored: str
    """The name of an ignored folder on the way, else ""."""
    numbers: Numbers | None
    """What the last folder's name says, as of a release that holds one file."""
    refusal: str


@lru_cache(maxsize=4096)
def read_surroundings(folder: str, *, is_absolute: bool) -> Surroundings:
    """Read the folders above a file; cached, since a folder has many files."""
    parts = [
        part
        for part in re.split(r"[/\\]" if "/" not in folder else "/", folder)
        if part not in {"", ".", ".."}
    ]
    if len(folder) > LONGEST_PATH or any(_is_too_long(part) for part in parts):
        return Surroundings(
            "",
            None,
            NO_IDS,
            None,
            "",
            None,
            "A folder's name is longer than 255 bytes.",
        )
    folders = [read_folder(part) for part in parts]
    titled = [one for one in folders if not one.is_season]
    series = (titled[-1] if is_absolute else titled[0]) if titled else None
    ignored = next((part for part in parts if is_ignored_folder(part)), "")
    return Surroundings(
        title=series.context.title if series is not None else "",
        year=series.context.year if series is not None else None,
        ids=series.context.ids if series is not None else NO_IDS,
        season=_folder_season(folders),
        is_ignored=ignored,
        numbers=_read_release(parts[-1]) if parts else None,
        refusal="",
    )


def _is_too_long(name: str) -> bool:
    return (
        len(name) * 4 > LONGEST_COMPONENT_BYTES
        and len(name.encode("utf-8", "surrogatepass")) > LONGEST_COMPONENT_BYTES
    )


def _folder_season(folders: list[Folder]) -> int | None:
    return next(
        (one.season for one in reversed(folders) if one.season is not None), None
    )


def _read_release(name: str) -> Numbers | None:
    text = narrow(name)
    try:
        return read_sxe(text) or read_nxm(text)
    except RangeError:
        return None


def parse_path(path: str, *, is_anime: bool | None = None) -> ParsedName:
    r"""Return what a path relative to its root says. Never raises, and takes bounded time for any string.

    Args:
        path: With "/" between folders, or "\" where it has no "/". Its last part is the file.
        is_anime: Whether plain numbers count from the first episode; `None` leaves it to the name.
    """
    slash = "/" if "/" in path else "\\"
    folder, name = split_path(path, slash)
    stem, extension = split_extension(name)
    around = read_surroundings(
        folder, is_absolute=_ABSOLUTE_PATH.match(path) is not None
    )
    refusal = around.refusal or (
        "The name is longer than 255 bytes." if _is_too_long(name) else ""
    )
    if refusal:
        return _refused(around, refusal)
    text = narrow(stem)
    likely = is_anime_like(text) if is_anime is None else is_anime
    try:
        own = read_name(text, is_anime=likely, folder_season=around.season)
    except RangeError as error:
        return _refused(around, f"That is too many for one file: {error}")
    if around.is_ignored or (
        is_extra(stem, has_episode=own is not None and own.confidence > SURE)
    ):
        return _extra(around, stem, own)
    numbers = _weigh(
        own, around, stem + extension, is_anime=likely, is_told=is_anime is not None
    )
    return _build(numbers, around, text)


def split_path(path: str, slash: str) -> tuple[str, str]:
    """Split off the file's name. A slash within brackets or between spaces is part of a title, not between folders."""
    folder, _, name = path.rpartition(slash)
    if slash == "/" and folder and ("[" in path or "【" in path or " / " in path):
        while folder and _is_inside(folder, name):
            folder, _, rest = folder.rpartition(slash)
            name = f"{rest}/{name}"
    return folder, name


def _is_inside(folder: str, name: str) -> bool:
    if folder.endswith(" ") and name.startswith(" "):
        return True
    brackets = name.translate(_BRACKETS)
    opened, closed = brackets.find("["), brackets.find("]")
    return closed >= 0 and not 0 <= opened < closed


def _weigh(
    own: Numbers | None,
    around: Surroundings,
    name: str,
    *,
    is_anime: bool,
    is_told: bool,
) -> Numbers:
    """Decide between our own reading, the folder's and the other parsers'. `is_told`: `is_anime` is no guess."""
    if own is None or own.confidence < SURE or own.how == "folder + number":
        release = around.numbers
        if release is not None and (
            own is None
            or own.season != release.season
            or own.episodes == release.episodes
        ):
            return replace(
                release,
                how=f"folder: {release.how}",
                start=-1,
                confidence=min(release.confidence, 0.9),
            )
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
    if "three digits" in own.how:
        return own
    return replace(
        own,
        confidence=0.8 if own.confidence <= 0.5 else max(own.confidence, 0.88),
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
            confidence=0.6 if own is not None else SURE,
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
    return _with_season(third or other or _NONE, around)


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


def _build(numbers: Numbers, around: Surroundings, text: str) -> ParsedName:
    own_title = parse_folder(_own_title(text, numbers.start))
    title = around.title or own_title.title
    year = around.year if around.title else own_title.year
    group, resolution = find_group(text), find_resolution(text)
    version = (
        _VERSION.search(text) if numbers.version == 1 and "v" in text.lower() else None
    )
    found = bool(numbers.episodes or numbers.label or numbers.date)
    return ParsedName(
        kind="episode" if found else "unknown",
        title=title,
        year=year,
        season=numbers.season if numbers.season is not None or found else around.season,
        episodes=numbers.episodes,
        absolute=numbers.absolute,
        label=numbers.label,
        date=numbers.date,
        version=int(version[1]) if version is not None else numbers.version,
        part=numbers.part,
        group=group,
        resolution=resolution,
        ids=around.ids,
        confidence=numbers.confidence,
        how=numbers.how,
        findings=_findings(numbers, around, title, year, group, resolution),
    )


def _own_title(text: str, start: int) -> str:
    head = text[:start].rstrip(" ._-[(") if start >= 0 else text
    lead = _LEAD.match(head)
    return head[lead.end() :] if lead is not None and lead.end() < len(head) else head


def _findings(
    numbers: Numbers,
    around: Surroundings,
    title: str,
    year: int | None,
    group: str | None,
    resolution: str | None,
) -> dict[str, Finding]:
    why = Finding(reason=numbers.reason, confidence=numbers.confidence)
    named = _FROM_FOLDER if around.title else _FROM_NAME
    found = {
        "episodes": (numbers, why),
        "title": (title, named),
        "year": (year, named),
        "season": (numbers.season is not None, why),
        "absolute": (numbers.absolute, why),
        "label": (numbers.label, why),
        "date": (numbers.date, why),
        "group": (group, _GROUP),
        "resolution": (resolution, _RESOLUTION),
    }
    return {field: finding for field, (value, finding) in found.items() if value}


_FROM_FOLDER = Finding(reason="It is in the series folder's name.", confidence=0.95)
_FROM_NAME = Finding(
    reason="It is what comes before the number in the name.", confidence=0.8
)
_GROUP = Finding(
    reason="It is in brackets in front, or behind the last dash.", confidence=0.8
)
_RESOLUTION = Finding(reason="It is in the name.", confidence=0.98)


def _refused(around: Surroundings, reason: str) -> ParsedName:
    nothing = replace(_NONE, how="refused", reason=reason)
    return _plain("unknown", around, around.title, nothing)


def _extra(around: Surroundings, stem: str, own: Numbers | None) -> ParsedName:
    """A sample says which episode it is of; an opening's number counts openings."""
    reason = (
        f"It is in {around.is_ignored!r}."
        if around.is_ignored
        else "Its name says that it is no episode."
    )
    of_episode = own is not None and own.how == "SxxEyy" and not around.is_ignored
    numbers = own if own is not None and of_episode else _NONE
    title = around.title or parse_folder(_own_title(stem, numbers.start)).title
    return _plain(
        "extra",
        around,
        title,
        replace(numbers, how="extra", reason=reason, confidence=0.0),
    )


def _plain(
    kind: Literal["extra", "unknown"],
    around: Surroundings,
    title: str,
    numbers: Numbers,
) -> ParsedName:
    return ParsedName(
        kind=kind,
        title=title,
        year=around.year,
        season=numbers.season,
        episodes=numbers.episodes,
        absolute=numbers.absolute,
        label=None,
        date=None,
        version=1,
        part=None,
        group=None,
        resolution=None,
        ids=around.ids,
        confidence=0.0,
        how=numbers.how,
        findings={"kind": Finding(reason=numbers.reason, confidence=0.9)},
    )
