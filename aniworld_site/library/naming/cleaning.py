"""A name made ready for reading: wide characters narrowed, and numbers that are no episode masked. Positions stay."""

from __future__ import annotations

import re

MASK = "\x01"
_NARROW = {ord("\uff10") + digit: str(digit) for digit in range(10)} | {
    ord(wide): narrow
    for wide, narrow in {
        "【": "[", "】": "]", "\uff3b": "[", "\uff3d": "]", "\uff08": "(", "\uff09": ")", "\uff5e": "~", "〜": "~", "\uff0d": "-", "\u2013": "-",
        "—": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2212": "-", "\u00d7": "x", "　": " ", "\u00a0": " ", "\uff03": "#", "\uff0f": "/", "\uff06": "&", "「": "[", "」": "]", "『": "[", "』": "]",
        "\t": " ", "\n": " ", "\r": " ", MASK: " ",
    }.items()
}  # fmt: skip
_RESOLUTION = re.compile(
    r"(?<![a-z0-9])(?:(\d{3,4})\s?[x\u00d7*]\s?(\d{3,4})(?!\d)|(\d{3,4}[pi])(?![a-z])|(4k|uhd)(?![a-z0-9]))",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"[\[(][0-9a-f]{8}[\])]"
    r"|(?<=[\s\[(._-])(?=[0-9a-f]*[a-f])(?=[a-f]*\d)[0-9a-f]{8}(?=$|[\s\])])"
    r"|\[(?:19|20)\d\d\]|\((?:19|20)\d\d(?:-(?:(?:19|20)\d\d)?)?\)"
    r"|(?<![a-z0-9])(?:\d{3,4}\s?[x\u00d7*]\s?(?:2[4-9]\d|[3-9]\d\d|\d{4})(?!\d)"
    r"|\d{3,4}[pi](?:\d\d)?(?![a-z])|[48]k(?![a-z0-9])"
    r"|[xh][. _]?26[456](?!\d)|(?:8|10|12)[ _-]?bits?(?![a-gi-wyz0-9])(?:[hx][. _]?26[456])?|hi10p?(?![a-z0-9])|hi444p?p?|ma10p|10b(?![a-z])"
    r"|(?:dd[p+]?|e?ac-?3|aac|dts(?:[ ._-]?(?:hd|ma|es|x))*|flac|true-?hd|opus|pcm|ogg)[ ._+-]?\d(?:[. ]\d)?(?:[ ._]?ch)?(?![a-z0-9])"
    r"|(?<!\d\.)[2567][. ][01](?:[ ._]?ch)?(?![0-9a-z])(?=.)|\d{1,2}ch(?![a-z])|\d{2,3}(?:[.,]\d{1,3})?[ _]?(?:fps|hz)(?![a-z])"
    r"|\d+(?:\.\d+)?[ _]?(?:[kmg]bps|[mg]b)(?![a-z])|mp[34]|e?ac-?3|mpe?g-?[124]|vp[89]|av1|div?x[ .]?\d?(?:\.\d){0,3}|big5|hdr10\+?|avc1?(?![a-z])"
    r"|(?:dual|multi)[ ._-]?(?:audio|subs?)|web-?dl(?![a-z])|(?<=-)[a-z]+\d+[a-z\d]*$)",
    re.IGNORECASE,
)
_GROUP = re.compile(r"^\s*(?:\[([^\[\]]{1,80})\]|\(([^()]{1,80})\)(?=\s*\S))")
_TAIL_GROUP = re.compile(r"-([A-Za-z0-9]{2,20})(?:\[[^\[\]]*\])?$")
_NO_GROUP = re.compile(
    r"^(?:[esx]?\d+|\d{3,4}p|[0-9a-f]{8}|dl|rip|ray|sub|hd|raw|[sx]?\d+e\d+)$",
    re.IGNORECASE,
)


def narrow(name: str) -> str:
    return name if name.isascii() and name.isprintable() else name.translate(_NARROW)


def mask(name: str) -> str:
    """Blank out checksums, sizes, codecs and years in brackets, each by as many `MASK`s."""
    return _NOISE.sub(lambda match: MASK * len(match[0]), name)


def find_resolution(name: str) -> str | None:
    """Return "1080p", "4k" or "1280x720", as the name has it."""
    for match in _RESOLUTION.finditer(name):
        if match[1] is None:
            return (match[3] or match[4]).lower()
        if int(match[2]) >= 240:
            return f"{match[1]}x{match[2]}"
    return None


def find_group(name: str) -> str | None:
    """Return who released it: the first bracket, or what follows the last dash of a dotted name."""
    first = _GROUP.match(name)
    if first is not None:
        return (first[1] or first[2] or "").strip() or None
    last = _TAIL_GROUP.search(name) if " - " not in name[-30:] else None
    if last is None or _NO_GROUP.match(last[1]):
        return None
    return last[1]
