from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from aniworld_site.downloads import services, tasks
from aniworld_site.downloads.credentials import decrypt, encrypt
from aniworld_site.downloads.models import Source, SourceSeries
from aniworld_site.downloads.providers.feed import SERIES_KEY, FeedProvider
from aniworld_site.downloads.providers.registry import SourceOptions
from aniworld_site.downloads.refreshing import refresh_source
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode, Series
from tests.downloads.factories import (
    catalogue,
    episode,
    make_listed,
    make_offer,
    make_source,
    series,
)
from tests.downloads.sources import LOCAL
from tests.factories import make_series

pytestmark = pytest.mark.django_db


def options(url: str, **fields) -> SourceOptions:
    return SourceOptions(url=url, private_hosts=LOCAL, **fields)


def test_source_is_added_with_what_it_has(source):
    url = source.put("/c.json", catalogue(series("a", episode(1)), series("b")))

    row, listing = services.add_source(options(url))

    assert (row.name, row.kind, len(listing.series)) == ("Mine", "catalogue", 2)
    assert row.listed.count() == 2


def test_password_is_sent_and_kept_unreadable(source):
    url = source.put("/c.json", catalogue())

    row, _ = services.add_source(options(url, username="mia", password="tell-nobody"))

    assert source.requests[-1][1]["Authorization"].startswith("Basic ")
    assert "tell-nobody" not in row.secret
    assert decrypt(row.secret) == "tell-nobody"


@pytest.mark.parametrize(
    ("content", "words"),
    [("<html/>", "Expected"), (catalogue(title=""), "title")],
)
def test_what_is_no_source_is_refused_and_not_kept(source, content, words):
    with pytest.raises(DomainError, match=words):
        services.add_source(options(source.put("/c.json", content)))

    assert not Source.objects.exists()


def test_address_and_name_are_taken_once(source):
    url = source.put("/c.json", catalogue())
    services.add_source(options(url))

    with pytest.raises(DomainError, match="already"):
        services.add_source(options(url))
    with pytest.raises(DomainError, match="another name"):
        services.add_source(options(source.put("/2.json", catalogue())))
    assert services.add_source(options(f"{source.url}/2.json"), name="Other")


def test_secret_of_another_key_is_a_sentence(settings):
    stored = encrypt("secret")
    settings.SECRET_KEY = "another"

    with pytest.raises(DomainError, match="enter it again"):
        decrypt(stored)
    assert (encrypt(""), decrypt("")) == ("", "")


def test_listed_series_is_added_with_its_key_and_episodes():
    listed = make_listed(key="night-show", year=2020, ids={"tvmaze": "9"})
    make_offer(listed, season=1, number=1)
    make_offer(listed, season=1, number=2)

    added = services.add_listed(listed)

    assert (added.key, added.title, added.year, added.provider) == (
        "night-show",
        "Night Show",
        2020,
        "catalogue",
    )
    assert added.ids == {"tvmaze": "9"}
    assert Series.objects.with_counts().get().missing_count == 2
    with pytest.raises(DomainError, match="already"):
        services.add_listed(listed)


@pytest.mark.parametrize("key", ["Not A Key", "x" * 65, "taken"])
def test_key_that_cannot_be_one_is_made_of_the_title(key):
    make_series(key="taken")

    assert services.add_listed(make_listed(key=key)).key == "night-show"


def test_the_key_of_a_feeds_series_is_made_of_the_title():
    """Else the first would be called like what it came from."""
    listed = make_listed(make_source(kind=FeedProvider.kind), key=SERIES_KEY)

    assert services.add_listed(listed).key == "night-show"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"year": 2020}, "Title and year"),
        ({"year": None}, "a year is unknown"),
        ({"year": 1999}, "another year"),
    ],
)
def test_series_that_may_be_there_already_is_not_added_twice(fields, reason):
    make_series(title="Night Show", match_key="night show", **fields)

    with pytest.raises(DomainError, match=reason):
        services.add_listed(make_listed(year=2020))
    assert Series.objects.count() == 1


def test_series_of_other_identifiers_is_another():
    make_series(title="Night Show", match_key="night show", ids={"tvmaze": "1"})

    added = services.add_listed(make_listed(year=2021, ids={"tvmaze": "2"}))

    assert added.ids == {"tvmaze": "2"}


def test_link_by_hand_moves_with_the_person_and_stays_with_the_source(source):
    url = source.put("/c.json", catalogue(series("x", episode(1))))
    row, _ = services.add_source(options(url))
    listed = row.listed.get()
    first, second = make_series(), make_series()

    services.link_listed(listed, first)
    services.link_listed(listed, second)
    assert listed.episodes.filter(episode__season__series=second).count() == 1
    services.unlink_listed(listed)

    # A person said that it is none: the next look does not know better.
    second.ids = {"tvmaze": "9"}
    second.save()
    source.put("/c.json", catalogue(series("x", episode(1), ids={"tvmaze": "9"})))
    refresh_source(row)
    assert SourceSeries.objects.get().series is None
    assert Episode.objects.filter(season__series=first).count() == 1


def test_password_is_changed_and_the_source_read_soon():
    row = make_source(etag='"1"')

    services.set_password(row, "new")

    row.refresh_from_db()
    assert (decrypt(row.secret), row.due_at, row.etag) == ("new", None, "")


def test_due_sources_are_read_by_the_worker(source, monkeypatch):
    url = source.put("/c.json", catalogue(series("a")))
    make_source(url=url)
    make_source(is_enabled=False)
    monkeypatch.setattr(tasks.refresh_one, "delay", tasks.refresh_one)

    tasks.refresh_due_sources()
    tasks.refresh_one(0)

    assert Source.objects.filter(refreshed_at__isnull=False).count() == 1
    assert not Source.objects.due().exists()


def test_source_that_was_asked_for_again_and_again_is_read_once(source, monkeypatch):
    make_source(url=source.put("/c.json", catalogue(series("a"))))
    asked = []
    monkeypatch.setattr(
        tasks.refresh_one, "delay", lambda *args, **options: asked.append(options)
    )
    for _ in range(3):
        tasks.refresh_due_sources()

    for options in asked:
        tasks.refresh_one(Source.objects.get().pk, **options)

    assert len(asked) == 3
    assert len(source.requests) == 1


def test_request_to_read_wakes_the_worker_after_the_commit(
    monkeypatch, django_capture_on_commit_callbacks
):
    row = make_source(due_at=timezone.now() + timedelta(hours=1))
    woken = []
    monkeypatch.setattr(
        tasks.refresh_one, "apply_async", lambda args, **_options: woken.append(args)
    )

    with django_capture_on_commit_callbacks(execute=True):
        services.request_refresh(row)
        before = list(woken)

    assert (before, woken) == ([], [(row.pk,)])


@pytest.mark.fault
def test_request_to_read_without_a_broker_waits_for_the_next_look(
    valkey, django_capture_on_commit_callbacks, caplog
):
    row = make_source(due_at=timezone.now() + timedelta(hours=1))
    valkey.kill()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            services.request_refresh(row)
    finally:
        valkey.start()

    assert list(Source.objects.due()) == [row]
    assert f"Source {row.pk} waits for the broker" in caplog.text


def test_another_password_ends_the_rest_that_a_refused_one_brought():
    soon = timezone.now() + timedelta(hours=1)
    row = make_source(rests_until=soon, rest_reason="It wants a login.")

    services.set_password(row, "another")

    row.refresh_from_db()
    assert (row.rests_until, row.rest_reason) == (None, "")
