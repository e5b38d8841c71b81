"""Bounding what a source says: text that can be printed, numbers that can be stored."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_TEXT = 250
MAX_KEY = 200
MAX_NUMBER = 9_999
MAX_SIZE_BYTES = 1 << 50
CHECKSUM = re.compile(
    r"(?:sha256:[0-9a-f]{64}|sha1:[0-9a-f]{40}|md5:[0-9a-f]{32}|crc32:[0-9a-f]{8})"
)
_SPACES = re.compile(r"\s+")
# Control characters, and those that turn the direction of what follows.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean_text(text: object, *, longest: int = MAX_TEXT) -> str:
    """Return a line that can be shown: no control characters, no line breaks, at most so many characters."""
    # Cut first: a title of a megabyte is not worth looking through.
    found = _SPACES.sub(" ", str(text)[: longest * 4])
    shown = "".join(c for c in found if unicodedata.category(c) not in _HIDDEN)
    return shown.strip()[:longest].rstrip()


def make_key(own: object) -> str:
    """Return what a source calls something; a hash where that is too long for a key: those that only end differently stay different."""
    text = str(own or "")
    return clean_text(text, longest=MAX_KEY) if len(text) <= MAX_KEY else hash_key(text)


def hash_key(text: str) -> str:
    """Return a key for what has no name but a text; "" for none."""
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return digest[:32] if text else ""


def clean_number(value: object, *, highest: int = MAX_NUMBER) -> int | None:
    """Return a number from 0 to the highest; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        value = (
            int(value)
            if value.isascii() and value.isdigit() and len(value) <= 18
            else None
        )
    if isinstance(value, int) and 0 <= value <= highest:
        return value
    return None
