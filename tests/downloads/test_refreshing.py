"""A source is read again and again: what it has comes in once, what changed is told, and what a person decided stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import EntryPoint

import pytest
from django.db import OperationalError, connections
from django.urls import reverse
from django.utils import timezone

from aniworld_site.downloads.heartbeats import beating
from aniworld_site.downloads.models import Source, SourceEpisode, SourceSeries
from aniworld_site.downloads.providers import registry
from aniworld_site.downloads.providers.registry import ENTRY_POINT, get_provider_types
from aniworld_site.downloads.refreshing import Refreshed, refresh_source
from aniworld_site.library.models import Episode, Series
from tests.downloads.factories import catalogue, episode, make_source, series
from tests.downloads.sources import Request
from tests.factories import make_episode, make_season, make_series
from tests.running import until

pytestmark = pytest.mark.django_db


def publish(source, *all_series, **fields) -> Source:
    url = source.put("/c.json", catalogue(*all_series), **fields)
    return Source.objects.filter(url=url).first() or make_source(url=url)


def refresh(source, *all_series):
    row = publish(source, *all_series)
    refreshed = refresh_source(row)
    assert refreshed is not None
    assert refreshed.error == ""
    return refreshed.changes


def get_rest(row: Source) -> timedelta:
    """Return for how long a source is not asked."""
    row.refresh_from_db()
    assert row.due_at is not None
    return row.due_at - timezone.now()


def test_first_look_brings_everything_and_the_second_nothing(source):
    first = refresh(source, series("night-show", episode(1), episode(2)))
    second = refresh(source, series("night-show", episode(1), episode(2)))

    assert (first.series_added, first.episodes_added) == (1, 2)
    assert (second.series_added, second.episodes_added, second.episodes_changed) == (
        0,
        0,
        0,
    )
    row = Source.objects.get()
    assert (row.title, row.error, row.failures) == ("Mine", "", 0)
    assert get_rest(row) > timedelta(minutes=55)


def test_unchanged_source_is_not_sent_again(source):
    publish(source, series(), headers={"ETag": '"7"'})
    refresh_source(Source.objects.get())
    source.put("/c.json", b"", status=304)

    refreshed = refresh_source(Source.objects.get())

    assert refreshed is not None
    assert (refreshed.changes, refreshed.error) == (None, "")
    assert source.requests[-1][1]["If-None-Match"] == '"7"'


def test_series_of_the_library_is_known_by_its_identifier_and_gets_what_is_missing(
    source,
):
    ours = make_series(ids={"tvmaze": "919", "tvdb": "1"})
    make_episode(make_season(ours), number=1, title="Ours", has_file=True)

    refresh(
        source,
        series(
            "x",
            episode(1, title="Theirs", air_date="2026-01-31"),
            episode(2),
            ids={"tvmaze": "919"},
        ),
    )

    listed = SourceSeries.objects.get()
    assert listed.series == ours
    assert "identifier" in listed.reason
    found = Episode.objects.filter(season__series=ours)
    assert list(found.values_list("number", "title", "has_file")) == [
        (1, "Ours", True),
        (2, "Part 2", False),
    ]
    assert str(found.get(number=1).air_date) == "2026-01-31"
    assert not SourceEpisode.objects.filter(episode=None).exists()
    assert Series.objects.with_counts().get().missing_count == 1


@pytest.mark.parametrize(
    "ours",
    [
        [{"title": "Night Show", "match_key": "night show", "year": 2020}],
        [{"ids": {"tvmaze": "919", "tvdb": "2"}}],
        [{"ids": {"tvmaze": "919"}}, {"ids": {"tvmaze": "919"}}],
        [{"ids": {"anidb": "919"}}],
    ],
)
def test_what_is_not_sure_is_left_to_a_person(source, ours):
    for fields in ours:
        make_series(**fields)

    refresh(
        source,
        series("x", episode(1), year=2020, ids={"tvmaze": "919", "tvdb": "1"}),
    )

    assert SourceSeries.objects.get().series is None
    assert not Episode.objects.exists()


def test_series_that_was_removed_and_found_again_is_known_again(source):
    listed = series("x", episode(1), ids={"tvmaze": "9"})
    make_series(ids={"tvmaze": "9"})
    refresh(source, listed)
    Series.objects.get().delete()
    again = make_series(ids={"tvmaze": "9"})

    refresh(source, listed)

    assert SourceSeries.objects.get().series == again
    assert not SourceEpisode.objects.filter(episode=None).exists()


def test_renumbered_episode_keeps_its_link_and_is_to_be_looked_at(source):
    make_series(ids={"tvmaze": "9"})
    refresh(source, series("x", episode(5), ids={"tvmaze": "9"}))
    before = SourceEpisode.objects.get().episode

    changes = refresh(source, series("x", episode(5, episode=6), ids={"tvmaze": "9"}))

    offer = SourceEpisode.objects.get()
    assert offer.episode == before
    assert (offer.season, offer.number) == (1, 6)
    assert "S01E06 now; it was S01E05" in offer.review
    assert changes.to_review == 1


def test_withdrawn_is_not_deleted_and_comes_back(source):
    refresh(source, series("a", episode(1), episode(2)), series("b"))

    gone = refresh(source, series("a", episode(2)))
    assert (gone.series_withdrawn, gone.episodes_withdrawn) == (1, 1)
    assert SourceEpisode.objects.get(key="e1").withdrawn_at is not None
    assert refresh(source, series("a", episode(2))).episodes_withdrawn == 0

    refresh(source, series("a", episode(1), episode(2)), series("b"))
    assert not SourceEpisode.objects.exclude(withdrawn_at=None).exists()
    assert not SourceSeries.objects.exclude(withdrawn_at=None).exists()


def test_feed_withdraws_nothing(source):
    feed = '<rss version="2.0"><channel><title>Show</title>{}</channel></rss>'
    entry = "<item><title>One</title><guid>1</guid></item>"
    row = make_source(url=source.put("/feed", feed.format(entry)), kind="feed")
    refresh_source(row)
    source.put("/feed", feed.format(entry.replace("One", "Two").replace("1", "2")))

    refresh_source(row)

    assert list(
        SourceEpisode.objects.filter(withdrawn_at=None).values_list("title", flat=True)
    ) == ["One", "Two"]


def test_unknown_kind_is_found_out(source):
    row = publish(source, series())
    Source.objects.update(kind="")

    refresh_source(row)

    assert Source.objects.get().kind == "catalogue"


@pytest.mark.parametrize(
    ("fields", "rests"),
    [
        ({"status": 500}, timedelta(minutes=5)),
        ({"status": 404}, timedelta(days=1)),
        ({"status": 401}, timedelta(days=1)),
        ({"status": 429, "headers": {"Retry-After": "7200"}}, timedelta(hours=2)),
    ],
)
def test_source_that_fails_rests_and_says_why(source, fields, rests):
    row = publish(source, **fields)

    refreshed = refresh_source(row)

    assert abs(get_rest(row) - rests) < timedelta(seconds=60)
    assert refreshed is not None
    assert row.error == refreshed.error != ""
    assert row.failures == 1
    assert not Source.objects.due().exists()


def test_source_that_fails_again_rests_longer_and_recovers(source):
    row = publish(source, series(), status=500)
    for _ in range(4):
        refresh_source(row)
    assert get_rest(row) > timedelta(minutes=35)

    publish(source, series())
    refresh_source(row)

    row.refresh_from_db()
    assert (row.error, row.failures) == ("", 0)


def test_password_that_cannot_be_read_is_a_sentence(source, settings):
    row = publish(source, series())
    Source.objects.update(secret="made with another key")

    refreshed = refresh_source(row)

    assert refreshed is not None
    assert "enter it again" in refreshed.error


def test_fault_of_a_kind_is_told_and_ends_the_look(monkeypatch, caplog):
    class Broken:
        kind, label, is_complete = "broken", "Broken", True

        def __init__(self, options):
            raise RuntimeError("a fault")

    point = EntryPoint("broken", "", ENTRY_POINT)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: Broken)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    get_provider_types.cache_clear()
    try:
        refreshed = refresh_source(make_source(kind="broken"))
    finally:
        get_provider_types.cache_clear()

    assert refreshed is not None
    assert "log" in refreshed.error
    assert "a fault" in caplog.text
    assert Source.objects.get().refreshing_since is None


@pytest.mark.parametrize("silent_s", [0, 19, -19])
def test_two_looks_do_not_overlap(source, silent_s):
    row = publish(source, series())
    beat_at = timezone.now() - timedelta(seconds=silent_s)
    Source.objects.update(refreshing_since=timezone.now(), reader_beat_at=beat_at)

    assert refresh_source(row) is None
    assert source.requests == []


@pytest.mark.parametrize("silent_s", [21, -21], ids=["killed", "clock-was-ahead"])
def test_source_whose_reader_is_silent_is_taken_over(source, silent_s):
    row = publish(source, series())
    beat_at = timezone.now() - timedelta(seconds=silent_s)
    Source.objects.update(refreshing_since=beat_at, reader_beat_at=beat_at)

    assert refresh_source(row) is not None


@pytest.mark.django_db(transaction=True)
def test_what_another_took_over_meanwhile_is_not_kept(source):
    """A machine that slept goes on with what it had asked for."""
    row = publish(source)
    other = timezone.now() + timedelta(seconds=1)

    def answer(request: Request) -> None:
        Source.objects.update(refreshing_since=other, reader_beat_at=other)
        connections.close_all()
        request.answer(200, catalogue(series()).encode(), type="application/json")

    source.behave("/c.json", answer)

    assert refresh_source(row) is None
    assert not SourceSeries.objects.exists()
    assert Source.objects.get().refreshing_since == other


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.django_db(transaction=True)
def test_what_is_changed_meanwhile_is_read_again(source, admin_client, status):
    """Nothing of the old address is kept for the new one."""
    row = publish(source)
    moved = source.put("/moved.json", catalogue(series()))
    form = {"name": row.name, "url": moved, "private_hosts": row.private_hosts}
    limits = {"every_minutes": 60, "concurrency": 2, "delay_s": 0, "retries": 5}

    def answer(request: Request) -> None:
        page = reverse("admin:downloads_source_change", args=[row.pk])
        sent = admin_client.post(
            page, form | limits | {"limit_kib_per_s": 0, "is_enabled": "on"}
        )
        assert sent.status_code == 302
        connections.close_all()
        headers = {"type": "application/json", "ETag": '"old"'}
        request.answer(status, catalogue(series()).encode(), **headers)

    source.behave("/c.json", answer)

    refresh_source(row)

    row.refresh_from_db()
    assert (row.url, row.etag, row.title, row.error) == (moved, "", "", "")
    assert (row.due_at, row.refreshing_since) == (None, None)
    assert not SourceSeries.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [200, 500])
def test_source_that_is_removed_while_it_is_read_is_left_alone(source, status):
    row = publish(source)

    def answer(request: Request) -> None:
        Source.objects.all().delete()
        connections.close_all()
        request.answer(status, catalogue(series()).encode())

    source.behave("/c.json", answer)

    refresh_source(row)

    assert not Source.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_reader_whose_database_was_away_goes_on_saying_that_it_lives(
    source, monkeypatch
):
    monkeypatch.setattr("aniworld_site.downloads.heartbeats.BEAT_S", 0.02)
    beats: list[str] = []

    def beat() -> None:
        beats.append("tried")
        if len(beats) == 1:
            raise OperationalError("away")

    with beating(beat):
        until(lambda: len(beats) > 2, what="more beats")


@pytest.mark.django_db(transaction=True)
def test_reader_says_that_it_lives_as_long_as_it_waits(source, monkeypatch):
    monkeypatch.setattr("aniworld_site.downloads.heartbeats.BEAT_S", 0.02)
    row = publish(source)
    long_ago = timezone.now() - timedelta(minutes=1)

    def answer(request: Request) -> None:
        Source.objects.update(reader_beat_at=long_ago)
        until(lambda: not Source.objects.filter(reader_beat_at=long_ago).exists())
        connections.close_all()
        request.answer(200, catalogue(series()).encode(), type="application/json")

    source.behave("/c.json", answer)

    assert refresh_source(row) is not None
    assert Source.objects.get().refreshing_since is None


@pytest.mark.django_db(transaction=True)
def test_source_that_two_read_at_once_is_read_once(source):
    row = publish(source, series())
    is_asked, may_answer = threading.Event(), threading.Event()

    def wait(request: Request) -> None:
        is_asked.set()
        may_answer.wait(10)
        request.answer(200, catalogue(series()).encode(), type="application/json")

    source.behave("/c.json", wait)

    with ThreadPoolExecutor(max_workers=2) as pool:
        first = pool.submit(read, row)
        assert is_asked.wait(10)
        second = pool.submit(read, row).result(10)
        may_answer.set()
        refreshed = first.result(10)

    assert second is None
    assert refreshed is not None
    assert refreshed.error == ""
    assert len(source.requests) == 1


def read(row: Source) -> Refreshed | None:
    """Read a source in a thread, and leave no connection to the database behind."""
    try:
        return refresh_source(row)
    finally:
        connections.close_all()


def test_deleted_source_is_left_alone(source):
    row = publish(source, series())
    Source.objects.all().delete()

    assert refresh_source(row) is None


def test_queries_do_not_grow_with_the_episodes(source, django_assert_max_num_queries):
    make_series(ids={"tvmaze": "9"})
    many = [episode(number) for number in range(1, 151)]

    with django_assert_max_num_queries(40):
        refresh(source, series("x", *many, ids={"tvmaze": "9"}))

    assert Episode.objects.count() == 150


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"season": 0, "episode": 3}, (0, 3)),
        ({"season": None, "episode": 3}, (1, 3)),
        ({"season": None, "episode": None, "absolute": 26}, (2, 14)),
        ({"season": None, "episode": None, "absolute": 99}, None),
        ({"season": None, "episode": None, "title": "Night Show S03E04"}, (3, 4)),
        ({"season": None, "episode": None, "title": "The one with 12 men"}, None),
    ],
)
def test_place_is_told_or_left_open(source, fields, place):
    ours = make_series(ids={"tvmaze": "9"})
    make_episode(make_season(ours, number=2), number=14, absolute_number=26)

    refresh(source, series("x", episode(1, **fields), ids={"tvmaze": "9"}))

    offer = SourceEpisode.objects.get()
    linked = offer.episode
    assert (linked and (linked.season.number, linked.number)) == place
    assert offer.reason
