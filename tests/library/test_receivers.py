"""What is said in which room when something happens, and who may listen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from aniworld_site.library import services
from aniworld_site.library.models import Episode, EpisodeFile, Series
from aniworld_site.library.transitions import ScanRequest, cancel_scan, open_scan
from realtime.messages import Message
from realtime.publishing import Publication
from realtime.rooms import get_room
from realtime.testing import published
from tests.factories import make_episode, make_root, make_season, make_series, make_user
from tests.library.shelves import make_shelf
from tests.library.trees import add, scan, write_season

pytestmark = pytest.mark.django_db(transaction=True)


def types(publications: list[Publication], room: str) -> list[str]:
    return [each.message.type for each in publications if each.room == room]


def all_of(publications: list[Publication], kind: str) -> list[Any]:
    return [each.message for each in publications if each.message.type == kind]


def last(publications: list[Publication], room: str, kind: str) -> Any:
    found: list[Message] = [
        each.message
        for each in publications
        if (each.room, each.message.type) == (room, kind)
    ]
    return found[-1]


def test_a_scan_is_told_from_its_request_to_its_end(tmp_path: Path):
    write_season(tmp_path, "Dark (2017)", episodes=3)
    root = add(tmp_path)

    with published() as publications:
        ended = scan(root)

    said = types(publications, "scan")
    assert (said[:2], said[-1]) == (["scan_started", "scan_started"], "scan_complete")
    progress = last(publications, "scan", "scan_progress")
    assert (progress.scan_id, progress.current, progress.total, progress.percent) == (
        ended.pk,
        3,
        3,
        100,
    )
    complete = last(publications, "scan", "scan_complete")
    assert (
        complete.series_found,
        complete.added,
        complete.updated,
        complete.vanished,
        complete.unmatched,
    ) == (1, 3, 0, 0, 0)
    assert complete.duration >= 0
    updated = last(publications, "series:dark", "series_updated")
    assert (
        updated.key,
        updated.folder,
        updated.year,
        updated.have_count,
        updated.missing_count,
    ) == ("dark", "Dark (2017)", 2017, 3, 0)
    assert last(publications, "library", "root_updated").file_count == 3


def test_progress_names_the_series_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark", episodes=3)
    root = add(tmp_path)
    scan(root)
    monkeypatch.setattr("aniworld_site.library.scanner.REPORT_S", 0)

    with published() as publications:
        scan(root)

    reports = all_of(publications, "scan_progress")
    named = {(report.key, report.folder) for report in reports}
    assert ("dark", "Dark/Season 01") in named


def test_a_failed_and_a_cancelled_scan_are_told():
    with published() as publications:
        scan(make_root(path="/nowhere/at/all"))
        cancel_scan(open_scan(ScanRequest(root=make_root(), by="tests"))[0])

    failed, cancelled = all_of(publications, "scan_failed")
    assert (failed.cancelled, cancelled.cancelled) == (False, True)
    assert "cannot be read" in failed.error_message


@pytest.mark.parametrize(
    "change",
    [
        lambda series: series.save(),
        lambda series: Episode.objects.get().save(),
        lambda series: Episode.objects.get().delete(),
        lambda series: series.seasons.get().delete(),
        lambda series: services.set_wanted(Episode.objects.all(), is_wanted=False),
        lambda series: services.set_monitored(Series.objects.all(), is_monitored=False),
        lambda series: services.rename_series(series, "Another"),
    ],
    ids=[
        "series saved",
        "episode saved",
        "episode deleted",
        "season deleted",
        "unwanted",
        "unmonitored",
        "renamed",
    ],
)
def test_each_change_of_a_series_reaches_its_room_and_the_library(change):
    series = make_series(key="dark")
    make_episode(make_season(series))

    with published() as publications:
        change(series)

    assert "series_updated" in types(publications, "series:dark")
    assert "series_updated" in types(publications, "library")


def test_a_removed_series_is_told():
    make_series(key="dark")

    with published() as publications:
        services.remove_series(Series.objects.all())

    assert types(publications, "series:dark") == ["series_removed"]
    assert types(publications, "library") == ["series_removed"]


def test_saving_a_root_is_told():
    with published() as publications:
        make_root(name="Films")

    assert last(publications, "library", "root_updated").root == "Films"


def test_odd_names_are_valid_messages(tmp_path: Path):
    write_season(tmp_path, "D\udcffrk \u202e<b>", episodes=1)

    with published() as publications:
        ended = scan(add(tmp_path))

    assert ended.state == "done"
    assert EpisodeFile.objects.count() == 1
    assert all(each.message.encode_data().encode() for each in publications)


@pytest.mark.parametrize(
    "room", ["scan", "library", "series:dark", "downloads", "queue"]
)
def test_only_those_who_may_see_may_join(room: str):
    assert get_room(room).may_join(make_user())
    assert not get_room(room).may_join(make_user(perms=()))
    assert not get_room(room).may_join(make_user(is_active=False))
    assert not get_room(room).may_join(AnonymousUser())


def test_everybody_who_is_logged_in_may_join_the_system():
    assert get_room("system").may_join(make_user(perms=()))
    assert not get_room("system").may_join(AnonymousUser())


def test_a_series_that_goes_with_all_of_its_own_is_told_once(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=30)
    write_season(tmp_path, "Light", episodes=2)
    scan(add(tmp_path))

    with published() as publications:
        services.remove_series(Series.objects.filter(key="dark"))

    assert types(publications, "series:dark") == ["series_removed"]
    assert types(publications, "library") == ["series_removed", "root_updated"]


def test_what_one_transaction_changes_is_told_once():
    season = make_season(make_series(key="dark"))

    with published() as publications, transaction.atomic():
        for number in range(1, 21):
            make_episode(season, number=number)

    assert types(publications, "series:dark") == ["series_updated"]
    assert last(publications, "series:dark", "series_updated").episode_count == 20


def test_a_file_operation_tells_of_its_series_once(tmp_path: Path):
    shelf = make_shelf(tmp_path)
    shelf.bring()
    room = f"series:{shelf.episode.season.series.key}"

    with published() as publications:
        shelf.move("Dark/Season 01/E01.mkv")

    assert types(publications, room) == ["series_updated"]


def test_what_is_rolled_back_is_not_told():
    season = make_season(make_series(key="dark"))

    with published() as publications:
        with transaction.atomic():
            make_episode(season, number=1)
            transaction.set_rollback(True)
        make_episode(season, number=2)

    assert last(publications, "series:dark", "series_updated").episode_count == 1
    assert types(publications, "series:dark") == ["series_updated"]


def test_what_cannot_be_told_fails_nobodys_action(caplog):
    after: list[str] = []

    with published() as publications, transaction.atomic():
        series = make_series(key="no key")
        transaction.on_commit(lambda: after.append("committed"))
    make_season(series)

    assert (after, publications) == (["committed"], [])
    assert caplog.text.count("Changes of series cannot be told") == 2
    assert "ValidationError" in caplog.text
