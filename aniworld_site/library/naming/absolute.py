"""Numbers without a season beside them: "- 12", "[12]", "Ep 12", "第12話", "01-12", "12.5"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aniworld_site.library.naming.cleaning import MASK
from aniworld_site.library.naming.folders import number_of
from aniworld_site.library.naming.results import Numbers
from aniworld_site.library.naming.seasoned import follow, spread

_END = rf"(?=\s*(?:$|[\[(){{\]}}|{MASK}]))"
_DONE = r"(?:\s?\(?(?:end|fin|final|完|完结|完結)\)?)?"
_VER = r"(?:\s?v(?P<v>\d)(?!\d))?"
_CJK = re.compile(
    rf"第\s?(?P<a>\d{{1,4}}|[一二三四五六七八九十百]{{1,6}}(?=[話话集回]))(?:\s?[-~]\s?(?P<b>\d{{1,4}}))?\s?{_VER}{_DONE}\s?[話话集回]?"
)
_WORD = re.compile(
    r"(?<![a-z])(?:episodes?|epis[oó]dio|episodio|[ée]pisode|folgen?|cap[ií]tulo|avsnitt|odcinek|odc|epizod[ea]?|aflevering|episodul|эпизод|сери[яи]|ova|oad|sp|ex|eps?|e)[\s:#№-]{0,2}"
    rf"(?P<a>\d{{1,4}})(?P<d>\.\d)?{_VER}(?:\s?[-~&+]\s?(?:ep?)?\s?(?P<b>\d{{1,4}})(?![\d{MASK}]))?(?![\da-df-z]|e(?!p?\d))",
    re.IGNORECASE,
)
_SIGN = re.compile(rf"(?<![\w&])#\s?(?P<a>\d{{1,4}}){_VER}(?!\w|\.\d)")
_LABEL = re.compile(
    rf"(?:(?<=[-_\[] )|(?<=[\s_\[]))(?P<a>\d{{1,4}}\.[1-9])(?:\.\d)?{_VER}(?=[\s_\])]|$)"
)
_RANGE = re.compile(
    rf"(?<![\w.-])(?P<a>\d{{1,4}})(?:v\d)?(?P<sep>\s?[-~+&]\s?|\s(?:ao|al|to|bis)\s)(?P<b>\d{{1,4}})(?P<more>(?:-\d{{1,4}}){{0,20}}){_VER}{_DONE}(?![\w-])",
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
    rf"[\[({{]\s?(?:第|#|ep\.?)?(?P<a>\d{{1,4}}){_VER}{_DONE}[話话集]?{_VER.replace('<v>', '<w>')}(?:pre|\s?\(\d{{1,4}}\))?\s?[\])}}]",
    re.IGNORECASE,
)
_TITLED_BOX = re.compile(r"(?<=\]\[)(?P<a>0\d|\d\d)(?P<v>)\s[^\W\d][^\[\]]{0,60}\]")
_OF = re.compile(
    r"(?<!\w)(?<!\d-)(?P<a>\d{1,3})\s?(?:of|de|von|van|din|iz|/|(?:серия\s)?из)\s?(?P<b>\d{1,4})(?!\w)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?<![a-z])(?<!movie )(?:part|pt|chapter|teil|parte)\s?(?P<a>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)(?:\s(?:and|to)\s(?:part\s)?(?P<b>\d{1,2}))?(?!\w)",
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
_LEADING = re.compile(r"(?P<a>\d{1,2})(?P<v>)(?:\s-)?\s(?=\d{1,4}\s[^\W\d])")
_STOP = re.compile(rf"[\[({{{MASK}]")
_FILMS = re.compile(r"(?<![a-z])movies?\s?$", re.IGNORECASE)
_CLOSED = re.compile(_END)
_LEAD = re.compile(r"^(?:\s*\[[^\[\]]*\]|\s*★[^\[]*|\s*\([^()]*\))+")
_NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ROMANS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
_ROMAN = re.compile(
    r"(?<![A-Za-z])(?:[Ee]pisode|[Ee]p|[Pp]art|[Pp]t|[Cc]hapter)\s(?P<a>[IVX]{1,4})(?!\w)"
)
_AFTER = re.compile(
    r"(?<!\w)(?P<a>\d{1,4})(?:-?(?:[ая]|[jy]a)(?=\s))?\.?\s{0,2}(?P<v>)(?:rész|сери[яи]|ser(?=\siz)|seri[jy]?a|эпизод|b(?:ö|o)l(?:ü|u)m|blm|話|话|集)(?!\w)",
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
        _sign,
        _box,
        _tight,
        _titled_box,
        _of,
        _first,
        _last,
        _part,
        _roman,
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
    found = _pair(match, "episode word", 0.9)
    if match is None or found is None:
        return None
    more, _, doubt = follow(
        flat, -1, str(found.numbers[-1]), match.end(), separators=""
    )
    return replace(
        found,
        numbers=(*found.numbers, *more[1:]),
        confidence=0.6 if doubt else found.confidence,
    )


def _sign(flat: str) -> Found | None:
    start = _FIRST.match(flat)
    if start is not None and flat[start.end() :].startswith(" - "):
        return None
    return _single(_SIGN.search(flat), "episode word", 0.9)


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
        is_list = match["sep"] in {"+", "&"} and not match["more"]
        if is_list and len(match["a"]) < 2:
            continue
        numbers = (first, last) if is_list else spread(first, last)
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
    if int(match["a"]) == 0:
        return False
    follows_dash = flat[: match.start()].rstrip().endswith("-")
    if match["sep"].strip().isalpha():
        return follows_dash
    if follows_dash and match["a"] in {"01", "001"} and len(match["b"]) > 1:
        return _CLOSED.match(flat, match.end()) is not None
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
        if _FILMS.search(flat, 0, match.start()):
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


def _titled_box(flat: str) -> Found | None:
    """Find "[04 Title of the episode]" behind another bracket."""
    return _single(_TITLED_BOX.search(flat), "number in brackets", 0.6)


def find_box(flat: str) -> Found | None:
    """Return a number that has a bracket of its own."""
    return _box(flat)


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


def find_leading(flat: str) -> Found | None:
    """Return the first of two numbers that words follow, as in "7 - 12 Angry Men"."""
    return _single(_LEADING.match(flat), "number at the start", 0.8)


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
    if part is not None and part["b"] and part.end() == match.end():
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


def _roman(flat: str) -> Found | None:
    """Find "Part IV" and "Episode VIII"."""
    match = _ROMAN.search(flat)
    if match is None or match["a"] not in _ROMANS:
        return None
    number = _ROMANS.index(match["a"]) + 1
    return Found(str(number), (number,), "part", 0.5, match.start())


def _part(flat: str) -> Found | None:
    match = _PART.search(flat)
    if match is None:
        return None
    word = match["a"].lower()
    number = int(word) if word.isdigit() else _NAMES.index(word) + 1
    last = int(match["b"] or number)
    numbers = spread(number, last) if last >= number else (number,)
    return Found(str(number), numbers, "part", 0.5, match.start())
