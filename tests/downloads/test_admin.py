from __future__ import annotations

import pytest
from django.urls import reverse

from aniworld_site.downloads.credentials import decrypt, encrypt
from aniworld_site.downloads.models import Source, SourceSeries
from aniworld_site.downloads.tasks import refresh_one
from tests.downloads.factories import make_listed, make_offer, make_source
from tests.factories import make_series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Primary keys of sources that a worker was asked to read."""
    asked: list[int] = []
    monkeypatch.setattr(
        refresh_one, "apply_async", lambda args, **_options: asked.extend(args)
    )
    return asked


def url(model: str, *arguments: object) -> str:
    page = "change" if arguments else "changelist"
    return reverse(f"admin:downloads_{model}_{page}", args=arguments)


def fields(**changes: object) -> dict[str, object]:
    return {
        "name": "Mine",
        "url": "https://example.org/c.json",
        "every_minutes": 60,
        "concurrency": 1,
        "delay_s": 0,
        "limit_kib_per_s": 0,
        "retries": 5,
        "is_enabled": "on",
        **changes,
    }


def test_source_is_added_without_waiting_for_it(
    admin_client, asked, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(
            reverse("admin:downloads_source_add"), fields(password="tell-nobody")
        )

    row = Source.objects.get()
    assert decrypt(row.secret) == "tell-nobody"
    assert asked == [row.pk]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://192.168.1.1/"])
def test_address_is_guarded_when_it_is_entered(admin_client, address):
    page = admin_client.post(
        reverse("admin:downloads_source_add"), fields(url=address)
    ).content.decode()

    assert not Source.objects.exists()
    assert "Expected an address" in page or "on this machine" in page


def test_password_is_never_shown_and_stays_when_left_empty(admin_client):
    row = make_source(url="https://example.org/", secret=encrypt("tell-nobody"))
    page = admin_client.get(url("source", row.pk)).content.decode()

    admin_client.post(url("source", row.pk), fields(name="New"))

    assert "tell-nobody" not in page
    assert row.secret not in page
    row.refresh_from_db()
    assert (row.name, decrypt(row.secret)) == ("New", "tell-nobody")

    admin_client.post(url("source", row.pk), fields(forget_password="on"))
    row.refresh_from_db()
    assert row.secret == ""


@pytest.mark.parametrize(
    ("address", "kept"),
    [("https://example.org/new", "tell-nobody"), ("https://other.example/", "")],
)
def test_password_does_not_go_to_another_host(admin_client, address, kept):
    row = make_source(url="https://example.org/old", secret=encrypt("tell-nobody"))

    admin_client.post(url("source", row.pk), fields(url=address))

    row.refresh_from_db()
    assert decrypt(row.secret) == kept


def test_source_is_deleted_with_what_it_listed(admin_client):
    listed = make_listed(series=make_series())
    make_offer(listed)
    page = reverse("admin:downloads_source_delete", args=[listed.source.pk])

    assert "the library keeps" in admin_client.get(page).content.decode()
    admin_client.post(page, {"post": "yes"})

    assert not Source.objects.exists()
    assert listed.series is not None
    listed.series.refresh_from_db()


@pytest.mark.parametrize("model", ["source", "sourceseries", "sourceepisode"])
def test_lists_do_not_query_for_each_row(
    admin_client, django_assert_max_num_queries, model
):
    for number in range(12):
        listed = make_listed(series=make_series(), title=f"<b>{number}</b>")
        make_offer(listed, season=1, number=number, review="Look")

    with django_assert_max_num_queries(12):
        page = admin_client.get(url(model)).content.decode()

    assert "<b>1</b>" not in page


def test_what_a_source_said_is_read_only(admin_client):
    listed = make_listed()
    make_series(title="Night Show", match_key="night show")

    page = admin_client.get(url("sourceseries", listed.pk)).content.decode()
    offer = make_offer(listed)

    assert "a year is unknown" in page
    assert 'name="title"' not in page
    assert admin_client.post(url("sourceepisode", offer.pk), {}).status_code == 403
    assert admin_client.get(
        reverse("admin:downloads_sourceseries_add")
    ).status_code == (403)


def test_listed_series_is_linked_and_unlinked_by_hand(admin_client):
    listed, ours = make_listed(), make_series()
    make_offer(listed, season=1, number=1)

    admin_client.post(url("sourceseries", listed.pk), {"series": ours.pk})
    assert SourceSeries.objects.get().series == ours
    assert ours.seasons.get().episodes.count() == 1

    admin_client.post(url("sourceseries", listed.pk), {"series": ""})
    assert SourceSeries.objects.get().series is None


@pytest.mark.parametrize(
    ("action", "ours", "words"),
    [
        ("add_to_library", None, "is in the library now"),
        ("add_to_library", 2020, "may be"),
        ("link_to_proposal", 2020, "is Night Show"),
        ("link_to_proposal", 1999, "no series of the library"),
    ],
)
def test_actions_say_what_they_did(admin_client, action, ours, words):
    listed = make_listed(year=2020)
    if ours:
        make_series(title="Night Show", match_key="night show", year=ours)

    page = admin_client.post(
        url("sourceseries"),
        {"action": action, "_selected_action": [listed.pk]},
        follow=True,
    ).content.decode()

    assert words in page


@pytest.mark.parametrize("action", ["refresh", "enable", "disable"])
def test_actions_on_sources(
    admin_client, asked, action, django_capture_on_commit_callbacks
):
    row = make_source(is_enabled=action == "disable")

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(
            url("source"), {"action": action, "_selected_action": [row.pk]}
        )

    row.refresh_from_db()
    assert row.is_enabled == (action == "enable")
    assert asked == ([row.pk] if action == "refresh" else [])
