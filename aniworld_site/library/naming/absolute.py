"""Numbers without a season beside them: "- 12", "[12]", "Ep 12", "第12話", "01-12", "12.5"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aniworld_site.library.naming.cleaning import MASK
from aniworld_site.library.naming.folders import number_of
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import spread

_END = rf"(?=\s*(?:$|[\[(){{\]}}|{MASK}]))"
_DONE = r"(?:\s?\(?(?:end|fin|final|完|完结|完結)\)?)?"
_VER = r"(?:\s?v(?P<v>\d)(?!\d))?"
_CJK = re.compile(
    rf"第\s?(?P<a>\d{{1,4}}|[一二三四五六七八九十百]{{1,6}}(?=[話话集回]))(?:\s?[-~]\s?(?P<b>\d{{1,4}}))?\s?{_VER}{_DONE}\s?[話话集回]?"
)
_WORD = re.compile(
    r"(?<![a-z])(?:episodes?|epis[oó]dio|episodio|[ée]pisode|folgen?|cap[ií]tulo|avsnitt|odcinek|aflevering|episodul|эпизод|серия|ova|oad|sp|ex|eps?|e|#)[\s:#-]{0,2}"
    rf"(?P<a>\d{{1,4}})(?P<d>\.\d)?{_VER}(?:\s?[-~&+]\s?(?:ep?)?\s?(?P<b>\d{{1,4}})(?![\d{MASK}]))?(?![\da-z])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"(?:(?<=[-_\[] )|(?<=[\s_\[]))(?P<a>\d{{1,4}}\.[1-9])(?:\.\d)?{_VER}(?=[\s_\])]|$)"
)
_RANGE = re.compile(
    rf"(?<![\w.-])(?P<a>\d{{1,4}})(?:v\d)?(?P<sep>\s?[-~]\s?)(?P<b>\d{{1,4}})(?P<more>(?:-\d{{1,4}}){{0,20}}){_VER}{_DONE}(?![\w-])",
    re.IGNORECASE,
)
_DASH = re.compile(
    rf"(?:^|\s)-\s*(?P<a>\d{{1,4}})(?:(?P<l>[a-d])(?=\s|$))?{_VER}{_DONE}(?P<end>{_END}|(?=\s+-\s)|(?=\s))",
    re.IGNORECASE,
)
_TIGHT = re.compile(
    rf"(?<=[^\W\d]|{MASK})-(?P<a>\d{{2,4}}){_VER}{_DONE}{_END}", re.IGNORECASE
)
_BOX = re.compile(
    rf"[\[({{]\s?(?:第|#|ep\.?)?(?P<a>\d{{1,4}}){_VER}{_DONE}[話话集]?{_VER.replace('<v>', '<w>')}\s?[\])}}]",
    re.IGNORECASE,
)
_OF = re.compile(
    r"(?<!\w)(?P<a>\d{1,3})\s?(?:of|de|von|van|din|/|(?:серия\s)?из)\s?(?P<b>\d{1,4})(?!\w)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?<![a-z])(?<!movie )(?:part|pt|chapter|teil|parte)\s?(?P<a>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)(?!\w)",
    re.IGNORECASE,
)
_LAST = re.compile(
    rf"(?<![\w.#'])(?<!-)(?<!no )(?<!vol )(?<!volume )(?<!disc )(?<!movie )(?<!film )(?P<a>\d{{1,4}}){_VER}{_DONE}(?!\w|-\w|[.,]\d|['\u2019%])",
    re.IGNORECASE,
)
_FIRST = re.compile(
    rf"^\s?(?P<a>\d{{1,4}}){_VER}{_DONE}(?=$|\s|[.\-\[({MASK}])(?!\s?-\s?\d)",
    re.IGNORECASE,
)
_STOP = re.compile(rf"[\[({{{MASK}]")
_LEAD = re.compile(r"^(?:\s*\[[^\[\]]*\]|\s*★[^\[]*|\s*\([^()]*\))+")
_NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_AFTER = re.compile(
    r"(?<!\w)(?P<a>\d{1,4})\.?\s{0,2}(?P<v>)(?:rész|серия|эпизод|b(?:ö|o)l(?:ü|u)m|blm|話|话|集)(?!\w)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19[3-9]|20[0-4])\d$")


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


_STOPS = re.compile(r"\.(?!\d)|(?<!\d)\.")
_DOTS = re.compile(r"\.(?!\d(?:\D|$))|(?<!\d)\.|(?<=\d{3})\.")


def flatten(text: str) -> str:
    """Return it with spaces for underscores, and for dots unless between a number and one more digit."""
    if " " in text or "_" in text:
        return _STOPS.sub(" ", text.replace("_", " "))
    return _DOTS.sub(" ", text)


def find_explicit(flat: str) -> Found | None:
    """Return a number only where a word beside it says that it is an episode's."""
    return _cjk(flat) or _after(flat) or _word(flat)


def find_number(flat: str) -> Found | None:
    """Return the likeliest plain number of a flattened, masked name."""
    for find in (
        _cjk,
        _after,
        _of_episode,
        _label,
        _word,
        _range,
        _dash,
        _box,
        _tight,
        _of,
        _first,
        _last,
        _part,
    ):
        found = find(flat)
        if found is not None:
            return found
    return None


def _version(match: re.Match[str]) -> int:
    return int(match["v"] or match.groupdict().get("w") or 1)


def _single(match: re.Match[str] | None, how: str, confidence: float) -> Found | None:
    if match is None:
        return None
    digits = match["a"]
    return Found(
        digits, (int(digits),), how, confidence, match.start(), _version(match)
    )


def _pair(match: re.Match[str] | None, how: str, confidence: float) -> Found | None:
    if match is None:
        return None
    first, last = int(match["a"]), int(match["b"] or match["a"])
    if last < first:
        last = first
    return Found(
        match["a"], spread(first, last), how, confidence, match.start(), _version(match)
    )


def _cjk(flat: str) -> Found | None:
    match = _CJK.search(flat)
    if match is not None and not match["a"].isdecimal():
        number = number_of(match["a"])
        return Found(
            str(number), (number,), "number in Chinese or Japanese", 0.95, match.start()
        )
    return _pair(match, "number in Chinese or Japanese", 0.95)


def _after(flat: str) -> Found | None:
    return _single(_AFTER.search(flat), "episode word behind", 0.9)


def _of_episode(flat: str) -> Found | None:
    """Find "Aflevering 5 van 12" before the word alone, so that both agree on what the 12 is."""
    found = _of(flat)
    return found if found is not None and _WORD.search(flat) is not None else None


def _word(flat: str) -> Found | None:
    match = _WORD.search(flat)
    if match is not None and match["d"]:
        label = f"{int(match['a'])}{match['d']}"
        return Found(
            match["a"],
            (),
            "number between two",
            0.8,
            match.start(),
            _version(match),
            label,
        )
    return _pair(match, "episode word", 0.9)


def _label(flat: str) -> Found | None:
    for match in _LABEL.finditer(flat):
        before = flat[: match.start()].rstrip()
        if before and (match["a"].endswith(".5") or before.endswith("-")):
            whole, _, rest = match["a"].partition(".")
            label = f"{int(whole)}.{rest}"
            return Found(
                whole,
                (),
                "number between two",
                0.9,
                match.start(),
                _version(match),
                label,
            )
    return None


def _range(flat: str) -> Found | None:
    for match in _overlapping(_RANGE, flat):
        first, last = (
            int(match["a"]),
            int((match["more"] or match["b"]).rpartition("-")[2]),
        )
        is_season = match["b"].startswith("0") and not match["a"].startswith("0")
        if (
            last <= first
            or is_season
            or (_YEAR.match(match["a"]) and _YEAR.match(match["b"]))
        ):
            continue
        if (
            " " in match["sep"]
            and "~" not in match["sep"]
            and not _is_spaced_range(flat, match)
        ):
            continue
        numbers = spread(first, last)
        return Found(
            match["a"], numbers, "absolute range", 0.75, match.start(), _version(match)
        )
    return None


def _overlapping(pattern: re.Pattern[str], flat: str) -> Iterator[re.Match[str]]:
    """Yield matches, each next one from behind the first number of the one before: "2 - 16-20" has two."""
    match = pattern.search(flat)
    while match is not None:
        yield match
        match = pattern.search(flat, match.end("a"))


def _is_spaced_range(flat: str, match: re.Match[str]) -> bool:
    follows_dash = flat[: match.start()].rstrip().endswith("-")
    return match["a"].startswith("0") and len(match["a"]) > 1 and not follows_dash


def _dash(flat: str) -> Found | None:
    best = None
    for match in _DASH.finditer(flat):
        is_closed = (
            not flat[match.end() :].lstrip()
            or flat[match.end() :].lstrip()[0] in f"-[({{{MASK}"
        )
        if _YEAR.match(match["a"]) and not is_closed:
            continue
        if is_closed:
            return _single(match, "absolute", 0.92)
        best = best or _single(match, "absolute", 0.6)
    return best


def _box(flat: str) -> Found | None:
    for match in _BOX.finditer(flat):
        if (
            match.start() == 0
            and flat[match.end() :].strip()
            and not flat.startswith("[")
        ):
            continue
        if _YEAR.match(match["a"]):
            continue
        lone = _lone(flat)
        if flat[match.start()] in "({" and lone is not None:
            continue
        return _single(
            match, "number in brackets", 0.88 if flat[match.start()] == "[" else 0.6
        )
    return None


def _lone(flat: str) -> Found | None:
    return _last(flat) or _first(flat)


def _tight(flat: str) -> Found | None:
    return _single(_TIGHT.search(flat), "number after a dash", 0.7)


def _of(flat: str) -> Found | None:
    match = _OF.search(flat)
    if match is None or not 0 < int(match["a"]) <= int(match["b"]):
        return None
    return Found(
        match["a"], (int(match["a"]),), "number of how many", 0.8, match.start()
    )


def _first(flat: str) -> Found | None:
    match = _FIRST.match(flat)
    if match is None or _YEAR.match(match["a"]):
        return None
    if _PART.search(flat) is not None and flat[match.end() :].lstrip()[:1] != "-":
        return None
    is_set_off = match["a"].startswith("0") or flat[match.end() :].lstrip()[:1] in {
        "",
        "-",
        "[",
        "(",
        ".",
        MASK,
    }
    return _single(match, "number at the start", 0.6) if is_set_off else None


def find_first(flat: str) -> Found | None:
    """Return a number at the very start even if it might be a word of the title, as in "5 Centimeters"."""
    return _single(_FIRST.match(flat), "number at the start", 0.6)


def _last(flat: str) -> Found | None:
    """Find the last number of the title, which ends at the first bracket or masked word."""
    lead = _LEAD.match(flat)
    begin = lead.end() if lead is not None else 0
    stop = _STOP.search(flat, begin)
    for end in (stop.start() if stop is not None else len(flat), len(flat)):
        matches = [
            m
            for m in _LAST.finditer(flat, begin, end)
            if not _YEAR.match(m["a"]) and m.start() > begin
        ]
        if matches:
            return _after_title(flat, matches)
    return None


def _after_title(flat: str, matches: list[re.Match[str]]) -> Found | None:
    """A number without a zero in front may belong to the title, and so may one that more words follow."""
    part, match = _PART.search(flat), matches[-1]
    if (
        part is not None
        and part.start("a") == match.start("a")
        and len(matches) > 1
        and len(matches[-2]["a"]) > 1
    ):
        match = matches[-2]
    is_single = len(match["a"]) == 1
    if part is not None and (
        part.start("a") == match.start("a")
        or (is_single and part.start() > match.end() + 3)
    ):
        return _part(flat)
    follows = flat[match.end() :].lstrip()
    is_open = follows[:1] not in {"", "[", "(", "-", MASK}
    if (
        is_open
        and match["a"][0] != "0"
        and (is_single or not _title_before(flat, match.start()))
    ):
        return None
    confidence = 0.5 if len(match["a"]) == 1 or is_open else 0.65
    return _single(match, "number after the title", confidence)


def _title_before(flat: str, position: int) -> bool:
    lead = _LEAD.match(flat)
    return bool(flat[lead.end() if lead is not None else 0 : position].strip(" -"))


def _part(flat: str) -> Found | None:
    match = _PART.search(flat)
    if match is None:
        return None
    word = match["a"].lower()
    number = int(word) if word.isdigit() else _NAMES.index(word) + 1
    return Found(str(number), (number,), "part", 0.5, match.start())
