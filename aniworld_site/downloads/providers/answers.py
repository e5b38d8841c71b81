"""What a server's refusal means: a sentence, and whether and when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.cleaning import clean_text

MAX_RETRY_AFTER_S = 24 * 3600


def make_error(
    host: str, status: int, reason: str, retry_after: str = ""
) -> ProviderError:
    """Return what an answer that is no success means. `retry_after` is the header's value."""
    # It may say anything, at any length.
    said = clean_text(f"{status} {reason}", longest=100)
    if status in (401, 403):
        return ProviderError(
            f"{host} wants a login, or another one ({said}).", trouble=Trouble.LOGIN
        )
    retry_after_s = read_retry_after(retry_after)
    if status == 429 or (status == 503 and retry_after_s is not None):
        return ProviderError(
            f"{host} is asked too often ({said}).",
            trouble=Trouble.THROTTLED,
            retry_after_s=retry_after_s,
        )
    if status >= 500 or status == 408:
        return ProviderError(f"{host} has a fault of its own ({said}).")
    return ProviderError(
        f"{host} has nothing at this address ({said}).", trouble=Trouble.PERMANENT
    )


def read_retry_after(value: str) -> int | None:
    """Return the seconds that a `Retry-After` means, at most a day; None where it says nothing that can be understood.

    Source: RFC 9110, 10.2.3.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), MAX_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds = (until - datetime.now(UTC)).total_seconds()
    return int(min(max(seconds, 0), MAX_RETRY_AFTER_S))
