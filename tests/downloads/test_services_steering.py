"""What a person does with downloads by the hundred."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aniworld_site.downloads import services
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.services.steering import PORTION
from tests.downloads.factories import make_ended
from tests.factories import make_root

pytestmark = pytest.mark.django_db


def test_any_number_leaves_the_list():
    make_ended(2 * PORTION + 1)

    outcome = services.remove_downloads(Download.objects.all())

    assert (outcome.done, outcome.refusals) == (2 * PORTION + 1, [])
    assert not Download.objects.exists()


def test_removing_takes_queries_by_portions_and_not_by_rows():
    counts = []
    # Django deletes a hundred rows with each statement.
    for number in (PORTION + 101, 2 * PORTION):
        make_ended(number)
        with CaptureQueriesContext(connection) as queries:
            services.remove_downloads(Download.objects.all())
        counts.append(len(queries))

    assert counts[0] == counts[1] < 20


def test_what_has_not_ended_stays_among_many():
    make_ended(PORTION)
    make_ended(1, state="paused")

    outcome = services.remove_downloads(Download.objects.all())

    assert outcome.done == PORTION
    assert outcome.refusals == ["What has not ended is cancelled first."]
    assert Download.objects.get().state == "paused"


def test_partial_files_go_with_what_leaves_the_list(tmp_path):
    root = make_root(path=str(tmp_path))
    [download] = make_ended(1, state="failed", root=root)
    part = tmp_path / ".aniworld" / "partial" / f"{download.pk}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"some")

    services.remove_downloads(Download.objects.all())

    assert not part.exists()


def test_removing_nothing_does_nothing():
    assert services.remove_downloads(Download.objects.none()).done == 0
