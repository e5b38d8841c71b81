"""What ended last on the queue's page, and its list cleared."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aniworld_site.downloads.models import Download
from tests.downloads.factories import make_ended
from tests.factories import make_file, make_user

pytestmark = pytest.mark.django_db


def clear(client, **data: str):
    return client.post(reverse("downloads:queue_clear"), data, follow=True)


def look(client, **filters: str) -> str:
    return str(client.get(reverse("downloads:queue"), filters).content.decode())


def count_rows(page: str) -> int:
    return page.count('id="ended-')


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        ("", {}),
        ("done", {"failed": 2, "cancelled": 1}),
        ("failed", {"done": 3, "cancelled": 1}),
        ("cancelled", {"done": 3, "failed": 2}),
    ],
)
def test_what_is_shown_is_taken_off_the_list(keeper, shown, left):
    make_ended(3)
    make_ended(2, state="failed")
    make_ended(1, state="cancelled")
    make_ended(1, state="paused")

    response = clear(keeper, ended=shown, next=reverse("downloads:queue"))

    states = list(Download.objects.values_list("state", flat=True))
    assert {state: states.count(state) for state in states} == {**left, "paused": 1}
    assert f"{6 - sum(left.values())} download" in response.content.decode()


def test_the_button_carries_the_filter(keeper):
    make_ended(2, state="failed")

    assert 'name="ended" value="failed"' in look(keeper, ended="failed")
    assert 'name="ended" value=""' in look(keeper)


def test_clearing_twice_says_that_nothing_was_there(keeper):
    make_ended(1)

    first = clear(keeper, next=reverse("downloads:queue"))
    second = clear(keeper, next=reverse("downloads:queue"))

    assert "1 download is taken off the list." in first.content.decode()
    assert "Nothing was in the list." in second.content.decode()


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_can_be_tried_again_has_a_button_for_it(keeper, state):
    [open_one, there, queued] = make_ended(3, state=state)
    make_file(link=there.episode)
    Download.objects.create(episode=queued.episode)

    page = look(keeper)

    assert f'value="retry:{open_one.pk}"' in page
    assert f'value="retry:{there.pk}"' not in page
    assert f'value="retry:{queued.pk}"' not in page


@pytest.mark.parametrize("state", ["queued", "active", "x", "DONE"])
def test_what_has_not_ended_is_no_list_to_clear(keeper, state):
    make_ended(1)

    response = clear(keeper, ended=state)

    assert "Expected done, failed, cancelled or nothing" in response.content.decode()
    assert Download.objects.exists()


@pytest.mark.parametrize("state", ["queued", "x"])
def test_a_filter_of_what_has_not_ended_shows_all_that_has(keeper, state):
    make_ended(2)

    assert count_rows(look(keeper, ended=state)) == 2


def test_viewer_may_not_clear_the_list(viewer):
    make_ended(1)

    response = clear(viewer)

    assert response.status_code == 403
    assert "Clear the list" not in look(viewer)
    assert Download.objects.exists()


def test_stranger_may_not_clear_the_list(client):
    client.force_login(make_user(()))

    assert clear(client).status_code == 403


def test_looking_clears_nothing(keeper):
    assert keeper.get(reverse("downloads:queue_clear")).status_code == 405


def test_more_than_are_shown_are_counted(viewer):
    make_ended(31)

    page = look(viewer)

    assert count_rows(page) == 30
    assert "The last 30 of 31." in page


def test_few_are_not_counted(viewer):
    make_ended(30)

    assert "The last" not in look(viewer)


def test_what_ended_takes_as_many_queries_for_many_as_for_few(viewer):
    make_ended(1)
    look(viewer)
    with CaptureQueriesContext(connection) as few:
        look(viewer)
    make_ended(40)

    with CaptureQueriesContext(connection) as many:
        look(viewer)

    assert len(many) == len(few)
