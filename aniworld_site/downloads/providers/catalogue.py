"""A catalogue in JSON over HTTP, of a form that is ours and published: `docs/catalogue.schema.json`.

`python -m aniworld_site.downloads.providers.catalogue` prints that schema.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urljoin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aniworld_site.downloads.providers.base import (
    MAX_EPISODES,
    MAX_SERIES,
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
    CHECKSUM,
    MAX_KEY,
    MAX_NUMBER,
    MAX_SIZE_BYTES,
    clean_text,
)
from aniworld_site.downloads.providers.fetching import Document, Fetcher
from aniworld_site.downloads.providers.guarding import GuardError, check_url

MAX_PAGES = 200

Key = Annotated[str, Field(min_length=1, max_length=MAX_KEY)]
Text = Annotated[
    str, Field(min_length=1, max_length=10_000), AfterValidator(clean_text)
]
Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", use_attribute_docstrings=True
    )


class CatalogueEpisode(_Part):
    """One episode."""

    key: Key
    """The catalogue's own name for it, unique in its series and the same for ever."""
    title: Text
    """For people."""
    season: Number | None = None
    """0 holds the specials."""
    episode: Number | None = None
    """Number within the season."""
    absolute: Number | None = None
    """Number counted through all seasons."""
    air_date: Annotated[date, Field(strict=False)] | None = None
    """Like 2026-01-31."""
    url: Annotated[str, Field(max_length=2_000)] | None = None
    """Of the file; may be relative to the page. Missing where the episode is only announced."""
    size_bytes: Annotated[int, Field(ge=0, le=MAX_SIZE_BYTES)] | None = None
    """Of the file."""
    checksum: Annotated[str, Field(pattern=f"^{CHECKSUM.pattern}$")] | None = None
    """Of the file: `sha256:`, `sha1:`, `md5:` or `crc32:` and lower-case hexadecimal digits."""


class _SeriesHead(_Part):
    key: Key
    """The catalogue's own name for it, the same for ever."""
    title: Text
    """For people."""
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    """In which it began."""
    ids: Annotated[dict[str, str], Field(max_length=20)] = {}
    """At other providers, like {"tvmaze": "919"}; what is on disk is recognised by them."""
    image: Annotated[str, Field(max_length=2_000)] | None = None
    """Address of a poster, may be relative to the page; it is fetched once and kept."""
    episodes: list[Any] = []
    """In any order."""


class CatalogueSeries(_SeriesHead):
    """One series. It may go on at the next page, under the same key."""

    episodes: list[CatalogueEpisode] = []
    """In any order."""


class _Page(_Part):
    aniworld_catalogue: Literal[1]
    """The version of this form."""
    title: Text
    """For people."""
    series: list[Any]
    """Those of this page."""
    next: Annotated[str, Field(max_length=2_000)] | None = None
    """Address of the next page, may be relative; missing or null on the last."""


class Catalogue(_Page):
    """One page of a catalogue. A catalogue whose first page is unchanged (ETag, Last-Modified) counts as unchanged."""

    series: list[CatalogueSeries]
    """Those of this page."""


class CatalogueProvider:
    """A catalogue at an address."""

    kind: ClassVar[str] = "catalogue"
    label: ClassVar[str] = "JSON catalogue"
    is_complete: ClassVar[bool] = True
    are_sizes_exact: ClassVar[bool] = True
    is_guessed: ClassVar[bool] = True

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def read(self, known: Version = Version()) -> Listing | None:  # noqa: B008 - it is frozen
        """Return what the catalogue has, all pages of it; None where it did not change. Raises as `Provider.read`."""
        problems = Problems()
        series: dict[str, ListedSeries] = {}
        first: tuple[str, Version] | None = None
        with Fetcher(self._options) as fetcher:
            for document, page in self._fetch_pages(fetcher, known):
                first = first or (page.title or document.url, document.version)
                for each in page.series:
                    self._add(series, each, document.url, problems)
        if first is None:
            return None
        return Listing(
            title=first[0],
            series=tuple(series.values()),
            version=first[1],
            problems=problems.told,
            problem_count=problems.count,
        )

    def _fetch_pages(
        self, fetcher: Fetcher, known: Version
    ) -> Iterator[tuple[Document, _Page]]:
        seen: set[str] = set()
        url: str | None = self._options.url
        while url:
            if url in seen or len(seen) == MAX_PAGES:
                raise ProviderError(
                    f"Expected at most {MAX_PAGES} pages, each once; the page {url[:200]} is one too many.",
                    trouble=Trouble.PERMANENT,
                )
            document = fetcher.fetch(url, known=None if seen else known)
            if document is None:
                return
            seen.add(url)
            page = self._parse(document)
            yield document, page
            url = _join(document.url, page.next) if page.next else None

    def _parse(self, document: Document) -> _Page:
        """Return a page whose series are not looked at yet: one that is wrong does not spoil the others."""
        if document.type == "text/html":
            raise ProviderError(
                "There is a web page: if it has videos, say of which kind the source is.",
                trouble=Trouble.PERMANENT,
            )
        try:
            return _Page.model_validate_json(
                document.content.removeprefix(codecs.BOM_UTF8)
            )
        except ValidationError as error:
            raise ProviderError(
                f"Expected a catalogue as docs/catalogue.schema.json has it at {document.url[:200]}, got {_describe(error)}.",
                trouble=Trouble.PERMANENT,
            ) from error

    def _add(
        self,
        all_series: dict[str, ListedSeries],
        raw: Any,
        base: str,
        problems: Problems,
    ) -> None:
        try:
            found = _SeriesHead.model_validate(raw)
        except ValidationError as error:
            problems.add(f"A series was left out: {_describe(error)}.")
            return
        # As it is kept: keys that differ in what nobody sees are one.
        key = clean_text(found.key, longest=MAX_KEY)
        known = all_series.get(key)
        if known is None and len(all_series) == MAX_SERIES:
            problems.add(f"{found.title!r} was left out: {MAX_SERIES} series is all.")
            return
        listed = {each.key: each for each in known.episodes} if known else {}
        for each in found.episodes:
            if episode := self._read(each, found.title, base, problems):
                if episode.key in listed or len(listed) == MAX_EPISODES:
                    problems.add(
                        f"{found.title!r}: {episode.title!r} is one too many, or listed twice."
                    )
                    continue
                listed[episode.key] = episode
        series = known or ListedSeries(
            key=key,
            title=found.title,
            year=found.year,
            ids={
                clean_text(name, longest=40): clean_text(value, longest=40)
                for name, value in found.ids.items()
            },
            image_url=self._read_image(found, base, problems),
        )
        all_series[key] = replace(series, episodes=_sort(listed.values()))

    def _read(
        self, raw: Any, series: str, base: str, problems: Problems
    ) -> ListedEpisode | None:
        try:
            found = CatalogueEpisode.model_validate(raw)
            media = self._read_media(found, base)
        except (ValidationError, GuardError) as error:
            problems.add(f"{series!r}: an episode was left out: {_describe(error)}.")
            return None
        return ListedEpisode(
            key=clean_text(found.key, longest=MAX_KEY),
            title=found.title,
            season=found.season,
            number=found.episode,
            absolute_number=found.absolute,
            air_date=found.air_date,
            media=media,
        )

    def _read_image(self, found: _SeriesHead, base: str, problems: Problems) -> str:
        if not found.image:
            return ""
        try:
            url = _join(base, found.image)
            check_url(url, private_hosts=self._options.private_hosts)
        except GuardError as error:
            problems.add(f"{found.title!r}: its picture was left out: {error}")
            return ""
        return url

    def _read_media(self, found: CatalogueEpisode, base: str) -> Media | None:
        if not found.url:
            return None
        url = _join(base, found.url)
        check_url(url, private_hosts=self._options.private_hosts)
        return Media(
            url=url, size_bytes=found.size_bytes, checksum=found.checksum or ""
        )


def _join(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError as error:
        raise GuardError(f"Expected an address, got {url[:200]!r}.") from error


def _sort(episodes: Any) -> tuple[ListedEpisode, ...]:
    last = MAX_NUMBER + 1
    return tuple(
        sorted(
            episodes,
            key=lambda each: (
                last if each.season is None else each.season,
                last if each.number is None else each.number,
            ),
        )
    )


def _describe(error: ValidationError | GuardError) -> str:
    if isinstance(error, GuardError):
        return str(error).rstrip(".")
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "all of it"
    return f"{where}: {first['msg']}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(Catalogue.model_json_schema(), indent=2) + "\n")
