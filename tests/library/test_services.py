"""What a person can do with the library: each wish, and each refusal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import services
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    Series,
    SeriesFolder,
)
from aniworld_site.library.signals import root_changed, series_changed
from aniworld_site.library.transitions import claim_scan
from tests.factories import make_root, make_series
from tests.library.trees import add, at, counts, numbers, scan, write, write_season

pytestmark = pytest.mark.django_db


def test_add_root_takes_a_folder_and_names_it(tmp_path: Path):
    (tmp_path / "Anime").mkdir()

    root = services.add_root(f"{tmp_path}/Anime/")

    assert (root.path, root.name) == (str(tmp_path / "Anime"), "Anime")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("series", "by its absolute path"),
        ("", "by its absolute path"),
        ("/no\0ne", "by its absolute path"),
        ("{place}/nothing", "does not exist"),
        ("{place}/file", "is a file"),
        ("/", "The whole file system"),
        ("{place}/taken", "is in the library already, as taken"),
        ("{place}/taken/inside", "lie in one another"),
        ("{place}", "lie in one another"),
        ("{place}/link", "is in the library already, as taken"),
    ],
)
def test_add_root_refuses_with_a_sentence(tmp_path: Path, path: str, sentence: str):
    (tmp_path / "file").write_text("x")
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "taken")
    services.add_root(str(tmp_path / "taken"))

    with pytest.raises(DomainError, match=sentence):
        services.add_root(path.format(place=tmp_path))

    assert RootFolder.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("taken", "is taken by another root folder"), ("x" * 81, "at most 80 characters")],
)
def test_add_root_refuses_a_name(tmp_path: Path, name: str, sentence: str):
    make_root(name="taken")

    with pytest.raises(DomainError, match=sentence):
        services.add_root(str(tmp_path), name=name)


def test_add_root_refuses_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)

    with pytest.raises(DomainError, match="cannot be read: Permission denied"):
        services.add_root(str(tmp_path))


def test_remove_root_keeps_series_whose_episodes_are_missing_then(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    root = add(tmp_path)
    scan(root)

    services.remove_root(root)

    assert not EpisodeFile.objects.exists()
    assert Episode.objects.missing().count() == 2
    assert (tmp_path / "Dark/Season 01/Dark - S01E01.mkv").exists()


def test_remove_root_refuses_while_it_is_scanned():
    root = make_root()
    services.request_scan(root, by="tests")

    with pytest.raises(DomainError, match="cancel the scan first"):
        services.remove_root(root)


def test_request_scan_refuses_a_series_that_the_root_does_not_hold():
    with pytest.raises(DomainError, match="has no folder of"):
        services.request_scan(make_root(), by="tests", series=make_series())


def test_request_scan_wakes_the_worker_after_the_commit(
    django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
):
    woken = []
    monkeypatch.setattr(
        "aniworld_site.library.tasks.do_scan.apply_async",
        lambda args, **_options: woken.append(args),
    )

    with django_capture_on_commit_callbacks(execute=True):
        scan = services.request_scan(make_root(), by="tests")
        before = list(woken)

    assert (before, woken) == ([], [(scan.pk,)])


@pytest.mark.fault
def test_request_scan_without_a_broker_waits_in_the_database(
    valkey, django_capture_on_commit_callbacks, caplog
):
    valkey.kill()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            scan = services.request_scan(make_root(), by="tests")
    finally:
        valkey.start()

    assert Scan.objects.get().state == Scan.State.QUEUED
    assert f"Scan {scan.pk} waits for the broker" in caplog.text


def test_cancel_scan_refuses_one_that_has_ended(tmp_path: Path):
    ended = scan(add(tmp_path))

    with pytest.raises(DomainError, match="has ended already"):
        services.cancel_scan(ended)


def test_run_scan_here_leaves_another_processes_scan_alone():
    scan = services.request_scan(make_root(), by="tests")
    claim_scan(Scan.objects.get())

    assert not services.run_scan_here(scan)


def test_run_scan_here_does_the_scan_that_was_asked_for_meanwhile(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    root = add(tmp_path)
    scan(root)
    requested = services.request_scan(root, by="tests", series=Series.objects.get())

    def ask_again(**_kwargs):
        services.request_scan(root, by="tests")

    series_changed.connect(ask_again)
    write(tmp_path, "Dark/Season 01/Dark - S01E03.mkv")
    try:
        services.run_scan_here(requested)
    finally:
        series_changed.disconnect(ask_again)

    assert list(Scan.objects.order_by("pk").values_list("series__key", "state")) == [
        (None, "done"),
        ("dark", "done"),
        (None, "done"),
    ]


def test_add_series_makes_keys_that_differ_readably():
    keys = [
        services.add_series("The Office", year=year).key for year in (None, 2001, 2005)
    ]

    assert keys == ["the-office", "the-office-2001", "the-office-2005"]


@pytest.mark.parametrize("title", ["", "   ", "!!!"])
def test_add_series_refuses_an_empty_title(title: str):
    with pytest.raises(DomainError, match="at least one letter or digit"):
        services.add_series(title)


def test_add_series_refuses_a_double():
    services.add_series("Dark", year=2017)

    with pytest.raises(DomainError, match=r"dark \(2017\) is in the library already"):
        services.add_series("dark", year=2017)


def test_rename_series_keeps_the_key():
    series = services.add_series("Dark")

    services.rename_series(series, "The Light")

    series.refresh_from_db()
    assert (series.key, series.title, series.sort_title, series.match_key) == (
        "dark",
        "The Light",
        "light",
        "the light",
    )


def test_a_removed_series_is_found_again_by_the_next_scan(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    root = add(tmp_path)
    scan(root)

    removed = services.remove_series(Series.objects.all())
    again = scan(root)

    assert (removed, counts(again)) == (1, {"added": 2})
    assert Series.objects.get().key == "dark"


def test_set_monitored_announces_what_changed():
    changed = make_series(is_monitored=True)
    make_series(is_monitored=False)
    told: list[set[int]] = []

    def note(series_ids, **_kwargs):
        told.append(series_ids)

    series_changed.connect(note)
    try:
        count = services.set_monitored(Series.objects.all(), is_monitored=False)
    finally:
        series_changed.disconnect(note)

    assert (count, told) == (1, [{changed.pk}])


def test_what_is_not_wanted_is_not_missing(tmp_path: Path):
    write(tmp_path, "Dark/Season 01/Dark - S01E02.mkv")
    scan(add(tmp_path))

    assert services.set_wanted(Episode.objects.all(), is_wanted=False) == 2
    assert not Episode.objects.missing().exists()


def test_assign_files_links_by_the_numbers_in_their_names(tmp_path: Path):
    write(
        tmp_path,
        "Dump/Dark - S01E01.mkv",
        "Dump/Light - S01E02.mkv",
        "Dump/Grey - S02E03.mkv",
    )
    root = add(tmp_path)
    scan(root)
    series = services.add_series("Dark")

    count = services.assign_files(EpisodeFile.objects.all(), series=series)

    assert count == 3
    assert numbers(at("Dump/Grey - S02E03.mkv")) == ["S02E03"]
    assert not EpisodeFile.objects.unmatched().exists()
    scan(root, is_full=True)
    assert EpisodeFileLink.objects.filter(is_locked=True, how="by hand").count() == 3


def test_assign_files_takes_a_season_and_an_episode(tmp_path: Path):
    write(tmp_path, "Dump/what.mkv", "Dump/ever.mkv")
    scan(add(tmp_path))

    services.assign_files(
        EpisodeFile.objects.filter(name="what.mkv"),
        series=services.add_series("Dark"),
        season=0,
        episode=4,
    )

    assert numbers(at("Dump/what.mkv")) == ["S00E04"]


@pytest.mark.parametrize(
    ("season", "episode", "sentence"),
    [
        (None, None, "No episode number could be read from what.mkv"),
        (None, 3, "needs its season"),
    ],
)
def test_assign_files_refuses_and_changes_nothing(
    tmp_path: Path, season: int | None, episode: int | None, sentence: str
):
    write(tmp_path, "Dump/Dark - S01E01.mkv", "Dump/what.mkv")
    scan(add(tmp_path))

    with pytest.raises(DomainError, match=sentence):
        services.assign_files(
            EpisodeFile.objects.all(),
            series=services.add_series("Dark"),
            season=season,
            episode=episode,
        )

    assert not EpisodeFileLink.objects.filter(is_locked=True).exists()


def test_assign_folder_is_remembered_for_what_comes(tmp_path: Path):
    write(tmp_path, "Mixed/Dark - S01E01.mkv", "Mixed/Light - S01E02.mkv")
    root = add(tmp_path)
    scan(root)

    series = services.assign_folder(
        root, "Mixed", series=None, title="Mixed Tales", year=2001
    )
    write(tmp_path, "Mixed/Grey - S01E03.mkv")
    ended = scan(root)

    assert (series.key, series.year, counts(ended)) == (
        "mixed-tales",
        2001,
        {"added": 1},
    )
    assert (
        EpisodeFile.objects.filter(
            match=EpisodeFile.Match.LINKED, series=series
        ).count()
        == 3
    )
    assert [str(episode) for episode in Episode.objects.select_related("season")] == [
        "S01E01",
        "S01E02",
        "S01E03",
    ]


def test_assign_folder_moves_what_was_linked_to_another_series(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    root = add(tmp_path)
    scan(root)
    right = services.add_series("Dark", year=2017)

    services.assign_folder(root, "Dark", series=right)

    assert set(
        EpisodeFileLink.objects.values_list("episode__season__series__pk", flat=True)
    ) == {right.pk}
    assert not Episode.objects.filter(
        season__series__key="dark", has_file=True
    ).exists()
    assert Episode.objects.filter(season__series=right, has_file=True).count() == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Nothing", "has no folder Nothing"),
        ("a/b", "directly under the root"),
        ("", "directly under the root"),
    ],
)
def test_assign_folder_refuses_what_is_no_folder_of_the_root(name: str, sentence: str):
    with pytest.raises(DomainError, match=sentence):
        services.assign_folder(make_root(), name, series=make_series())


def test_ignored_files_stay_away_until_they_are_taken_back(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    write(tmp_path, "Dark/what.mkv")
    root = add(tmp_path)
    scan(root)

    ignored = services.ignore_files(EpisodeFile.objects.unmatched())
    scan(root, is_full=True)
    away = EpisodeFile.objects.unmatched().count()
    back = services.unignore_files(EpisodeFile.objects.filter(name="what.mkv"))

    assert (ignored, away, back) == (1, 0, 1)
    assert EpisodeFile.objects.unmatched().count() == 1


def test_an_ignored_folder_stays_ignored_with_what_comes_in_it(tmp_path: Path):
    write(tmp_path, "Home/birthday.mp4")
    root = add(tmp_path)
    scan(root)
    told: list[int] = []

    def note(root, **_kwargs):
        told.append(root.pk)

    root_changed.connect(note)
    try:
        services.ignore_folder(root, "Home")
    finally:
        root_changed.disconnect(note)
    write(tmp_path, "Home/Show - S01E01.mkv")
    ended = scan(root)

    assert counts(ended) == {"added": 1}
    assert told == [root.pk]
    assert not EpisodeFile.objects.unmatched().exists()
    assert not Series.objects.exists()
    assert SeriesFolder.objects.get().is_locked
