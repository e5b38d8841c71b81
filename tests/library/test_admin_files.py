from __future__ import annotations

import os

import pytest
from django.contrib.admin.models import LogEntry

from aniworld_site.library.messages import SeriesUpdated
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Season,
    SeriesFolder,
)
from realtime.testing import published
from tests.factories import make_episode, make_file, make_root, make_season, make_series
from tests.library.test_admin import count_queries, log_in, read_form, read_messages

pytestmark = pytest.mark.django_db

FILES, FOLDERS = "/admin/library/episodefile/", "/admin/library/seriesfolder/"
HOSTILE = [
    os.fsdecode(b"Caf\xe9 \xff.mkv"),
    "<script>alert(1)<b>.mkv",
    "gpj.\u202ekmv.mkv",
    "line\nbreak.mkv",
    "{% now 'Y' %}&amp;.mkv",
]


def page_of(row: EpisodeFile | SeriesFolder) -> str:
    return f"{FILES if isinstance(row, EpisodeFile) else FOLDERS}{row.pk}/change/"


def make_linked_file() -> EpisodeFile:
    return make_file(link=make_episode(number=1))


# Names


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_saved_and_logged(name: str) -> None:
    file = make_file(folder=name, name=name)
    client = log_in()

    pages = [client.get(FILES), client.get(page_of(file)), client.get(f"{FILES}?q=mkv")]
    saved = client.post(
        page_of(file), {**read_form(pages[1]), "is_locked": "on"}, follow=True
    )
    history, index = client.get(f"{FILES}{file.pk}/history/"), client.get("/admin/")

    file.refresh_from_db()
    assert {page.status_code for page in [*pages, saved, history, index]} == {200}
    assert len(read_messages(saved)) == 1
    assert (file.name, file.is_locked) == (name, True)
    assert "<script>alert" not in "".join(
        page.content.decode() for page in [*pages, saved, history, index]
    )
    assert LogEntry.objects.get().object_repr


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_folder_names_are_shown_saved_and_logged(name: str) -> None:
    folder = SeriesFolder.objects.create(root=make_root(), name=name)
    client = log_in()

    pages = [client.get(FOLDERS), client.get(page_of(folder))]
    saved = client.post(
        page_of(folder), {**read_form(pages[1]), "is_ignored": "on"}, follow=True
    )
    history = client.get(f"{FOLDERS}{folder.pk}/history/")

    folder.refresh_from_db()
    assert {page.status_code for page in [*pages, saved, history]} == {200}
    assert (folder.name, folder.is_ignored, folder.is_locked) == (name, True, True)


# Files


def test_list_takes_as_many_queries_for_thirty_rows_as_for_three() -> None:
    client = log_in()
    counts = []
    for number in (3, 27):
        for _each in range(number):
            make_file(root=make_root(), series=make_series())
        counts.append(count_queries(client, FILES))

    # Three roots make a filter of three lines, in the same query.
    assert counts[0] == counts[1]


def test_search_finds_names_and_folders() -> None:
    make_file(folder="Frieren", name="S01E01.mkv")
    make_file(folder="Another", name="frieren-like.mkv")
    make_file(folder="Third", name="03.mkv")

    response = log_in().get(FILES, {"q": "frieren"})

    assert {file.folder for file in response.context["cl"].result_list} == {
        "Frieren",
        "Another",
    }


@pytest.mark.parametrize("page", [f"{FILES}add/", f"{FOLDERS}add/"])
def test_rows_of_a_scan_are_not_added_by_hand(page: str) -> None:
    assert log_in().get(page).status_code == 403


def test_rows_of_a_scan_are_not_deleted_by_hand() -> None:
    assert (
        log_in().post(f"{FILES}{make_file().pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


@pytest.mark.django_db(transaction=True)
def test_link_by_hand_is_locked_and_reaches_open_pages() -> None:
    series = make_series(key="frieren")
    episode = make_episode(season=make_season(series=series, number=1), number=3)
    file = make_file(series=series)
    client = log_in()
    form = read_form(client.get(page_of(file)))

    with published() as sent:
        response = client.post(page_of(file), {**form, "links-0-episode": episode.pk})

    link = EpisodeFileLink.objects.get()
    file.refresh_from_db()
    assert response.status_code == 302
    assert (link.episode, link.is_locked, link.how, link.confidence) == (
        episode,
        True,
        "by hand",
        1.0,
    )
    assert (file.match, file.is_locked) == (EpisodeFile.Match.LINKED, True)
    assert Episode.objects.get().has_file
    assert ("series:frieren", 1) in {
        (room, message.have_count)
        for room, message in sent
        if isinstance(message, SeriesUpdated)
    }


def test_link_moved_to_another_episode_leaves_the_first_missing() -> None:
    file = make_linked_file()
    second = make_episode(Season.objects.get(), number=2)
    client = log_in()

    client.post(
        page_of(file),
        {**read_form(client.get(page_of(file))), "links-0-episode": second.pk},
    )

    assert EpisodeFileLink.objects.get().how == "by hand"
    assert dict(Episode.objects.values_list("number", "has_file")) == {
        1: False,
        2: True,
    }


def test_link_removed_by_hand_makes_the_file_unmatched() -> None:
    file = make_linked_file()
    client = log_in()

    client.post(
        page_of(file), {**read_form(client.get(page_of(file))), "links-0-DELETE": "on"}
    )

    file.refresh_from_db()
    assert (file.match, file.is_locked, Episode.objects.get().has_file) == (
        EpisodeFile.Match.UNMATCHED,
        True,
        False,
    )


def test_link_that_nobody_touched_stays_as_the_scan_made_it() -> None:
    file = make_linked_file()
    client = log_in()

    client.post(
        page_of(file), {**read_form(client.get(page_of(file))), "is_locked": "on"}
    )

    link = EpisodeFileLink.objects.get()
    assert (link.how, link.is_locked) == ("season and episode", False)


def test_only_episodes_of_its_series_can_be_chosen() -> None:
    file = make_linked_file()
    stranger = make_episode(
        season=make_season(series=make_series(), number=1), number=9
    )
    client = log_in()

    response = client.post(
        page_of(file),
        {**read_form(client.get(page_of(file))), "links-0-episode": stranger.pk},
    )

    assert response.status_code == 200
    assert not stranger.links.exists()


def test_series_of_a_linked_file_is_not_changed_under_its_links() -> None:
    file = make_linked_file()
    client = log_in()

    response = client.post(
        page_of(file),
        {**read_form(client.get(page_of(file))), "series": make_series().pk},
    )

    assert "It is linked to episodes of another series." in response.content.decode()


def test_page_of_a_file_asks_once_for_its_episodes() -> None:
    client = log_in()
    file = make_linked_file()
    counts = []
    for number in (2, 3):
        counts.append(count_queries(client, page_of(file)))
        EpisodeFileLink.objects.create(
            file=file,
            episode=make_episode(Season.objects.get(), number=number),
            how="plain",
            confidence=1,
        )

    assert counts[0] == counts[1]


def test_ignore_and_back() -> None:
    file = make_file()
    client = log_in()
    chosen = {"_selected_action": [file.pk]}

    ignored = client.post(FILES, {"action": "ignore", **chosen}, follow=True)
    file.refresh_from_db()
    state = file.match
    client.post(FILES, {"action": "unignore", **chosen})

    file.refresh_from_db()
    assert read_messages(ignored) == ["Ignored: 1."]
    assert (state, file.match) == (
        EpisodeFile.Match.IGNORED,
        EpisodeFile.Match.UNMATCHED,
    )


# Folders


def test_folder_given_to_a_series_is_set_by_a_person() -> None:
    series = make_series()
    folder = SeriesFolder.objects.create(root=make_root(), name="Frieren")
    client = log_in()

    client.post(
        page_of(folder), {**read_form(client.get(page_of(folder))), "series": series.pk}
    )

    folder.refresh_from_db()
    assert (folder.series, folder.is_locked) == (series, True)


def test_folder_that_is_left_alone_may_be_decided_by_a_scan() -> None:
    folder = SeriesFolder.objects.create(
        root=make_root(), name="Frieren", is_ignored=True, is_locked=True
    )
    client = log_in()
    form = read_form(client.get(page_of(folder)))
    del form["is_ignored"]

    client.post(page_of(folder), form)

    folder.refresh_from_db()
    assert (folder.is_ignored, folder.is_locked) == (False, False)
