"""Who may move a scan from one state to the next, also when two try at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from aniworld_site.library import transitions
from aniworld_site.library.models import Scan
from aniworld_site.library.transitions import (
    STALE_AFTER,
    LeaseLostError,
    ScanRequest,
    beat,
    cancel_scan,
    claim_scan,
    fail_scan,
    finish_scan,
    follow,
    open_scan,
    release_scan,
    release_stale_scans,
)
from tests.factories import make_root, make_series

pytestmark = pytest.mark.django_db


def open_for(root, **wishes) -> Scan:
    return open_scan(ScanRequest(root=root, by="tests", **wishes))[0]


def silence(scan: Scan) -> None:
    Scan.objects.filter(pk=scan.pk).update(
        heartbeat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1)
    )


def test_a_second_request_joins_the_first():
    root = make_root()

    first, is_new = open_scan(ScanRequest(root=root, by="one"))
    second, is_second_new = open_scan(ScanRequest(root=root, by="two"))

    assert (is_new, is_second_new, second.pk) == (True, False, first.pk)


def test_the_database_refuses_a_second_active_scan_of_a_root():
    root = make_root()
    open_for(root)

    with pytest.raises(IntegrityError), transaction.atomic():
        Scan.objects.create(root=root)


def test_a_waiting_scan_is_widened_by_a_wider_request():
    root, series = make_root(), make_series()
    scan = open_for(root, series=series)

    open_for(root, is_full=True)

    scan.refresh_from_db()
    assert (scan.series, scan.is_full) == (None, True)


def test_a_narrower_request_leaves_a_waiting_scan_as_it_is():
    root, series = make_root(), make_series()
    scan = open_for(root, is_full=True)

    open_for(root, series=series)

    scan.refresh_from_db()
    assert (scan.series, scan.is_full, scan.is_again_requested) == (None, True, False)


def test_a_running_scan_is_followed_by_the_wider_one_that_was_asked_for():
    root, series = make_root(), make_series()
    scan = open_for(root, series=series)
    claim_scan(scan)
    open_for(root, accepts_vanished=True)
    finish_scan(scan)

    after = follow(scan)

    assert after is not None
    assert (after.series, after.accepts_vanished, after.is_full, after.state) == (
        None,
        True,
        False,
        Scan.State.QUEUED,
    )
    assert follow(scan) is None


def test_a_sweep_opens_the_scan_that_a_killed_worker_did_not():
    root = make_root()
    scan = open_for(root, series=make_series())
    claim_scan(scan)
    open_for(root)
    finish_scan(scan)

    waiting = release_stale_scans()

    assert [(each.root, each.series) for each in waiting] == [(root, None)]


def test_of_two_claims_one_wins():
    scan = open_for(make_root())
    other = Scan.objects.get(pk=scan.pk)

    assert (claim_scan(scan), claim_scan(other)) == (True, False)


def test_a_silent_runners_scan_is_taken_up_again_and_its_late_words_are_refused():
    scan = open_for(make_root())
    claim_scan(scan)
    silence(scan)

    waiting = release_stale_scans()

    assert [each.pk for each in waiting] == [scan.pk]
    for late in (
        lambda: beat(scan),
        lambda: finish_scan(scan),
        lambda: fail_scan(scan, "x"),
        lambda: release_scan(scan),
    ):
        with pytest.raises(LeaseLostError):
            late()
    again = Scan.objects.get(pk=scan.pk)
    assert claim_scan(again)
    with pytest.raises(LeaseLostError):
        beat(scan)


def test_a_runner_that_beats_keeps_its_scan():
    scan = open_for(make_root())
    claim_scan(scan)

    assert release_stale_scans() == []
    assert beat(scan) is False


def test_cancelling_a_waiting_scan_ends_it():
    scan = open_for(make_root())

    assert cancel_scan(scan)
    assert (scan.state, claim_scan(scan)) == (Scan.State.CANCELLED, False)
    assert not cancel_scan(scan)


def test_cancelling_a_running_scan_tells_its_runner():
    scan = open_for(make_root())
    claim_scan(scan)

    assert cancel_scan(scan)
    assert beat(scan) is True


def test_a_cancelled_scan_whose_runner_died_ends():
    scan = open_for(make_root())
    claim_scan(scan)
    cancel_scan(scan)
    silence(scan)

    release_stale_scans()

    scan.refresh_from_db()
    assert scan.state == Scan.State.CANCELLED


def test_scans_that_end_and_begin_too_quickly_are_told_of(
    monkeypatch: pytest.MonkeyPatch,
):
    root = make_root()
    scan = open_for(root)
    claim_scan(scan)
    monkeypatch.setattr(transitions, "_join", lambda *_args: False)

    with pytest.raises(LeaseLostError, match="too quickly"):
        open_for(root)
