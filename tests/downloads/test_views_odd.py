"""What no page sends by itself: numbers that no database holds, and text that PostgreSQL refuses."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from aniworld_site.downloads.forms import NOT_THERE
from aniworld_site.downloads.models import Download
from tests.downloads.factories import make_listed
from tests.downloads.test_views import make_queue
from tests.factories import make_series

pytestmark = pytest.mark.django_db

BEYOND = [str(1 << 63), str(-(1 << 63) - 1), "9" * 30]


def post(client, name: str, data: dict[str, object]) -> tuple[int, list[str]]:
    """Return the status and what was said."""
    response = client.post(reverse(f"downloads:{name}"), data)
    return response.status_code, [
        str(said) for said in get_messages(response.wsgi_request)
    ]


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("queue_do", {"do": "cancel"}),
        ("queue_move", {}),
        ("missing_queue", {}),
        ("missing_ignore", {}),
    ],
)
def test_a_number_that_no_database_holds_is_not_in_the_list(keeper, name, data, number):
    [download] = make_queue()
    ticked = {
        "downloads": [str(download.pk), number],
        "episodes": [str(download.episode_id), number],
    }

    assert post(keeper, name, {**data, **ticked}) == (302, [NOT_THERE])
    assert Download.objects.get().state == Download.State.QUEUED


@pytest.mark.parametrize("number", BEYOND)
def test_nothing_is_put_before_what_no_database_holds(keeper, number):
    [download] = make_queue()

    status, said = post(
        keeper, "queue_move", {"downloads": [download.pk], "before": number}
    )

    assert (status, len(said)) == (302, 1)
    assert "not one of the available choices" in said[0]


@pytest.mark.parametrize(
    ("listed", "key", "sentence"),
    [
        ("", "a\0b", "Null characters are not allowed."),
        ("\0", "night-show", "Null characters are not allowed."),
        (BEYOND[0], "night-show", "not one of the available choices"),
    ],
)
def test_nothing_is_linked_that_no_database_looks_for(keeper, listed, key, sentence):
    make_series(key="night-show")
    real = make_listed()

    status, said = post(
        keeper, "link_series", {"listed": listed or real.pk, "series": key}
    )

    assert (status, len(said)) == (302, 1)
    assert sentence in said[0]
    real.refresh_from_db()
    assert real.series is None


@pytest.mark.parametrize("name", ["queue", "missing", "add"])
def test_a_search_for_what_no_database_takes_is_one_without_it(keeper, name):
    response = keeper.get(reverse(f"downloads:{name}"), {"q": "Night\0 Show"})

    assert response.status_code == 200
    assert response.context["text"] == "Night Show"


def test_all_that_such_a_search_finds_may_be_paused(keeper):
    make_queue()

    status, _said = post(keeper, "queue_do", {"do": "pause", "all": "", "q": "Sho\0w"})

    assert status == 302
    assert Download.objects.get().state == Download.State.PAUSED
