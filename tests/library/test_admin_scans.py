from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from aniworld_site.library.models import Scan
from tests.factories import make_scan, make_series
from tests.library.test_admin import count_queries, log_in, read_messages

pytestmark = pytest.mark.django_db

LIST = "/admin/library/scan/"


def page_of(scan: Scan) -> str:
    return f"{LIST}{scan.pk}/change/"


def test_list_takes_as_many_queries_for_thirty_rows_as_for_three() -> None:
    client = log_in()
    counts = []
    for number in (3, 27):
        for _each in range(number):
            make_scan(series=make_series(), state=Scan.State.DONE)
        counts.append(count_queries(client, LIST))

    assert counts[0] == counts[1]


def test_list_reads_itself_again_when_a_scan_begins_or_ends() -> None:
    body = log_in().get(LIST).content.decode()

    head = re.search(r'<div id="scan-list"[^>]*>', body)
    assert head is not None
    assert 'data-live-rooms="scan"' in head[0]
    assert 'data-live-refresh="scan_started scan_complete scan_failed"' in head[0]


@pytest.mark.parametrize("page", ["add/", "1/delete/"])
def test_scans_are_neither_added_nor_deleted_by_hand(page: str) -> None:
    make_scan(pk=1)

    assert log_in().get(LIST + page).status_code == 403


def test_scans_are_not_changed_by_hand() -> None:
    scan = make_scan(state=Scan.State.QUEUED)

    response = log_in().post(page_of(scan), {"state": "done"})

    scan.refresh_from_db()
    assert response.status_code == 403
    assert scan.state == Scan.State.QUEUED


def test_page_of_a_running_scan_is_live() -> None:
    scan = make_scan(
        state=Scan.State.RUNNING,
        percent=12.6,
        started_at=timezone.now(),
        folder="Caf\ufffd",
    )

    body = log_in().get(page_of(scan)).content.decode()

    assert f'data-live-match="scan_id={scan.pk}"' in body
    assert '<progress max="100" value="13"' in body


def test_page_of_a_failed_scan_says_why_and_what_could_not_be_read() -> None:
    now = timezone.now()
    scan = make_scan(
        state=Scan.State.FAILED,
        started_at=now,
        finished_at=now,
        error="The folder is not mounted.",
        problems=["<b>.mkv cannot be read."],
    )

    body = log_in().get(page_of(scan)).content.decode()

    assert "The folder is not mounted." in body
    assert "&lt;b&gt;.mkv cannot be read." in body
    assert "<progress" not in body


def test_staff_with_view_permission_reads_but_cannot_cancel() -> None:
    scan = make_scan(state=Scan.State.QUEUED)
    client = log_in("view_scan")

    page, cancel = client.get(page_of(scan)), client.post(f"{LIST}{scan.pk}/cancel/")

    scan.refresh_from_db()
    assert (page.status_code, cancel.status_code) == (200, 403)
    assert "Cancel scan" not in page.content.decode()
    assert scan.state == Scan.State.QUEUED


def test_cancel_stops_a_waiting_scan() -> None:
    scan = make_scan(state=Scan.State.QUEUED)

    response = log_in("view_scan", "scan_rootfolder").post(
        f"{LIST}{scan.pk}/cancel/", follow=True
    )

    scan.refresh_from_db()
    assert scan.state == Scan.State.CANCELLED
    assert read_messages(response) == ["The scan was asked to stop."]


def test_cancel_of_an_ended_scan_is_a_sentence() -> None:
    scan = make_scan(state=Scan.State.DONE)

    response = log_in().post(f"{LIST}{scan.pk}/cancel/", follow=True)

    assert read_messages(response) == ["That scan has ended already."]


def test_cancel_of_a_scan_that_is_gone_is_a_sentence() -> None:
    response = log_in().post(f"{LIST}999/cancel/", follow=True)

    assert read_messages(response) == ["This scan is gone."]


def test_cancel_is_not_done_by_a_link() -> None:
    assert log_in().get(f"{LIST}{make_scan().pk}/cancel/").status_code == 405


def test_filter_by_state() -> None:
    failed: Any = make_scan(state=Scan.State.FAILED)
    make_scan(state=Scan.State.DONE)

    response = log_in().get(f"{LIST}?state__exact=failed")

    assert [scan.pk for scan in response.context["cl"].result_list] == [failed.pk]
