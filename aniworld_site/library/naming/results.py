"""What is told about a name: its parts, and for each the reason and how sure it is."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SURE = 0.85
PACK = "season alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a field has its value."""

    reason: str
    """A sentence for a person."""
    confidence: float
    """0.0-1.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedName:
    """What a path says about the video it leads to."""

    kind: Literal["episode", "extra", "unknown"]
    title: str
    year: int | None
    season: int | None
    """0 for specials; `None` when the name is numbered absolutely, or says nothing."""
    episodes: tuple[int, ...]
    absolute: tuple[int, ...]
    label: str | None
    """A number between two episodes, such as "12.5"."""
    date: datetime.date | None
    version: int
    part: int | None
    group: str | None
    resolution: str | None
    ids: Mapping[str, str]
    confidence: float
    """0.0-1.0, of the numbers together."""
    how: str
    """Which reading the numbers are from, up to 40 characters."""
    findings: Mapping[str, Finding]
    """By field name; only fields that were found."""

    @property
    def is_sure(self) -> bool:
        """Whether it may be linked without asking a person."""
        return self.kind == "episode" and self.confidence >= SURE


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContext:
    """What the name of a series folder says."""

    title: str
    year: int | None
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One reading of the numbers in a name."""

    how: str
    reason: str
    confidence: float
    episodes: tuple[int, ...] = ()
    season: int | None = None
    absolute: tuple[int, ...] = ()
    label: str | None = None
    date: datetime.date | None = None
    version: int = 1
    part: int | None = None
    start: int = -1
    """Where it begins in the name: the title is before it. Negative when that is not known."""

    @property
    def told(self) -> tuple[object, ...]:
        """What two readings must have in common to agree."""
        return self.episodes, self.label, self.date
