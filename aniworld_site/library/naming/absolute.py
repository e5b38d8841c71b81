"""Numbers with nothing beside them that says what they count: "- 12", "[12]", "01-12", "12.5"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aniworld_site.library.naming.cleaning import MASK
from aniworld_site.library.naming.found import (
    DONE,
    END,
    FIRST,
    VERSION,
    Found,
    get_version,
    make_single,
)
from aniworld_site.library.naming.seasoned import spread
from aniworld_site.library.naming.worded import (
    PART,
    find_after,
    find_cjk,
    find_of,
    find_of_episode,
    find_part,
    find_roman,
    find_sign,
    find_word,
)

_LABEL = re.compile(
    rf"(?:(?<=[-_\[] )|(?<=[\s_\[]))(?P<a>\d{{1,4}}\.[1-9])(?:\.\d)?{VERSION}(?=[\s_\])]|$)"
)
_RANGE = re.compile(
    rf"(?<![\w.-])(?P<a>\d{{1,4}})(?:v\d)?(?P<sep>\s?[-~+&]\s?|\s(?:ao|al|to|bis)\s)(?P<b>\d{{1,4}})(?P<more>(?:-\d{{1,4}}){{0,20}}){VERSION}{DONE}(?![\w-])",
    re.IGNORECASE,
)
_DASH = re.compile(
    rf"(?:^|\s)-\s*(?P<a>\d{{1,4}})(?:(?P<l>[a-d])(?=\s|$))?{VERSION}{DONE}(?P<end>{END}|(?=\s+-\s)|(?=\s))",
    re.IGNORECASE,
)
_TIGHT = re.compile(
    rf"(?<=[^\W\d]|{MASK})-(?P<a>\d{{2,4}}){VERSION}{DONE}{END}", re.IGNORECASE
)
_BOX = re.compile(
    rf"[\[({{]\s?(?:第|#|ep\.?)?(?P<a>\d{{1,4}}){VERSION}{DONE}[話话集]?{VERSION.replace('<v>', '<w>')}(?:pre|\s?\(\d{{1,4}}\))?\s?[\])}}]",
    re.IGNORECASE,
)
_TITLED_BOX = re.compile(r"(?<=\]\[)(?P<a>0\d|\d\d)(?P<v>)\s[^\W\d][^\[\]]{0,60}\]")
_LAST = re.compile(
    rf"(?<![\w.#'])(?<!-)(?<!no )(?<!vol )(?<!volume )(?<!disc )(?<!movie )(?<!film )(?P<a>\d{{1,4}}){VERSION}{DONE}(?!\w|-\w|[.,]\d|['\u2019%])",
    re.IGNORECASE,
)
_LEADING = re.compile(r"(?P<a>\d{1,2})(?P<v>)(?:\s-)?\s(?=\d{1,4}\s[^\W\d])")
_STOP = re.compile(rf"[\[({{{MASK}]")
_FILMS = re.compile(r"(?<![a-z])movies?\s?$", re.IGNORECASE)
_CLOSED = re.compile(END)
_LEAD = re.compile(r"^(?:\s*\[[^\[\]]*\]|\s*★[^\[]*|\s*\([^()]*\))+")
_YEAR = re.compile(r"(?:19[3-9]|20[0-4])\d$")
_STOPS = re.compile(r"\.(?!\d)|(?<!\d)\.")
_DOTS = re.compile(r"\.(?!\d(?:\D|$))|(?<!\d)\.|(?<=\d{3})\.")


def flatten(text: str) -> str:
    """Return it with spaces for underscores, and for dots unless between a number and one more digit."""
    if " " in text or "_" in text:
        return _STOPS.sub(" ", text.replace("_", " "))
    return _DOTS.sub(" ", text)


def find_number(flat: str) -> Found | None:
    """Return the likeliest plain number of a flattened, masked name."""
    for find in (
        find_cjk,
        find_after,
        find_of_episode,
        _label,
        find_word,
        _range,
        _dash,
        find_sign,
        _box,
        _tight,
        _titled_box,
        find_of,
        _first,
        _last,
        find_part,
        find_roman,
    ):
        found = find(flat)
        if found is not None:
            return found
    return None


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
                get_version(match),
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
            match["a"],
            numbers,
            "absolute range",
            0.75,
            match.start(),
            get_version(match),
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
            return make_single(match, "absolute", 0.92)
        best = best or make_single(match, "absolute", 0.6)
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
        return make_single(
            match, "number in brackets", 0.88 if flat[match.start()] == "[" else 0.6
        )
    return None


def _titled_box(flat: str) -> Found | None:
    """Find "[04 Title of the episode]" behind another bracket."""
    return make_single(_TITLED_BOX.search(flat), "number in brackets", 0.6)


def find_box(flat: str) -> Found | None:
    """Return a number that has a bracket of its own."""
    return _box(flat)


def _lone(flat: str) -> Found | None:
    return _last(flat) or _first(flat)


def _tight(flat: str) -> Found | None:
    return make_single(_TIGHT.search(flat), "number after a dash", 0.7)


def _first(flat: str) -> Found | None:
    match = FIRST.match(flat)
    if match is None or _YEAR.match(match["a"]):
        return None
    if PART.search(flat) is not None and flat[match.end() :].lstrip()[:1] != "-":
        return None
    is_set_off = match["a"].startswith("0") or flat[match.end() :].lstrip()[:1] in {
        "",
        "-",
        "[",
        "(",
        ".",
        MASK,
    }
    return make_single(match, "number at the start", 0.6) if is_set_off else None


def find_leading(flat: str) -> Found | None:
    """Return the first of two numbers that words follow, as in "7 - 12 Angry Men"."""
    return make_single(_LEADING.match(flat), "number at the start", 0.8)


def find_first(flat: str) -> Found | None:
    """Return a number at the very start even if it might be a word of the title, as in "5 Centimeters"."""
    return make_single(FIRST.match(flat), "number at the start", 0.6)


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
    part, match = PART.search(flat), matches[-1]
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
        return find_part(flat)
    if part is not None and part["b"] and part.end() == match.end():
        return find_part(flat)
    follows = flat[match.end() :].lstrip()
    is_open = follows[:1] not in {"", "[", "(", "-", MASK}
    if (
        is_open
        and match["a"][0] != "0"
        and (is_single or not _title_before(flat, match.start()))
    ):
        return None
    confidence = 0.5 if len(match["a"]) == 1 or is_open else 0.65
    return make_single(match, "number after the title", confidence)


def _title_before(flat: str, position: int) -> bool:
    lead = _LEAD.match(flat)
    return bool(flat[lead.end() if lead is not None else 0 : position].strip(" -"))
