"""Reading `tvshow.nfo`, the file in which media centres keep what a series is."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

LARGEST_BYTES = 1 << 20
PROVIDERS = {
    "tvdb": "tvdb",
    "tvdbid": "tvdb",
    "tmdb": "tmdb",
    "tmdbid": "tmdb",
    "imdb": "imdb",
    "imdbid": "imdb",
    "imdb_id": "imdb",
    "tvmaze": "tvmaze",
    "anidb": "anidb",
    "anilist": "anilist",
    "mal": "mal",
}
LINK = re.compile(
    r"(?:thetvdb\.com/\S{0,80}?[?&/]id=|themoviedb\.org/tv/|tvmaze\.com/shows/|imdb\.com/title/|anidb\.net/anime/)((?:tt)?\d{1,10})"
)
LINK_PROVIDER = {
    "thetvdb": "tvdb",
    "themoviedb": "tmdb",
    "tvmaze": "tvmaze",
    "imdb": "imdb",
    "anidb": "anidb",
}


class NfoError(Exception):
    """The file is not a tvshow.nfo that can be used; the text says why."""


def read_ids(path: Path) -> dict[str, str]:
    """Return the identifiers in a tvshow.nfo, like `{"tvdb": "267440"}`.

    Raises:
        NfoError: It cannot be read, is over 1 MiB, or holds neither XML nor a known link.

    Source: Kodi wiki, NFO files/TV shows.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise NfoError(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_BYTES:
        raise NfoError("it is over 1 MiB")
    text = content.decode("utf-8-sig", "replace")
    try:
        return _ids_in(fromstring(text.strip()))
    except (ParseError, DefusedXmlException, ValueError) as error:
        if linked := _ids_in_links(text):
            return linked
        raise NfoError(f"it is not the XML it should be: {error}") from error


def _ids_in(root: Element) -> dict[str, str]:
    ids: dict[str, str] = {}
    for element in root:
        provider = PROVIDERS.get(
            element.get("type", "").lower()
            if element.tag == "uniqueid"
            else element.tag.lower()
        )
        value = (element.text or "").strip()
        if provider and re.fullmatch(r"(?:tt)?\d{1,10}", value):
            ids.setdefault(provider, value)
    return ids


def _ids_in_links(text: str) -> dict[str, str]:
    return {
        LINK_PROVIDER[name]: found[1]
        for found in LINK.finditer(text)
        for name in LINK_PROVIDER
        if name in found[0]
    }
