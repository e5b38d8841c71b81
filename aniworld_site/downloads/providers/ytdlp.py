"""A playlist or channel that yt-dlp can read, as one series. Never guessed: a person names it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

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
    clean_number,
    clean_text,
    hash_key,
    make_key,
)
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    read_host,
)
from aniworld_site.downloads.providers.proxying import Proxy
from aniworld_site.downloads.ytdlp.running import Child, ChildError, Request
from aniworld_site.downloads.ytdlp.versions import get_library

TIMEOUT_S = 120.0
MAX_BYTES = 128 * 1024 * 1024
"""Of all pages that a look at a playlist takes."""


class YtDlpProvider:
    """A playlist or channel at an address."""

    kind: ClassVar[str] = "yt-dlp"
    label: ClassVar[str] = "playlist or channel (yt-dlp)"
    is_complete: ClassVar[bool] = True
    is_guessed: ClassVar[bool] = False

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def read(self, known: Version = Version()) -> Listing:  # noqa: B008 - it is frozen
        """Return what the playlist has. Raises as `Provider.read`."""
        check_url(self._options.url, private_hosts=self._options.private_hosts)
        _check_cookies(self._options.cookies)
        try:
            found = self._ask()
        except ChildError as error:
            host = read_host(self._options.url)
            raise ProviderError(
                f"{host}: {clean_text(error, longest=400)}",
                trouble=_read_trouble(error),
            ) from error
        return self._list(found)

    def _ask(self) -> Mapping[str, Any]:
        options = self._options
        with Proxy(private_hosts=options.private_hosts, max_bytes=MAX_BYTES) as proxy:
            request = Request(
                do="list",
                url=options.url,
                proxy=proxy.url,
                cookies=options.cookies,
                format=options.format,
                library=get_library(Path(settings.DATA_DIR)),
            )
            with Child(request) as child:
                for message in child.hear(timeout_s=TIMEOUT_S):
                    found = message.get("listing")
                    if isinstance(found, dict):
                        return found
        raise ChildError("yt-dlp listed nothing.")

    def _list(self, found: Mapping[str, Any]) -> Listing:
        problems = Problems()
        episodes: dict[str, ListedEpisode] = {}
        entries = found.get("entries")
        for entry in entries[:MAX_EPISODES] if isinstance(entries, list) else ():
            episode = self._read(entry, problems)
            if episode is None:
                continue
            if episode.key in episodes:
                problems.add(f"{episode.title!r} is listed twice.")
            episodes.setdefault(episode.key, episode)
        if not episodes:
            raise ProviderError(
                f"There is no video at {self._options.url[:200]}.",
                trouble=Trouble.PERMANENT,
            )
        key = _make_key(found.get("id"), self._options.url)
        title = clean_text(found.get("title") or "") or self._options.url[:200]
        series = ListedSeries(
            key=key,
            title=title,
            episodes=tuple(episodes.values()),
        )
        return Listing(
            title=title,
            series=(series,),
            problems=problems.told,
            problem_count=problems.count,
        )

    def _read(self, entry: Any, problems: Problems) -> ListedEpisode | None:
        if not isinstance(entry, dict):
            problems.add("An entry is none.")
            return None
        key = _make_key(entry.get("id"), str(entry.get("url") or ""))
        title = clean_text(entry.get("title") or "") or key
        if not key:
            problems.add(
                f"An entry has no id and no address: {title or 'nothing to name it by'}."
            )
            return None
        season: int | None = 1
        number = clean_number(entry.get("episode_number"))
        if number is None:
            number = clean_number(entry.get("playlist_index"))
        elif entry.get("season_number") is not None:
            season = clean_number(entry["season_number"])
        return ListedEpisode(
            key=key,
            title=title,
            season=season,
            number=number,
            air_date=_read_date(entry.get("upload_date")),
            media=self._read_media(entry, title, problems),
        )

    def _read_media(
        self, entry: Mapping[str, Any], title: str, problems: Problems
    ) -> Media | None:
        url = str(entry.get("url") or "")
        try:
            check_url(url, private_hosts=self._options.private_hosts)
        except GuardError as error:
            problems.add(f"{title!r}: {error}")
            return None
        return Media(url=url)


def _make_key(own: object, url: str) -> str:
    """Return what a source calls something; a hash where that is too long, or it has nothing but an address."""
    return make_key(own) if own else hash_key(url)


def _check_cookies(path: str) -> None:
    if path and not Path(path).is_file():
        raise ProviderError(
            f"There is no file of cookies at {path[:200]}.", trouble=Trouble.LOGIN
        )


def _read_trouble(error: ChildError) -> Trouble:
    try:
        return Trouble(error.trouble)
    except ValueError:
        return Trouble.PASSING


def _read_date(value: object) -> date | None:
    try:
        return datetime.strptime(str(value), "%Y%m%d").date() if value else None  # noqa: DTZ007 - a day
    except ValueError:
        return None
