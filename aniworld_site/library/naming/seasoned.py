"""Numbers of a season: SxxEyy in its spellings, 1x02, "Season 1 Episode 2", "Cap.201", "103"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aniworld_site.library.naming.folders import SEASON_WORD
from aniworld_site.library.naming.results import Numbers

LONGEST_RANGE = 200
_EP = r"(?:episode|epis[oó]dio|episodio|folge|afl|ep|e)"
_SXE = re.compile(
    rf"(?:(?<![a-z0-9])(?:sn?\s?|so(?=\d[ex]\d)|t(?=\d\d?x?e\d))(?P<s>\d{{1,4}})[ ._,\-\]\[]{{0,3}}x?{_EP}[ ._]{{0,2}}-?(?P<e>\d{{1,5}})(?![0-9])"
    r"|(?<=[a-z])s(?P<s2>\d\d)e(?P<e2>\d{2,3})(?!\d)"
    r"|(?<![a-z0-9])s(?P<s3>\d{1,2}|(?:19|20)\d\d)[ ._-]?x[ ._]?(?P<e3>\d{1,3})(?![0-9])"
    r"|(?<![a-z0-9.])(?P<s4>\d{1,2})e(?P<e4>\d{2,3})(?![a-z0-9])"
    r"|(?<![a-z0-9])s(?P<s5>\d\d)\.(?P<e5>\d\d)(?=\.(?!\d{1,2}(?!\d))))",
    re.IGNORECASE,
)
_NXM = re.compile(
    r"(?:(?<![a-z0-9])(?<!\d[.,])(?P<s>\d{1,2}|(?:19|20)\d\d)[ _]?[x\u0445][ _]?(?P<e>\d{1,3})(?![0-9pi])(?!x26)"
    r"|(?<=[a-z])(?P<s2>\d)x(?P<e2>\d\d)(?![0-9a-z]))",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"(?<![a-z])(?:{SEASON_WORD}|series)[ ._:№#]{{0,2}}(?P<s>\d{{1,4}})[\s._,\-)\]\[(]{{1,4}}(?:of \d+[ ,]{{1,2}})?"
    rf"(?:episode|epis[oó]dio|episodio|[ée]pisode|folge|ep|e|cap[ií]tulo|cap|эпизод|сери[яи]|ser|aflevering)[ ._:№#]{{0,2}}(?P<e>\d{{1,4}})(?!\d)",
    re.IGNORECASE,
)
_CAP = re.compile(
    r"(?<![a-z])cap(?:[ií]tulo)?[ ._]{1,2}(?P<n>\d{3,4})(?:[_\-](?P<m>\d{3,4}))?(?!\d)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?P<sep>[ ._]?[-~&+,][ ._]?|[ ._](?:and|et|und|y|to)[ ._]|[ ._]|)(?:\[?s(?P<s>\d{1,4})[ ._]?)?(?:(?P<n>\d{1,4})x|ep?|x(?!26\d))[ ._]?(?P<e>\d{1,5})(?![0-9]|[pi](?![a-z]))",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?P<sep>[-~_&+])(?P<e>\d{1,4})(?![a-z0-9]|\.\d(?!\d)|\.000(?!\d))(?:v\d)?",
    re.IGNORECASE,
)
_SPACED = re.compile(r" (?P<sep>~|to) (?P<e>\d{1,4})(?![a-z0-9])", re.IGNORECASE)
_NEXT = re.compile(r"\.(?P<e>\d\d)(?=\.[^\W\d])")
_VERSION = re.compile(r"[ ._]?\[?v(\d)(?![a-z0-9])", re.IGNORECASE)
_HALF = re.compile(r"\.5(?![\da-z]|\.\d)", re.IGNORECASE)
_PART = re.compile(r"[ ._-]{0,3}(?:part|pt|cd)[ ._]?(\d)(?![0-9])", re.IGNORECASE)
_ABSOLUTE = re.compile(
    r"[\s._]*(?:-\s*|\(|\[)?(\d{3,4}(?:-\d{3,4})*)(?=$|[\s)\]._])(?!\s*[-.]\d\d)"
)


class RangeError(ValueError):
    """A name claims more episodes than one file can hold."""


def spread(first: int, last: int) -> tuple[int, ...]:
    """Return all numbers from one to the other.

    Raises:
        RangeError: They are more than 200.
    """
    if last - first >= LONGEST_RANGE:
        raise RangeError(f"{first} to {last} would be {last - first + 1} episodes.")
    return tuple(range(first, last + 1))


def _group(match: re.Match[str], *names: str) -> str:
    return next(match[name] for name in names if match[name] is not None)


def follow(
    text: str, season: int, first: str, position: int, *, separators: str
) -> tuple[list[int], int, bool]:
    """Collect the numbers after the first: `E01E02`, `E01-E03`, `E01-03`. Returns them, where they end, any doubt."""
    numbers, doubt = [int(first)], False
    while (match := _more(text, position, first, separators)) is not None:
        number, sep = (
            int(match["e"]),
            match["sep"].strip(" ._") or match["sep"].strip(" ."),
        )
        given = match.groupdict().get("s") or match.groupdict().get("n")
        if (
            (given is not None and int(given) != season)
            or number <= numbers[-1]
            or len(numbers) > LONGEST_RANGE
            or (match.groupdict().get("n") and len(match["e"]) < len(first))
        ):
            break
        if sep in {"-", "~", "_", "to"}:
            numbers.extend(spread(numbers[-1] + 1, number))
        else:
            doubt = doubt or number != numbers[-1] + 1
            numbers.append(number)
        position = match.end()
    return numbers, position, doubt


def _more(
    text: str, position: int, first: str, separators: str
) -> re.Match[str] | None:
    match = _MORE.match(text, position)
    if match is not None:
        return match
    bare = _BARE.match(text, position) or _SPACED.match(text, position)
    if bare is None or (bare["sep"] == "_" and "_" not in separators):
        return None
    if (
        len(bare["e"]) > max(2, len(first))
        or int(bare["e"]) - int(first) > LONGEST_RANGE
    ):
        return None
    return bare


def read_sxe(text: str) -> Numbers | None:
    """Read "S01E02" and its kin."""
    match = _SXE.search(text)
    if match is None:
        return None
    season = int(_group(match, "s", "s2", "s3", "s4", "s5"))
    first = _group(match, "e", "e2", "e3", "e4", "e5")
    numbers, end, doubt = follow(text, season, first, match.end(), separators="")
    dotted = _NEXT.match(text, end)
    if dotted is not None and int(dotted["e"]) == numbers[-1] + 1:
        numbers, end = [*numbers, int(dotted["e"])], dotted.end()
        doubt = True
    return _seasoned(
        text,
        (match.start(), end),
        season,
        numbers,
        how="SxxEyy",
        confidence=0.6 if doubt else 0.98,
    )


def read_nxm(text: str) -> Numbers | None:
    """Read "1x02" and its kin, in text whose picture sizes are masked."""
    match = _NXM.search(text)
    if match is None:
        return None
    season, first = int(_group(match, "s", "s2")), _group(match, "e", "e2")
    numbers, end, doubt = follow(text, season, first, match.end(), separators="_")
    sure = len(first) > 1 and " " not in match[0] and not doubt
    return _seasoned(
        text,
        (match.start(), end),
        season,
        numbers,
        how="1x02",
        confidence=0.96 if sure else 0.7,
    )


def _seasoned(
    text: str,
    span: tuple[int, int],
    season: int,
    numbers: Sequence[int],
    *,
    how: str,
    confidence: float,
) -> Numbers:
    start, end = span
    version, part = _VERSION.match(text, end), _PART.match(text, end)
    absolute = _ABSOLUTE.match(text, end)
    shown = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    if numbers[-1] - numbers[0] >= len(numbers):
        shown = ", ".join(map(str, numbers))
    is_half = len(numbers) == 1 and _HALF.match(text, end) is not None
    return Numbers(
        label=f"{numbers[0]}.5" if is_half else None,
        how=how,
        reason=f"The name says season {season}, episode {shown} ({how}).",
        confidence=0.8 if is_half else confidence,
        season=season,
        episodes=() if is_half else tuple(numbers),
        absolute=_absolute(absolute, len(numbers)),
        version=int(version[1]) if version is not None else 1,
        part=int(part[1]) if part is not None else None,
        start=start,
    )


def _absolute(match: re.Match[str] | None, count: int) -> tuple[int, ...]:
    if match is None:
        return ()
    numbers = tuple(int(number) for number in match[1].split("-"))
    is_padded = match[1].startswith("0")
    return (
        numbers
        if is_padded
        and len(numbers) == count
        and numbers == tuple(sorted(set(numbers)))
        else ()
    )


_DOTTED = re.compile(
    r"(?:^|(?<=\[)|(?<=- )|(?<=episode )|(?<=ep ))(?P<s>\d{1,2})\.(?P<e>\d\d|1\d\d)(?=\]|\s-\s|$)",
    re.IGNORECASE,
)


_LOOSE_PAIR = re.compile(
    r"(?:(?<=[^\W\d][-_. ])|(?<=[-_. ](?:19|20)\d\d[-_. ]))(?P<s>0?[1-9]|[1-3]\d)(?P<sep>[._])(?P<e>\d{2,3})(?:[.-]F)?$"
    r"|^(?P<s2>\d{1,2})\.(?P<e2>\d{2,3})(?=[. ][^\W\d])"
)


def read_loose_pair(text: str) -> Numbers | None:
    """Read "office_03_19", "Show.02.09" and "1.01 Title" of one file. Never sure."""
    match = _LOOSE_PAIR.search(text)
    if match is None:
        return None
    season, episode = int(_group(match, "s", "s2")), int(_group(match, "e", "e2"))
    if season == 0 or episode == 0:
        return None
    return _seasoned(
        text, match.span(), season, [episode], how="two numbers", confidence=0.55
    )


def read_dotted(text: str) -> Numbers | None:
    """Read "[5.01]", "- 6.01 -" and "Episode 1.22": two digits are no part of an episode."""
    match = _DOTTED.search(text)
    if match is None or match["e"] == "00" or match["s"] in {"0", "00"}:
        return None
    return _seasoned(
        text,
        match.span(),
        int(match["s"]),
        [int(match["e"])],
        how="1.02",
        confidence=0.7,
    )


def read_words(text: str) -> Numbers | None:
    """Read "Season 1 Episode 2" in several languages."""
    match = _WORDS.search(text)
    if match is None:
        return None
    if match["e"] and len(match["e"]) >= 3 and "cap" in match[0].lower():
        return read_cap(text)
    season = int(match["s"])
    numbers, end, doubt = follow(text, season, match["e"], match.end(), separators="")
    return _seasoned(
        text,
        (match.start(), end),
        season,
        numbers,
        how="season and episode",
        confidence=0.6 if doubt else 0.95,
    )


def read_cap(text: str) -> Numbers | None:
    """Read "Cap.201", season 2, episode 1."""
    match = _CAP.search(text)
    if match is None:
        return None
    season, first = divmod(int(match["n"]), 100)
    last = int(match["m"]) % 100 if match["m"] else first
    if first == 0 or last < first:
        return None
    word = re.search(
        rf"{SEASON_WORD}[ ._]{{0,2}}(\d{{1,2}})", text[: match.start()], re.IGNORECASE
    )
    start = match.start() if word is None else word.start()
    agrees = word is not None and int(word[1]) == season
    return _seasoned(
        text,
        (start, match.end()),
        season,
        spread(first, last),
        how="Cap.201",
        confidence=0.95 if agrees else 0.8,
    )
