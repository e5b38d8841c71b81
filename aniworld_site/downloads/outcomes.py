"""What becomes of a download that did not come through: by the kind of trouble, it fails or waits, and its source rests."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from aniworld_site.downloads import transitions
from aniworld_site.downloads.models import LONGEST_WAIT, Download, Source

Wait = Download.Wait

FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 3600.0
OUR_FIRST_WAIT_S = 1.0
"""Where no source has to be spared."""
OUR_OWN = ("killed", "broken")
"""Troubles that say nothing of the source: its process was killed, or AniWorld has a fault."""
HERE = {
    "disk": (Wait.DISK, timedelta(seconds=5)),
    "root": (Wait.ROOT, timedelta(seconds=30)),
    "machine": (Wait.MACHINE, timedelta(seconds=30)),
}
"""What is waited for on this machine, and when it is looked at again; no fault of a source, and never given up."""
LOGIN_REST = timedelta(hours=1)
LOGINS_TO_REST = 3
"""In a row: one file may be forbidden to everybody, several mean the source."""
THROTTLED_S = 60
FAILURES_TO_REST = 5
"""In a row, over all downloads of a source."""
REST = timedelta(minutes=5)


def settle_failure(download: Download, said: dict[str, Any]) -> None:
    """Set aside or end a download, by what the child said: `{"error": sentence, "trouble": kind, "retry_after_s"}`.

    Raises:
        LeaseLostError: It is not this process's any more.
    """
    reason, trouble = str(said["error"]), said["trouble"]
    now = timezone.now()
    if trouble in ("stopped", "busy"):
        # No fault of its own or of its source.
        transitions.release(download, due_at=now + timedelta(seconds=1))
    elif trouble in HERE:
        wait, again = HERE[trouble]
        if trouble == "disk":
            reason = f"{reason} {download.root} has no room for the rest. It goes on by itself when there is."
        transitions.wait_for(download, wait, reason, until=now + again)
    elif trouble == "throttled":
        _wait_for_source(download, reason, said.get("retry_after_s") or THROTTLED_S)
    elif trouble == "login":
        failures = _count_failure(download.source)
        if failures >= LOGINS_TO_REST:
            _rest(download.source_id, now + LOGIN_REST, reason)
        transitions.fail(download, reason)
    elif trouble == "permanent":
        transitions.fail(download, reason)
    else:
        _try_again(download, reason, now, is_of_source=trouble not in OUR_OWN)


def note_success(source_id: int | None) -> None:
    """Forget how often a source failed; how long it said that it wants to be left alone still counts."""
    Source.objects.filter(pk=source_id or 0).exclude(download_failures=0).update(
        download_failures=0
    )


def _wait_for_source(download: Download, reason: str, seconds: int) -> None:
    until = timezone.now() + timedelta(seconds=seconds)
    # All others of it would be told the same.
    _rest(download.source_id, until, reason)
    transitions.wait_for(download, Wait.HOST, reason, until=until)


def _try_again(
    download: Download, reason: str, now: datetime, *, is_of_source: bool
) -> None:
    source = download.source
    allowed = source.retries if source is not None else 0
    # The most that it ever had: one that begins anew each time would else come on each time.
    come_on = Download.objects.filter(
        pk=download.pk, bytes_at_failure__lt=download.bytes_done
    )
    has_come_on = bool(come_on.update(bytes_at_failure=download.bytes_done))
    # What gets further each time is not given up.
    download.attempts = 1 if has_come_on else download.attempts + 1
    if is_of_source and _count_failure(source) >= FAILURES_TO_REST:
        _rest(download.source_id, now + REST, reason)
    if download.attempts > allowed:
        tries = "1 try" if download.attempts == 1 else f"{download.attempts} tries"
        transitions.fail(download, f"Given up after {tries}. {reason}")
        return
    first_s = FIRST_WAIT_S if is_of_source else OUR_FIRST_WAIT_S
    seconds = min(LONGEST_WAIT_S, first_s * 2 ** min(download.attempts - 1, 20))
    # Spread, so that those that failed together do not come back together.
    seconds *= random.uniform(0.75, 1.25)  # noqa: S311  # No secret.
    until = now + timedelta(seconds=seconds)
    wait = Wait.HOST if is_of_source else Wait.MACHINE
    transitions.wait_for(download, wait, reason, until=until)


def _count_failure(source: Source | None) -> int:
    """Count a failure of a source, and return how many there are in a row."""
    if source is None:
        return 0
    row = Source.objects.filter(pk=source.pk)
    row.update(download_failures=F("download_failures") + 1)
    # It may have been removed meanwhile.
    return row.values_list("download_failures", flat=True).first() or 0


def _rest(source_id: int | None, until: datetime, reason: str) -> None:
    """Let a source rest until then, unless it was to rest for longer already."""
    is_shorter = Q(rests_until=None) | Q(rests_until__lt=until)
    # Longer than any is: a clock was wrong.
    is_wrong = Q(rests_until__gt=timezone.now() + LONGEST_WAIT)
    Source.objects.filter(is_shorter | is_wrong, pk=source_id or 0).update(
        rests_until=until, rest_reason=reason[:500]
    )
