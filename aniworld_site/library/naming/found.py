"""One plain number of a name, before it is known what it counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aniworld_site.library.naming.cleaning import MASK
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import spread

END = rf"(?=\s*(?:$|[\[(){{\]}}|{MASK}]))"
DONE = r"(?:\s?\(?(?:end|fin|final|完|完结|完結)\)?)?"
VERSION = r"(?:\s?v(?P<v>\d)(?!\d))?"
FIRST = re.compile(
    rf"^\s?(?P<a>\d{{1,4}}){VERSION}{DONE}(?=$|\s|[.\-\[({MASK}])(?!\s?-\s?\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One plain number, or a range, before it is known what it counts."""

    digits: str
    numbers: tuple[int, ...]
    how: str
    confidence: float
    start: int
    version: int = 1
    label: str | None = None

    def numbered(self) -> Numbers:
        span = self.label or (
            str(self.numbers[0])
            if len(self.numbers) == 1
            else f"{self.numbers[0]} to {self.numbers[-1]}"
        )
        return Numbers(
            how=self.how,
            reason=f"The name has the number {span} and no season beside it ({self.how}).",
            confidence=self.confidence,
            episodes=self.numbers,
            absolute=self.numbers,
            label=self.label,
            version=self.version,
            start=self.start,
        )


def get_version(match: re.Match[str]) -> int:
    return int(match["v"] or match.groupdict().get("w") or 1)


def make_single(
    match: re.Match[str] | None, how: str, confidence: float
) -> Found | None:
    if match is None:
        return None
    digits = match["a"]
    return Found(
        digits, (int(digits),), how, confidence, match.start(), get_version(match)
    )


def make_pair(match: re.Match[str] | None, how: str, confidence: float) -> Found | None:
    if match is None:
        return None
    first, last = int(match["a"]), int(match["b"] or match["a"])
    if last < first:
        last = first
    return Found(
        match["a"],
        spread(first, last),
        how,
        confidence,
        match.start(),
        get_version(match),
    )
