"""Numbers with a word beside them that says what they count: "Ep 12", "第12話", "#12", "Part 2"."""

from __future__ import annotations

import re
from dataclasses import replace

from aniworld_site.library.naming.cleaning import MASK
from aniworld_site.library.naming.folders import number_of
from aniworld_site.library.naming.found import (
    DONE,
    FIRST,
    VERSION,
    Found,
    get_version,
    make_pair,
    make_single,
)
from aniworld_site.library.naming.seasoned import follow, spread

_CJK = re.compile(
    rf"第\s?(?P<a>\d{{1,4}}|[一二三四五六七八九十百]{{1,6}}(?=[話话集回]))(?:\s?[-~]\s?(?P<b>\d{{1,4}}))?\s?{VERSION}{DONE}\s?[話话集回]?"
)
_WORD = re.compile(
    r"(?<![a-z])(?:episodes?|epis[oó]dio|episodio|[ée]pisode|folgen?|cap[ií]tulo|avsnitt|odcinek|odc|epizod[ea]?|aflevering|episodul|эпизод|сери[яи]|ova|oad|sp|ex|eps?|e)[\s:#№-]{0,2}"
    rf"(?P<a>\d{{1,4}})(?P<d>\.\d)?{VERSION}(?:\s?[-~&+]\s?(?:ep?)?\s?(?P<b>\d{{1,4}})(?![\d{MASK}]))?(?![\da-df-z]|e(?!p?\d))",
    re.IGNORECASE,
)
_SIGN = re.compile(rf"(?<![\w&])#\s?(?P<a>\d{{1,4}}){VERSION}(?!\w|\.\d)")
_OF = re.compile(
    r"(?<!\w)(?<!\d-)(?P<a>\d{1,3})\s?(?:of|de|von|van|din|iz|/|(?:серия\s)?из)\s?(?P<b>\d{1,4})(?!\w)",
    re.IGNORECASE,
)
PART = re.compile(
    r"(?<![a-z])(?<!movie )(?:part|pt|chapter|teil|parte)\s?(?P<a>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)(?:\s(?:and|to)\s(?:part\s)?(?P<b>\d{1,2}))?(?!\w)",
    re.IGNORECASE,
)
_NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ROMANS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
_ROMAN = re.compile(
    r"(?<![A-Za-z])(?:[Ee]pisode|[Ee]p|[Pp]art|[Pp]t|[Cc]hapter)\s(?P<a>[IVX]{1,4})(?!\w)"
)
_AFTER = re.compile(
    r"(?<!\w)(?P<a>\d{1,4})(?:-?(?:[ая]|[jy]a)(?=\s))?\.?\s{0,2}(?P<v>)(?:rész|сери[яи]|ser(?=\siz)|seri[jy]?a|эпизод|b(?:ö|o)l(?:ü|u)m|blm|話|话|集)(?!\w)",
    re.IGNORECASE,
)


def find_explicit(flat: str) -> Found | None:
    """Return a number only where a word beside it says that it is an episode's."""
    return find_cjk(flat) or find_after(flat) or find_word(flat)


def find_cjk(flat: str) -> Found | None:
    match = _CJK.search(flat)
    if match is not None and not match["a"].isdecimal():
        number = number_of(match["a"])
        return Found(
            str(number), (number,), "number in Chinese or Japanese", 0.95, match.start()
        )
    return make_pair(match, "number in Chinese or Japanese", 0.95)


def find_after(flat: str) -> Found | None:
    return make_single(_AFTER.search(flat), "episode word behind", 0.9)


def find_of_episode(flat: str) -> Found | None:
    """Find "Aflevering 5 van 12" before the word alone, so that both agree on what the 12 is."""
    found = find_of(flat)
    return found if found is not None and _WORD.search(flat) is not None else None


def find_word(flat: str) -> Found | None:
    match = _WORD.search(flat)
    if match is not None and match["d"]:
        label = f"{int(match['a'])}{match['d']}"
        return Found(
            match["a"],
            (),
            "number between two",
            0.8,
            match.start(),
            get_version(match),
            label,
        )
    found = make_pair(match, "episode word", 0.9)
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


def find_sign(flat: str) -> Found | None:
    start = FIRST.match(flat)
    if start is not None and flat[start.end() :].startswith(" - "):
        return None
    return make_single(_SIGN.search(flat), "episode word", 0.9)


def find_of(flat: str) -> Found | None:
    match = _OF.search(flat)
    if match is None or not 0 < int(match["a"]) <= int(match["b"]):
        return None
    return Found(
        match["a"], (int(match["a"]),), "number of how many", 0.8, match.start()
    )


def find_roman(flat: str) -> Found | None:
    """Find "Part IV" and "Episode VIII"."""
    match = _ROMAN.search(flat)
    if match is None or match["a"] not in _ROMANS:
        return None
    number = _ROMANS.index(match["a"]) + 1
    return Found(str(number), (number,), "part", 0.5, match.start())


def find_part(flat: str) -> Found | None:
    match = PART.search(flat)
    if match is None:
        return None
    word = match["a"].lower()
    number = int(word) if word.isdigit() else _NAMES.index(word) + 1
    last = int(match["b"] or number)
    numbers = spread(number, last) if last >= number else (number,)
    return Found(str(number), numbers, "part", 0.5, match.start())
