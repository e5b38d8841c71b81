"""What a person does with downloads by the hundred."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aniworld_site.downloads import services
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.services.steering import PORTION, Outcome
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode
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


STEPS: dict[str, tuple[Callable[..., Outcome], str, str]] = {
    "pause": (services.pause_downloads, "queued", "paused"),
    "resume": (services.resume_downloads, "paused", "queued"),
    "retry": (services.retry_downloads, "failed", "queued"),
    "cancel": (partial(services.cancel_downloads, keeps_part=True), "queued", "cancelled"),
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_any_number_is_steered_and_what_cannot_be_is_counted(step):
    do, before, after = STEPS[step]
    make_ended(PORTION + 1, state=before)
    make_ended(2, state="done")

    outcome = do(Download.objects.all())

    assert outcome.done == PORTION + 1
    assert outcome.refusals[0].startswith("2 others cannot be ")
    assert Download.objects.filter(state=after).count() == PORTION + 1
    assert Download.objects.filter(state="done").count() == 2


def test_steering_takes_queries_by_portions_and_not_by_rows():
    counts = []
    for number in (PORTION + 1, 2 * PORTION):
        Download.objects.all().delete()
        make_ended(number, state="queued")
        with CaptureQueriesContext(connection) as queries:
            services.pause_downloads(Download.objects.all())
        counts.append(len(queries))

    assert counts[0] == counts[1] < 10


def test_one_that_cannot_be_tried_again_keeps_none_of_many_from_it():
    failed = make_ended(PORTION + 1, state="failed")
    Download.objects.create(episode=failed[0].episode)

    outcome = services.retry_downloads(Download.objects.filter(state="failed"))

    assert outcome.done == PORTION
    failed[0].refresh_from_db()
    assert failed[0].state == "failed"


def test_of_many_those_are_not_tried_again_whose_file_is_there():
    failed = make_ended(PORTION + 1, state="failed")
    Episode.objects.filter(pk=failed[0].episode_id).update(has_file=True)

    outcome = services.retry_downloads(Download.objects.all())

    assert outcome.done == PORTION
    assert outcome.refusals == ["1 other cannot be tried again as it is."]
    failed[0].refresh_from_db()
    assert failed[0].state == "failed"


def test_more_than_a_portion_is_not_moved_by_one():
    make_ended(PORTION + 1, state="queued")

    with pytest.raises(DomainError, match="At most 200 downloads"):
        services.move_downloads(Download.objects.all(), "up")


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
