"""RSS, Atom and podcast feeds: one series, whose new episodes are listed.

Source: RSS 2.0; RFC 4287; the iTunes podcast namespace for season and episode.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from urllib.parse import urljoin

import feedparser  # type: ignore[import-untyped]  # It has no types.
from feedparser.encodings import (  # type: ignore[import-untyped]  # As above.
    convert_to_utf8,
)

from aniworld_site.downloads.providers.base import (
    MAX_EPISODES,
    ListedEpisode,
    ListedSeries,
    Listing,
    Media,
    Problems,
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
)
from aniworld_site.downloads.providers.cleaning import (
    MAX_SIZE_BYTES,
    clean_number,
    clean_text,
    make_key,
)
from aniworld_site.downloads.providers.fetching import Document, Fetcher
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    read_host,
)

SERIES_KEY = "feed"
PLAYED = ("video/", "audio/")
REGULAR = ("", "full")


class FeedProvider:
    """A feed at an address."""

    kind: ClassVar[str] = "feed"
    label: ClassVar[str] = "RSS, Atom or podcast feed"
    is_complete: ClassVar[bool] = False
    is_guessed: ClassVar[bool] = True

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def read(self, known: Version = Version()) -> Listing | None:  # noqa: B008 - it is frozen
        """Return what the feed has; None where it did not change. Raises as `Provider.read`."""
        with Fetcher(self._options) as fetcher:
            document = fetcher.fetch(self._options.url, known=known)
        return None if document is None else self._list(document)

    def _list(self, document: Document) -> Listing:
        # Not where it came from: ids would be resolved against it, and change with it.
        headers = {"content-type": document.type}
        # In whatever encoding it comes: the parser expands what is declared, also a thousand times.
        if b"<!ENTITY" in convert_to_utf8(headers, document.content, {}):
            raise ProviderError(
                f"{read_host(document.url)} declares entities in its feed, which are not read.",
                trouble=Trouble.PERMANENT,
            )
        found = feedparser.parse(document.content, response_headers=headers)
        if not found.get("version"):
            raise ProviderError(
                f"Expected an RSS or Atom feed at {self._options.url}, got {document.type or 'something else'}.",
                trouble=Trouble.PERMANENT,
            )
        problems = Problems()
        episodes: dict[str, ListedEpisode] = {}
        for entry in found.entries[:MAX_EPISODES]:
            episode = self._read(entry, document.url, problems)
            if episode is None:
                continue
            if episode.key in episodes:
                problems.add(f"{episode.title!r} is listed twice.")
            episodes.setdefault(episode.key, episode)
        if len(found.entries) > MAX_EPISODES:
            problems.add(f"Only the first {MAX_EPISODES} entries were read.")
        title = clean_text(found.feed.get("title", "")) or _get_host(document.url)
        series = ListedSeries(
            key=SERIES_KEY,
            title=title,
            image_url=self._read_image(found.feed, document.url),
            episodes=tuple(episodes.values()),
        )
        return Listing(
            title=title,
            series=(series,),
            version=document.version,
            problems=problems.told,
            problem_count=problems.count,
        )

    def _read(
        self, entry: Mapping[str, Any], base: str, problems: Problems
    ) -> ListedEpisode | None:
        title = clean_text(entry.get("title", ""))
        media = self._read_media(entry, title, base, problems)
        key = make_key(entry.get("id") or (media.url if media else ""))
        if not key or not title:
            problems.add(
                f"An entry has no {'title' if key else 'id and no enclosure'}: {title or key or 'nothing to name it by'}."
            )
            return None
        is_regular = entry.get("itunes_episodetype", "").lower() in REGULAR
        number = clean_number(entry.get("itunes_episode")) if is_regular else None
        return ListedEpisode(
            key=key,
            title=title,
            season=clean_number(entry.get("itunes_season")) if is_regular else None,
            number=number,
            air_date=_read_date(entry.get("published_parsed")),
            media=media,
        )

    def _read_image(self, feed: Mapping[str, Any], base: str) -> str:
        try:
            href = str((feed.get("image") or {}).get("href") or "")
            url = urljoin(base, href) if href else ""
            if url:
                check_url(url, private_hosts=self._options.private_hosts)
        except (GuardError, ValueError, AttributeError):
            return ""
        return url

    def _read_media(
        self, entry: Mapping[str, Any], title: str, base: str, problems: Problems
    ) -> Media | None:
        enclosures = sorted(
            (each for each in entry.get("enclosures", ()) if each.get("href")),
            key=lambda each: not str(each.get("type", "")).startswith(PLAYED),
        )
        for enclosure in enclosures:
            try:
                url = urljoin(base, str(enclosure["href"]))
                check_url(url, private_hosts=self._options.private_hosts)
            except (GuardError, ValueError) as error:
                problems.add(f"{title!r}: {error}")
                continue
            size = clean_number(enclosure.get("length"), highest=MAX_SIZE_BYTES)
            return Media(
                url=url,
                size_bytes=size or None,
                type=clean_text(enclosure.get("type", ""), longest=100),
            )
        return None


def _get_host(url: str) -> str:
    return read_host(url) or url


def _read_date(parsed: Any) -> date | None:
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC).date() if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None
