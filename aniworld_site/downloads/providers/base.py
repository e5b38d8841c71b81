"""What a source of episodes is: one small interface, and the plain values that go over it.

A provider reads what a person configured, and knows no database. All that it returns is bounded and printable; what it could not use it
tells as sentences, and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar, Protocol

MAX_SERIES = 10_000
MAX_EPISODES = 20_000
"""Of one series."""
MAX_PROBLEMS = 20
"""Told; the rest is only counted."""


class Trouble(StrEnum):
    """What kind of error it is, which decides whether and when it is tried again."""

    PERMANENT = "permanent"
    """The same request will never do: a wrong address, nothing there, not what it should be."""
    LOGIN = "login"
    """Credentials are missing or wrong."""
    THROTTLED = "throttled"
    """Asked too often; again after `retry_after_s`."""
    PASSING = "passing"
    """The network, or the server for now."""
    BUSY = "busy"
    """Another process is at the same thing; no fault of the source."""


class ProviderError(Exception):
    """A source cannot be read; the text is a sentence for a person."""

    def __init__(
        self,
        message: str,
        *,
        trouble: Trouble = Trouble.PASSING,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """What a person configured."""

    url: str
    username: str = ""
    password: str = ""
    private_hosts: frozenset[str] = frozenset()
    """Hosts that may be on this machine or the person's own network, as `guarding.read_host` writes them."""
    cookies: str = ""
    """Path of a file of cookies as browsers export it (Netscape's form); for yt-dlp."""
    format: str = ""
    """Which of a video's formats, as yt-dlp writes it; the best if left out."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a server says about the version of a document; sent back, it spares sending the same again."""

    etag: str = ""
    last_modified: str = ""

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, kw_only=True)
class Media:
    """A file that can be fetched."""

    url: str
    size_bytes: int | None = None
    """As the source says."""
    type: str = ""
    """MIME type, as the source says."""
    checksum: str = ""
    """Like `sha256:9f86…`; hexadecimal, lower case."""


@dataclass(frozen=True, kw_only=True)
class ListedEpisode:
    """An episode as its source lists it."""

    key: str
    """The source's own name for it, the same for ever."""
    title: str
    season: int | None = None
    """0 holds the specials; None where the source does not say."""
    number: int | None = None
    absolute_number: int | None = None
    air_date: date | None = None
    media: Media | None = None
    """None where it is announced and not there yet."""


@dataclass(frozen=True, kw_only=True)
class ListedSeries:
    """A series as its source lists it."""

    key: str
    """The source's own name for it, the same for ever."""
    title: str
    year: int | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """At other providers, like `{"tvmaze": "919"}`."""
    image_url: str = ""
    """Of a poster; "" for none."""
    episodes: Sequence[ListedEpisode] = ()
    """By season and number, those without in the source's order."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All that a source has."""

    title: str
    series: Sequence[ListedSeries]
    version: Version = Version()
    problems: Sequence[str] = ()
    """What could not be used, as sentences; at most 20."""
    problem_count: int = 0


class Provider(Protocol):
    """A kind of source. Made for one source and one look at it."""

    kind: ClassVar[str]
    """What it is called in commands and rows."""
    label: ClassVar[str]
    """What pages call it."""
    is_complete: ClassVar[bool]
    """Whether what a listing does not have is withdrawn; a feed only has what is new."""
    is_guessed: ClassVar[bool]
    """Whether an address may be tried as this kind without a person naming it; taken as true where a kind does not say."""

    def __init__(self, options: SourceOptions) -> None: ...

    def read(self, known: Version = ...) -> Listing | None:
        """Return what the source has; None where it is what it was at the known version.

        Raises:
            ProviderError: the source cannot be read, or is not what it should be.
        """


class Problems:
    """What a provider could not use: the first are kept, the rest is counted."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.count = 0

    def add(self, problem: str) -> None:
        self.count += 1
        if len(self.told) < MAX_PROBLEMS:
            self.told.append(problem)
