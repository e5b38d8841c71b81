"""From a path to all that it says: own patterns first, then anitomy-ng, then guessit, each only for what is left."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from aniworld_site.library.naming.cleaning import (
    MASK,
    find_group,
    find_resolution,
    narrow,
)
from aniworld_site.library.naming.files import is_extra, split_extension
from aniworld_site.library.naming.folders import parse_folder
from aniworld_site.library.naming.keys import match_key
from aniworld_site.library.naming.reading import is_anime_like, read_name
from aniworld_site.library.naming.results import SURE, Finding, Numbers, ParsedName
from aniworld_site.library.naming.seasoned import RangeError
from aniworld_site.library.naming.surroundings import (
    LONGEST_PATH,
    Surroundings,
    is_too_long,
    read_surroundings,
)
from aniworld_site.library.naming.weighing import NOTHING, weigh

_ABSOLUTE_PATH = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
_BRACKETS = str.maketrans("【】", "[]")
_AS_SPACES = str.maketrans("._", "  ")
_LEAD = re.compile(r"^(?:\s*\[[^\[\]]*\]|\s*★[^\[]*)+")
_VERSION = re.compile(r"(?<![a-z])\[?v(\d)(?![a-z0-9])", re.IGNORECASE)


def parse_path(path: str, *, is_anime: bool | None = None) -> ParsedName:
    r"""Return what a path relative to its root says. Never raises, and takes bounded time for any string.

    Args:
        path: With "/" between folders, or "\" where it has no "/". Its last part is the file.
        is_anime: Whether plain numbers count from the first episode; `None` leaves it to the name.
    """
    if len(path) > LONGEST_PATH:
        nowhere = read_surroundings("", is_absolute=False)
        return _refused(nowhere, f"The path is longer than {LONGEST_PATH} characters.")
    slash = "/" if "/" in path else "\\"
    folder, name = split_path(path, slash)
    stem, extension = split_extension(name)
    around = read_surroundings(
        folder, is_absolute=_ABSOLUTE_PATH.match(path) is not None
    )
    refusal = around.refusal or (
        "The name is longer than 255 bytes." if is_too_long(name) else ""
    )
    if refusal:
        return _refused(around, refusal)
    text = narrow(stem)
    likely = is_anime_like(text) if is_anime is None else is_anime
    stripped = _without_title(text, around.title)
    try:
        own = read_name(
            stripped,
            is_anime=likely,
            folder_season=around.season,
            is_file=bool(extension),
        )
    except RangeError as error:
        return _refused(around, f"That is too many for one file: {error}")
    if around.is_ignored or (
        is_extra(stem, has_episode=own is not None and own.confidence > SURE)
    ):
        return _extra(around, stem, own)
    name = "" if own is None and stripped != text else stem + extension
    if own is not None and _may_be_title(own, around.title, text, is_anime=likely):
        own = replace(own, confidence=0.5)
    numbers = weigh(own, around, name, is_anime=likely, is_told=is_anime is not None)
    return _build(numbers, around, text)


def _without_title(text: str, title: str) -> str:
    """Blank out a series' title that has a number in it, or "Mob Psycho 100" would be episode 100."""
    if not any(letter.isdigit() for letter in title):
        return text
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None else 0
    start += len(text) - start - len(text[start:].lstrip(" _."))
    end = start + len(title)
    same = (
        text[start:end].translate(_AS_SPACES).casefold()
        == title.translate(_AS_SPACES).casefold()
    )
    if not same or text[end : end + 1].isalnum():
        return text
    return f"{text[:start]}{MASK * len(title)}{text[end:]}"


def _may_be_title(own: Numbers, title: str, text: str, *, is_anime: bool) -> bool:
    """Tell whether the number may end the title, as in "Apollo 13": unpadded, and no folder says where the title ends."""
    if (
        is_anime
        or own.how != "number after the title"
        or text[own.start : own.start + 1] == "0"
    ):
        return False
    return not title or match_key(_own_title(text, own.start)) != match_key(title)


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
    return _closes_first(brackets, "[", "]") or _closes_first(brackets, "(", ")")


def _closes_first(name: str, opening: str, closing: str) -> bool:
    opened, closed = name.find(opening), name.find(closing)
    return closed >= 0 and not 0 <= opened < closed


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
    nothing = replace(NOTHING, how="refused", reason=reason)
    return _plain("unknown", around, around.title, nothing)


def _extra(around: Surroundings, stem: str, own: Numbers | None) -> ParsedName:
    """A sample says which episode it is of; an opening's number counts openings."""
    reason = (
        f"It is in {around.is_ignored!r}."
        if around.is_ignored
        else "Its name says that it is no episode."
    )
    of_episode = own is not None and own.how == "SxxEyy" and not around.is_ignored
    numbers = own if own is not None and of_episode else NOTHING
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
