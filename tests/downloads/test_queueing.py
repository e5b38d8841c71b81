"""How episodes come into the queue: named, missing, or listed newly; and the command that does it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from aniworld_site.downloads.credentials import read_options
from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.downloads.queueing import give_roots
from aniworld_site.downloads.reconciling import store
from aniworld_site.downloads.refreshing import find_listing, refresh_source
from aniworld_site.downloads.services import (
    cancel_downloads,
    find_episodes,
    queue_episodes,
)
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode, RootFolder, Series
from tests.downloads.factories import (
    catalogue,
    episode,
    make_ended,
    make_listed,
    make_offer,
    make_source,
    series,
)
from tests.factories import make_episode, make_root, make_season, make_series

pytestmark = pytest.mark.django_db


def make_offered(count: int = 1) -> list[Episode]:
    make_root()
    season = make_season(make_series(key="night-show", title="Night Show"))
    listed = make_listed(series=season.series)
    episodes = [make_episode(season, number=number) for number in range(1, count + 1)]
    for each in episodes:
        make_offer(listed, episode=each, url="https://a.example/1.mkv")
    return episodes


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("queue", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def linked(source) -> Source:
    """A source whose one series is in the library, read once."""
    make_root()
    url = source.put("/c.json", catalogue(series("night-show", episode(1))))
    row = make_source(url=url)
    refresh_source(row)
    ours = make_series(key="night-show", title="Night Show")
    row.listed.update(series=ours)
    return row


def test_what_is_listed_newly_of_a_monitored_series_joins_by_itself(linked, source):
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))

    refresh_source(linked)

    download = Download.objects.get()
    assert (download.episode.number, download.requested_by) == (2, "system")


def test_what_was_there_when_the_series_was_linked_does_not_join(linked):
    refresh_source(linked, is_forced=True)

    assert not Download.objects.exists()


@pytest.mark.parametrize("what", ["unmonitored", "switched off", "unwanted"])
def test_what_nobody_asked_for_does_not_join(linked, source, what):
    if what == "unmonitored":
        Series.objects.update(is_monitored=False)
    if what == "switched off":
        Source.objects.update(queues_new=False)
    if what == "unwanted":
        season = make_season(Series.objects.get())
        make_episode(season, number=2, is_wanted=False)
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))

    refresh_source(linked)

    assert not Download.objects.exists()


def test_what_was_announced_joins_when_it_is_there(linked, source):
    announced = {**episode(2), "url": None}
    announced.pop("url")
    source.put("/c.json", catalogue(series("night-show", episode(1), announced)))
    refresh_source(linked)
    assert not Download.objects.exists()
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))

    refresh_source(linked)

    assert Download.objects.get().episode.number == 2


def test_without_a_root_folder_a_refresh_goes_well_all_the_same(linked, source):
    linked.listed.get().series.folders.all().delete()
    RootFolder.objects.all().delete()
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))

    refreshed = refresh_source(linked)

    assert refreshed is not None
    assert refreshed.error == ""
    make_root()
    refresh_source(linked)
    assert Download.objects.get().episode.number == 2


def test_what_a_killed_worker_had_stored_and_not_queued_joins_later(linked, source):
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))
    provider, listing = find_listing(read_options(linked), linked.kind)
    # All that it came to.
    store(linked, listing, is_complete=provider.is_complete)
    assert not Download.objects.exists()

    refresh_source(linked)
    refresh_source(linked, is_forced=True)

    assert [each.episode.number for each in Download.objects.all()] == [2]


def test_what_was_cancelled_does_not_join_again(linked, source):
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))
    refresh_source(linked)
    cancel_downloads(Download.objects.all(), keeps_part=False)

    refresh_source(linked, is_forced=True)

    assert not Download.objects.live().exists()


@pytest.mark.parametrize("name", ["S01E02", "s1e2", "1x02", "S1E002"])
def test_an_episode_is_named_as_people_do(name):
    episodes = make_offered(3)

    assert find_episodes(Series.objects.get(), [name]) == [episodes[1]]


def test_a_season_names_all_of_it():
    episodes = make_offered(3)

    assert find_episodes(Series.objects.get(), ["S01", "S01E02"]) == episodes


@pytest.mark.parametrize("name", ["", "E02", "two", "S99", "S01E99", "S-1E1"])
def test_another_name_is_refused_with_a_sentence(name):
    make_offered(1)
    with pytest.raises(DomainError, match=r"Expected an episode like|has no"):
        find_episodes(Series.objects.get(), [name])


def test_files_go_where_the_series_is(tmp_path):
    episodes = make_offered(1)
    home = make_root()
    ours = episodes[0].season.series
    ours.folders.create(root=home, name="Night Show")

    [download] = queue_episodes(episodes, by="me").downloads

    assert download.root == home


def test_command_adds_shows_and_steers():
    make_offered(2)

    assert run("add", "night-show", "S01") == "2 added.\n"
    told = run()
    assert "The queue is running: 0 active, 2 pending" in told
    first, second = Download.objects.order_by("position")
    assert run("pause", str(first.pk)) == "1 done.\n"
    assert run("move", "top", str(second.pk)) == "1 done.\n"
    assert [each.pk for each in Download.objects.all()] == [second.pk, first.pk]
    assert run("resume", str(first.pk)) == "1 done.\n"
    assert run("cancel", str(first.pk), "--keep") == "1 done.\n"
    assert run("retry", str(first.pk)) == "1 done.\n"
    assert run("stop") == "The queue is stopped.\n"
    assert run("start") == "The queue is running.\n"
    assert run("pause", "--minutes", "5") == "The queue is paused.\n"
    assert run("resume") == "The queue is running.\n"


def test_command_takes_all_that_ended_off_the_list():
    [queued] = queue_episodes(make_offered(1), by="me").downloads
    make_ended(3)
    make_ended(2, state="failed")

    assert run("remove", "--ended") == "5 done.\n"
    assert json.loads(run("--json", "remove", "--ended")) == {"done": 0}
    assert Download.objects.get() == queued


def test_command_speaks_json():
    make_offered(1)

    added = json.loads(run("--json", "add", "--missing"))["added"]
    told = json.loads(run("--json", "list"))

    assert told["downloads"][0]["id"] == added[0]
    assert (told["state"], told["pending"]) == ("running", 1)
    assert told["downloads"][0]["key"] == "night-show"
    assert json.loads(run("--json", "stop")) == {"state": "stopped"}
    # Where people write it.
    assert json.loads(run("start", "--json")) == {"state": "running"}
    assert json.loads(run("list", "--ended", "--json"))["downloads"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add"], "Expected a series and its episodes"),
        (["add", "nothing", "S01"], "No series has the key 'nothing'"),
        (["pause", "4711"], "There is no download 4711"),
        (["remove"], "Expected downloads by number, or --ended for all."),
        (["remove", "--ended", "1"], "by number or --ended, not both."),
        (["resume"], "The queue is running: it cannot be resumed."),
        (["pause", "--minutes", "0"], "Expected 1 to"),
        (["pause", "9" * 20], "There is no download 9{20}: "),
        (["move", "before", "1", "--target", "9" * 20], "There is no download 1: "),
        (["add", "--missing", "--root", "nowhere"], "No root folder is called"),
        (["add", "--missing", "--root", ""], "No root folder is called"),
    ],
)
def test_command_says_what_is_wrong(arguments, said):
    Queue.objects.create(pk=1)

    with pytest.raises(CommandError, match=said):
        run(*arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["before"], "Expected `before` and --target, or neither"),
        (["before", "--target", "4711"], "There is no download 4711"),
        (["top", "--target", "ended"], "Expected `before` and --target, or neither"),
        (["before", "--target", "ended"], "is done: it has no place in the queue."),
    ],
)
def test_command_moves_before_what_is_in_the_queue_alone(arguments, said):
    [queued] = queue_episodes(make_offered(1), by="me").downloads
    [ended] = make_ended()
    where, *target = [str(ended.pk) if each == "ended" else each for each in arguments]

    with pytest.raises(CommandError, match=said):
        run("move", where, str(queued.pk), *target)

    assert Download.objects.get(pk=queued.pk).position == queued.position


def test_command_adds_what_is_missing_as_it_is_told():
    make_offered(2)
    chosen = make_root()

    with pytest.raises(CommandError, match="Expected episodes or --missing, not both"):
        run("add", "night-show", "S01E01", "--missing")
    run("add", "night-show", "--missing", "--force", "--root", chosen.name)

    told = [(each.root, each.is_forced) for each in Download.objects.all()]
    assert told == [(chosen, True)] * 2


def test_command_says_how_many_it_does_not_show(monkeypatch):
    monkeypatch.setattr("aniworld_site.downloads.management.commands.queue.SHOWN", 2)
    queue_episodes(make_offered(3), by="me")

    told = run("list")

    assert told.endswith("And 1 more: --json lists all of them.\n")
    assert len(told.splitlines()) == 4
    assert len(json.loads(run("--json", "list"))["downloads"]) == 3


def test_what_lost_its_root_folder_gets_another():
    [download] = queue_episodes(make_offered(1), by="me").downloads
    RootFolder.objects.all().delete()
    assert give_roots() == 0
    another = make_root()

    assert give_roots() == 1

    download.refresh_from_db()
    assert (download.root, download.bytes_done, download.due_at) == (another, 0, None)
