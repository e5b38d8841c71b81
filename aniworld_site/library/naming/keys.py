"""Titles made comparable, addressable and printable."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_KEY = 64
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
        "ħ": "h",
        "ŋ": "n",
        "&": " and ",
        "@": " at ",
        "'": "",
        "\u2019": "",
        "`": "",
    }
)
_NOT_KEY = re.compile(r"[^a-z0-9]+")
_NOT_WORD = re.compile(r"[\W_]+")
_ELISION = re.compile(r"['\u2019`\u00b4]")


def _unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not "\u0300" <= letter <= "\u036f")


def _foldable(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def make_key(title: str, year: int | None = None) -> str:
    """Return a series' name in URLs: "attack-on-titan-2013". Stable, never empty, at most 64 characters.

    A title without a Latin letter or digit gets a short hash instead: "series-1a2b3c4d".
    """
    latin = _unaccented(_foldable(title).casefold().translate(_LETTERS)).casefold()
    words = _NOT_KEY.sub("-", latin.translate(_LETTERS)).strip("-")
    if not words:
        digest = hashlib.sha256(title.encode("utf-8", "surrogatepass"))
        words = f"series-{digest.hexdigest()[:8]}"
    suffix = "" if year is None else f"-{abs(year)}"[:12]
    return words[: LONGEST_KEY - len(suffix)].rstrip("-") + suffix


def match_key(title: str) -> str:
    """Fold a title for comparing: no accents, case, punctuation. Empty when nothing is left."""
    folded = unicodedata.normalize("NFKC", _foldable(title)).casefold()
    plain = _unaccented(_ELISION.sub("", folded).replace("&", " and ")).casefold()
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFC", plain)).strip()


def printable(text: str) -> str:
    """Replace what would garble or fake a line by U+FFFD: lone surrogates, control and bidi-control characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\ufffd"
        if unicodedata.category(letter) in {"Cc", "Cs"} or letter in _BIDI
        else letter
        for letter in text
    )


_BIDI = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
)
