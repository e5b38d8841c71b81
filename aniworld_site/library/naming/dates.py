"""Days in names, of series that air daily."""

from __future__ import annotations

import datetime
import re

from aniworld_site.library.naming.results import Numbers

_YMD = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([ ._-])(\d{1,2})\2(\d{1,2})(?!\d)(?!\2\d\d(?!\d))"
)
_DMY = re.compile(r"(?<!\d)(\d{1,2})([ ._-])(\d{1,2})\2((?:19|20)\d\d)(?!\d)")
_PACKED = re.compile(r"(?<![\da-zA-Z])((?:19|20)\d\d)([01]\d)([0-3]\d)(?![\da-zA-Z])")
_SHORT = re.compile(r"(?<=[._ ])(\d\d)([01]\d)([0-3]\d)(?=[._ ])")
_YY = re.compile(r"(?<=[ ._])([0-3]\d)([ ._])(\d\d)\2(\d\d)(?=\2)")
EARLIEST = 1960


def _date(year: int, month: int, day: int) -> datetime.date | None:
    if month > 12 >= day:
        month, day = day, month
    try:
        found = datetime.date(year, month, day)
    except ValueError:
        return None
    return found if found.year >= EARLIEST else None


def read_date(text: str) -> Numbers | None:
    """Read "2011-04-18", "18.04.2011", "04.28.2014", "20110418" and "140722"."""
    for pattern, order, confidence in _FORMS:
        match = pattern.search(text)
        if match is None:
            continue
        numbers = [int(match[index]) for index in order]
        found = _date(
            numbers[0] + (2000 if numbers[0] < 100 else 0), numbers[1], numbers[2]
        )
        if found is not None:
            doubtful = pattern is _DMY and numbers[1] <= 12 and numbers[2] <= 12
            return Numbers(
                how="date",
                reason=f"The name has the day it aired, {found.isoformat()}.",
                confidence=0.5 if doubtful else confidence,
                date=found,
                start=match.start(),
            )
    return None


_FORMS = (
    (_YMD, (1, 3, 4), 0.95),
    (_DMY, (4, 3, 1), 0.9),
    (_PACKED, (1, 2, 3), 0.7),
    (_SHORT, (1, 2, 3), 0.5),
    (_YY, (1, 3, 4), 0.5),
)
