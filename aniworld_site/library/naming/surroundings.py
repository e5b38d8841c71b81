"""What the folders above a file have in common for all files in them. Cached, since a folder has many files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from aniworld_site.library.naming.cleaning import narrow
from aniworld_site.library.naming.files import is_ignored_folder
from aniworld_site.library.naming.folders import NO_IDS, Folder, read_folder
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import RangeError, read_nxm, read_sxe

LONGEST_COMPONENT_BYTES = 255
LONGEST_PATH = 4096


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
    """Read the folders above a file. `is_absolute`: the path starts above the root, so the last title counts."""
    parts = [
        part
        for part in re.split(r"[/\\]" if "/" not in folder else "/", folder)
        if part not in {"", ".", ".."}
    ]
    if len(folder) > LONGEST_PATH or any(is_too_long(part) for part in parts):
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


def is_too_long(name: str) -> bool:
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
