"""What a person can do on the library's pages, as plain forms: done, refused, asked twice, gone."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from aniworld_site.library.fields import to_stored
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    RootFolder,
    Scan,
    Series,
    SeriesFolder,
)
from tests.factories import (
    VIEW,
    make_episode,
    make_file,
    make_root,
    make_scan,
    make_season,
    make_series,
    make_user,
)

pytestmark = pytest.mark.django_db
ACTIONS: dict[str, tuple[str, list[str | int]]] = {
    "library:series_scan": ("library.scan_rootfolder", ["x"]),
    "library:series_monitor": ("library.change_series", ["x"]),
    "library:episode_wanted": ("library.change_series", ["x"]),
    "library:scan_cancel": ("library.scan_rootfolder", [1]),
    "library:files_assign": ("library.change_series", []),
    "library:files_ignore": ("library.change_series", []),
    "library:folder_assign": ("library.change_series", []),
    "library:folder_ignore": ("library.change_series", []),
    "library:root_add": ("library.change_rootfolder", []),
    "library:root_edit": ("library.change_rootfolder", [1]),
    "library:root_scan": ("library.scan_rootfolder", [1]),
    "library:root_confirm_vanished": ("library.scan_rootfolder", [1]),
    "library:root_remove": ("library.change_rootfolder", [1]),
}


@pytest.fixture
def operator(client):
    client.force_login(
        make_user((*VIEW, *{permission for permission, _args in ACTIONS.values()}))
    )
    return client


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.parametrize("name", ACTIONS)
def test_action_refuses_those_without_its_permission(client, name):
    permission, args = ACTIONS[name]
    others = {other for other, _args in ACTIONS.values()} - {permission}
    client.force_login(make_user((*VIEW, *others)))

    response = client.post(reverse(name, args=args))

    assert response.status_code == 403
    assert "Your account may not" in response.content.decode()


@pytest.mark.parametrize("name", ACTIONS)
def test_action_is_no_page(operator, name):
    assert operator.get(reverse(name, args=ACTIONS[name][1])).status_code == 405


@pytest.mark.parametrize("name", ACTIONS)
def test_action_asks_strangers_to_log_in(client, name):
    response = client.post(reverse(name, args=ACTIONS[name][1]))

    assert response.status_code == 302
    assert "/login/" in response["Location"]


@pytest.mark.parametrize("name", [name for name in ACTIONS if ACTIONS[name][1]])
def test_action_on_what_is_gone_is_not_found(operator, name):
    args = ["gone" if arg == "x" else 999_999 for arg in ACTIONS[name][1]]

    assert operator.post(reverse(name, args=args)).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "\nhttp://x",
        "series/",
    ],
)
def test_action_never_leads_to_another_site(operator, target):
    response = operator.post(
        reverse("library:series_monitor", args=[make_series().key]), {"next": target}
    )

    assert response["Location"] == "/"


def test_action_leads_back_to_its_page(operator):
    response = operator.post(
        reverse("library:series_monitor", args=[make_series().key]),
        {"next": "/series/?q=a&page=2"},
    )

    assert response["Location"] == "/series/?q=a&page=2"


def test_series_is_monitored_and_no_longer(operator):
    series = make_series()
    address = reverse("library:series_monitor", args=[series.key])

    operator.post(address, {"monitored": "0"})
    operator.post(address, {"monitored": "0"})
    assert not Series.objects.get().is_monitored

    operator.post(address, {"monitored": "1"})
    assert Series.objects.get().is_monitored


def test_ticked_episodes_are_not_wanted_and_others_of_another_series_stay(operator):
    season = make_season()
    ticked, other = make_episode(season), make_episode()

    response = operator.post(
        reverse("library:episode_wanted", args=[season.series.key]),
        {"wanted": "0", "season": 1, "episodes": [ticked.pk, other.pk]},
    )

    assert said(response) == "1 episode is now not wanted."
    assert not Episode.objects.get(pk=ticked.pk).is_wanted
    assert Episode.objects.get(pk=other.pk).is_wanted


def test_whole_season_is_wanted(operator):
    season = make_season(number=2)
    for _ in range(3):
        make_episode(season, is_wanted=False)

    operator.post(
        reverse("library:episode_wanted", args=[season.series.key]),
        {"wanted": "1", "season": 2, "whole": "1"},
    )

    assert Episode.objects.filter(is_wanted=True).count() == 3


def test_nothing_ticked_is_said(operator):
    response = operator.post(
        reverse("library:episode_wanted", args=[make_series().key]),
        {"wanted": "1", "season": 1},
    )

    assert said(response) == "Tick at least one episode first."


def test_root_is_scanned_once_however_often_it_is_asked(operator):
    root = make_root()

    for _ in range(2):
        operator.post(reverse("library:root_scan", args=[root.pk]))

    scan = Scan.objects.get()
    assert (scan.root, scan.state, scan.accepts_vanished) == (
        root,
        Scan.State.QUEUED,
        False,
    )


def test_confirming_asks_for_a_scan_that_accepts(operator):
    root = make_root(held_vanished=9)

    operator.post(reverse("library:root_confirm_vanished", args=[root.pk]))

    assert Scan.objects.get().accepts_vanished


def test_series_without_a_folder_cannot_be_scanned(operator):
    response = operator.post(reverse("library:series_scan", args=[make_series().key]))

    assert response.status_code == 302
    assert "folder" in said(response)
    assert not Scan.objects.exists()


def test_series_is_scanned_in_each_of_its_roots(operator):
    series = make_series(folder_in=make_root())
    SeriesFolder.objects.create(root=make_root(), name="Other", series=series)

    operator.post(reverse("library:series_scan", args=[series.key]))

    assert Scan.objects.filter(series=series).count() == 2


def test_scan_that_ended_cannot_be_stopped(operator):
    response = operator.post(reverse("library:scan_cancel", args=[make_scan().pk]))

    assert "ended already" in said(response)


def test_waiting_scan_is_stopped(operator):
    scan = make_scan(state=Scan.State.QUEUED)

    operator.post(reverse("library:scan_cancel", args=[scan.pk]))

    scan.refresh_from_db()
    assert scan.state == Scan.State.CANCELLED or scan.is_cancel_requested


def test_root_is_added(operator, tmp_path):
    response = operator.post(
        reverse("library:root_add"), {"path": str(tmp_path), "name": "Mine"}
    )

    assert response.status_code == 302
    assert RootFolder.objects.get().name == "Mine"
    assert Scan.objects.get().root.name == "Mine"


def test_root_added_by_someone_who_may_not_scan_is_not_read(client, tmp_path):
    client.force_login(make_user((*VIEW, "library.change_rootfolder")))

    response = client.post(reverse("library:root_add"), {"path": str(tmp_path)})

    assert "until it is scanned" in said(response)
    assert not Scan.objects.exists()


@pytest.mark.parametrize(
    "path", ["/not/there/at/all", "relative/path", "/", "", "/etc/hostname", "/a\x00b"]
)
def test_root_that_cannot_be_is_refused_with_what_was_typed(operator, path):
    response = operator.post(reverse("library:root_add"), {"path": path})

    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not RootFolder.objects.exists()


def test_root_is_renamed(operator):
    root = make_root()

    operator.post(
        reverse("library:root_edit", args=[root.pk]),
        {"name": "New name", "is_anime": "true"},
    )

    root.refresh_from_db()
    assert (root.name, root.is_anime) == ("New name", True)


def test_root_keeps_its_name_when_the_new_one_is_taken(operator):
    make_root(name="Taken")
    root = make_root(name="Mine")

    response = operator.post(
        reverse("library:root_edit", args=[root.pk]),
        {"name": "Taken", "is_anime": "unknown"},
    )

    assert "already exists" in said(response)
    assert RootFolder.objects.get(pk=root.pk).name == "Mine"


def test_root_is_removed_after_a_question(operator):
    root = make_root()

    question = operator.get(reverse("library:root_confirm_remove", args=[root.pk]))
    assert "are not touched" in question.content.decode()
    assert RootFolder.objects.exists()

    operator.post(reverse("library:root_remove", args=[root.pk]))
    assert not RootFolder.objects.exists()


def test_root_being_read_is_not_removed(operator):
    root = make_root()
    make_scan(root, state=Scan.State.RUNNING)

    operator.post(reverse("library:root_remove", args=[root.pk]))

    assert RootFolder.objects.exists()


def test_files_are_assigned_by_hand(operator):
    series, file = make_series(key="echo"), make_file(name="strange.mkv")

    response = operator.post(
        reverse("library:files_assign"),
        {"files": [file.pk], "series": "echo", "season": 1, "episode": 3},
    )

    assert "assigned to" in said(response)
    link = EpisodeFile.objects.get().links.get()
    assert (link.episode.season.series, link.episode.number, link.is_locked) == (
        series,
        3,
        True,
    )


def test_files_are_not_assigned_to_nobody(operator):
    file = make_file()

    response = operator.post(
        reverse("library:files_assign"), {"files": [file.pk], "series": "nobody"}
    )

    assert "No series is called" in said(response)
    assert EpisodeFile.objects.get().match == EpisodeFile.Match.UNMATCHED


def test_files_are_ignored_and_back(operator):
    file = make_file()

    operator.post(reverse("library:files_ignore"), {"files": [file.pk]})
    assert EpisodeFile.objects.get().match == EpisodeFile.Match.IGNORED

    operator.post(
        reverse("library:files_ignore"), {"files": [file.pk], "unignore": "1"}
    )
    assert EpisodeFile.objects.get().match == EpisodeFile.Match.UNMATCHED


def test_folder_with_an_undecodable_name_becomes_a_new_series(operator):
    root = make_root()
    folder = "Odd \udcff"
    make_file(root=root, folder=folder, name="Odd - S01E02.mkv")

    response = operator.post(
        reverse("library:folder_assign"),
        {"root": root.pk, "folder": to_stored(folder), "title": "Odd", "year": 2020},
    )

    assert "from now on" in said(response)
    row = SeriesFolder.objects.get(name=folder)
    assert row.series is not None
    assert (row.series.title, row.series.year, row.is_locked) == ("Odd", 2020, True)


def test_folder_becomes_a_series_that_is_there(operator):
    series, root = make_series(key="echo"), make_root()
    make_file(root=root, folder="Strange")

    operator.post(
        reverse("library:folder_assign"),
        {
            "root": root.pk,
            "folder": "Strange",
            "series": "echo",
            "title": "Ignored then",
        },
    )

    assert SeriesFolder.objects.get().series == series


def test_folder_is_ignored(operator):
    root = make_root()
    make_file(root=root, folder="Trailers")

    operator.post(
        reverse("library:folder_ignore"), {"root": root.pk, "folder": "Trailers"}
    )

    assert SeriesFolder.objects.get().is_ignored
    assert EpisodeFile.objects.get().match == EpisodeFile.Match.IGNORED


def test_folder_that_is_not_there_is_said(operator):
    response = operator.post(
        reverse("library:folder_ignore"), {"root": make_root().pk, "folder": "../.."}
    )

    assert response.status_code == 302
    assert said(response)
    assert not SeriesFolder.objects.exists()
