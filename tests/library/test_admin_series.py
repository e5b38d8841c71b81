from __future__ import annotations

from typing import Any

import pytest

from aniworld_site.library.messages import SeriesUpdated
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    Scan,
    Series,
    SeriesFolder,
)
from realtime.testing import published
from tests.factories import (
    make_episode,
    make_file,
    make_root,
    make_scan,
    make_series,
)
from tests.library.test_admin import (
    count_queries,
    log_in,
    make_full_series,
    read_messages,
)

pytestmark = pytest.mark.django_db

LIST = "/admin/library/series/"


def titles(response: Any) -> set[str]:
    return {series.title for series in response.context["cl"].result_list}


def act(client: Any, action: str, *series: Series) -> Any:
    return client.post(
        LIST,
        {"action": action, "_selected_action": [each.pk for each in series]},
        follow=True,
    )


# The list


@pytest.mark.parametrize("query", ["", "?o=6.7", "?q=number", "?missing=yes"])
def test_list_takes_as_many_queries_for_thirty_rows_as_for_three(query: str) -> None:
    client = log_in()
    for index in range(3):
        make_full_series(f"Number {index}")
    few = count_queries(client, LIST + query)
    for index in range(3, 30):
        make_full_series(f"Number {index}")

    many = count_queries(client, LIST + query)

    assert many == few <= 9


def test_list_counts_episodes() -> None:
    make_full_series("Frieren")

    row = log_in().get(LIST).context["cl"].result_list[0]

    assert (row.have_count, row.missing_count, row.episode_count) == (1, 1, 2)


def test_list_sorts_by_missing() -> None:
    make_full_series("One missing")
    two = make_full_series("Two missing")
    make_episode(season=two.seasons.get(), number=3)

    response = log_in().get(f"{LIST}?o=-7")

    assert [series.title for series in response.context["cl"].result_list] == [
        "Two missing",
        "One missing",
    ]


@pytest.mark.parametrize("text", ["frier", "beyond-journeys", "Sousou no"])
def test_search_finds_title_key_and_folder(text: str) -> None:
    make_series(
        title="Frieren", key="beyond-journeys-end", folder="Sousou no Frieren (2023)"
    )
    make_series(title="Another", key="another", folder="Another (2012)")

    response = log_in().get(LIST, {"q": text})

    assert titles(response) == {"Frieren"}


def test_filter_by_missing() -> None:
    make_full_series("Lacks one")
    make_series(title="Lacks none")
    client = log_in()

    assert titles(client.get(f"{LIST}?missing=yes")) == {"Lacks one"}
    assert titles(client.get(f"{LIST}?missing=no")) == {"Lacks none"}


def test_filter_by_monitored() -> None:
    make_series(title="Followed")
    make_series(title="Left", is_monitored=False)

    assert titles(log_in().get(f"{LIST}?is_monitored__exact=0")) == {"Left"}


def test_filter_by_root() -> None:
    inside = make_full_series("Inside")
    make_series(title="Nowhere")
    client = log_in()

    assert titles(client.get(f"{LIST}?root={inside.folders.get().root_id}")) == {
        "Inside"
    }
    assert titles(client.get(f"{LIST}?root=none")) == {"Nowhere"}


def test_filter_by_a_root_that_is_none_shows_everything() -> None:
    make_series(title="Frieren")

    assert titles(log_in().get(f"{LIST}?root=nonsense")) == {"Frieren"}


# Actions


@pytest.mark.django_db(transaction=True)
def test_unmonitor_reaches_open_pages() -> None:
    series, other = make_series(key="frieren"), make_series(key="other")
    client = log_in()

    with published() as sent:
        response = act(client, "unmonitor", series)

    assert read_messages(response) == ["1 series is no longer monitored now."]
    assert not Series.objects.get(pk=series.pk).is_monitored
    assert Series.objects.get(pk=other.pk).is_monitored
    assert {
        (room, message.key, message.is_monitored)
        for room, message in sent
        if isinstance(message, SeriesUpdated) and room != "library"
    } == {("series:frieren", "frieren", False)}


def test_monitor_twice_changes_nothing_the_second_time() -> None:
    series = make_series(is_monitored=False)
    client = log_in()
    act(client, "monitor", series)

    response = act(client, "monitor", series)

    assert read_messages(response) == ["0 series are monitored now."]


def test_monitor_needs_the_permission_to_change() -> None:
    series = make_series(is_monitored=False)

    act(log_in("view_series"), "monitor", series)

    assert not Series.objects.get(pk=series.pk).is_monitored


def test_scan_of_one_series_reads_its_folders_in_each_root() -> None:
    series = make_full_series("Frieren")
    SeriesFolder.objects.create(root=make_root(), name="Frieren", series=series)
    client = log_in(username="kim")

    response = act(client, "scan_selected", series)

    assert {
        (scan.root_id, scan.series_id, scan.requested_by) for scan in Scan.objects.all()
    } == {(folder.root_id, series.pk, "kim") for folder in series.folders.all()}
    assert all("has started" in message for message in read_messages(response))


def test_scan_of_several_series_in_a_root_is_one_of_the_whole_root() -> None:
    root = make_root()
    series = [make_series(folder_in=root) for _each in range(3)]

    act(log_in(), "scan_selected", *series)

    scan = Scan.objects.get()
    assert (scan.root_id, scan.series_id) == (root.pk, None)


def test_scan_joins_the_one_that_runs() -> None:
    series = make_full_series("Frieren")
    scan = make_scan(series.folders.get().root, state=Scan.State.QUEUED)

    response = act(log_in(), "scan_selected", series)

    assert Scan.objects.get() == scan
    assert "is being scanned already" in read_messages(response)[0]


def test_scan_says_what_has_no_folder() -> None:
    response = act(log_in(), "scan_selected", make_series())

    assert read_messages(response) == [
        "1 of the selected series have no folder yet, so there is nothing to scan for them."
    ]
    assert not Scan.objects.exists()


def test_scan_needs_its_permission() -> None:
    series = make_full_series("Frieren")

    act(log_in("view_series", "change_series"), "scan_selected", series)

    assert not Scan.objects.exists()


# Adding and removing


def test_added_series_gets_its_key_from_the_title() -> None:
    response = log_in().post(
        f"{LIST}add/", {"title": "Attack on Titan", "year": "2013", "key": "mine"}
    )

    series = Series.objects.get()
    assert response.status_code == 302
    assert (series.key, series.year) == ("attack-on-titan", 2013)


def test_added_series_with_a_taken_key_gets_another() -> None:
    make_series(title="Attack on Titan (old)", key="attack-on-titan")

    log_in().post(f"{LIST}add/", {"title": "Attack on Titan", "year": ""})

    assert (
        Series.objects.exclude(key="attack-on-titan")
        .get()
        .key.startswith("attack-on-titan-")
    )


def test_series_that_is_there_is_refused_with_a_sentence() -> None:
    client = log_in()
    client.post(f"{LIST}add/", {"title": "Frieren", "year": "2023"})

    response = client.post(
        f"{LIST}add/", {"title": "Frieren", "year": "2023"}, follow=True
    )

    assert read_messages(response)[-1] == "Frieren (2023) is in the library already."
    assert response.context["adminform"].form["title"].value() == "Frieren"
    assert Series.objects.count() == 1


def test_deleting_a_series_says_what_happens_and_forgets_its_files() -> None:
    series = make_full_series("Frieren")
    make_file(link=Episode.objects.get(number=1), is_locked=True)
    client = log_in()

    assert "its files stay" in client.get(f"{LIST}{series.pk}/delete/").content.decode()
    client.post(f"{LIST}{series.pk}/delete/", {"post": "yes"})

    assert not Series.objects.exists()
    assert not EpisodeFile.objects.exists()
