from __future__ import annotations

import pytest

from aniworld_site.library.messages import SeriesUpdated
from aniworld_site.library.models import Episode, Season, Series
from realtime.testing import published
from tests.factories import make_episode, make_season, make_series
from tests.library.test_admin import count_queries, log_in, make_full_series, read_form

pytestmark = pytest.mark.django_db


def page_of(series: Series) -> str:
    return f"/admin/library/series/{series.pk}/change/"


def test_key_is_shown_and_cannot_be_changed() -> None:
    series = make_series(key="frieren")
    client = log_in()
    response = client.get(page_of(series))

    client.post(
        page_of(series), {**read_form(response), "key": "another", "title": "Renamed"}
    )

    changed = Series.objects.get(pk=series.pk)
    assert '<div class="readonly">frieren</div>' in response.content.decode()
    assert (changed.key, changed.title, changed.sort_title) == (
        "frieren",
        "Renamed",
        "renamed",
    )


def test_title_without_a_letter_is_refused() -> None:
    series = make_series(title="Frieren")
    client = log_in()

    response = client.post(
        page_of(series), {**read_form(client.get(page_of(series))), "title": "!!!"}
    )

    assert "at least one letter or digit" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_edit_of_a_series_reaches_open_pages() -> None:
    series = make_series(title="Frieren", key="frieren")
    client = log_in()
    form = read_form(client.get(page_of(series)))

    with published() as sent:
        client.post(page_of(series), {**form, "title": "Sousou no Frieren"})

    assert ("series:frieren", "Sousou no Frieren") in {
        (room, message.title)
        for room, message in sent
        if isinstance(message, SeriesUpdated)
    }


@pytest.mark.django_db(transaction=True)
def test_episode_is_edited_on_the_page_of_its_series() -> None:
    series = make_series(key="frieren")
    season = make_season(series=series, number=1)
    episode = make_episode(season=season, number=7, title="Old")
    client = log_in()
    form = read_form(client.get(page_of(series)))
    row = f"season_{season.pk}-0"
    del form[f"{row}-is_wanted"]

    with published() as sent:
        response = client.post(
            page_of(series),
            {
                **form,
                f"{row}-title": "Like a Fairy Tale",
                f"{row}-air_date": "2023-09-29",
                f"{row}-absolute_number": "7",
            },
        )

    episode.refresh_from_db()
    assert response.status_code == 302
    assert (
        episode.title,
        str(episode.air_date),
        episode.absolute_number,
        episode.is_wanted,
    ) == ("Like a Fairy Tale", "2023-09-29", 7, False)
    assert ("series:frieren", 0) in {
        (room, message.missing_count)
        for room, message in sent
        if isinstance(message, SeriesUpdated)
    }


def test_season_and_episode_are_added_on_the_page_of_their_series() -> None:
    series = make_series()
    client = log_in()
    client.post(
        page_of(series),
        {**read_form(client.get(page_of(series))), "seasons-0-number": "2"},
    )
    season = Season.objects.get(series=series)
    form = read_form(client.get(page_of(series)))

    response = client.post(
        page_of(series),
        {
            **form,
            f"season_{season.pk}-0-number": "1",
            f"season_{season.pk}-0-title": "First",
        },
    )

    assert response.status_code == 302
    assert [(str(episode), episode.title) for episode in Episode.objects.all()] == [
        ("S02E01", "First")
    ]


def test_untouched_page_saves_nothing_new() -> None:
    series = make_full_series("Frieren")
    client = log_in()

    response = client.post(page_of(series), read_form(client.get(page_of(series))))

    assert response.status_code == 302
    assert (Season.objects.count(), Episode.objects.count()) == (1, 2)


def test_two_episodes_with_one_number_are_refused() -> None:
    series = make_full_series("Frieren")
    client = log_in()
    form = read_form(client.get(page_of(series)))

    response = client.post(
        page_of(series), {**form, f"season_{series.seasons.get().pk}-1-number": "1"}
    )

    assert response.status_code == 200
    assert "Please correct the" in response.content.decode()


def test_episode_with_a_file_is_not_deleted() -> None:
    series = make_full_series("Frieren")
    client = log_in()
    row = f"season_{series.seasons.get().pk}-0"

    response = client.post(
        page_of(series),
        {**read_form(client.get(page_of(series))), f"{row}-DELETE": "on"},
    )

    assert (
        "S01E01 has a file, so the next scan would bring it back"
        in response.content.decode()
    )
    assert Episode.objects.count() == 2


def test_season_with_a_file_is_not_deleted() -> None:
    series = make_full_series("Frieren")
    client = log_in()

    response = client.post(
        page_of(series),
        {**read_form(client.get(page_of(series))), "seasons-0-DELETE": "on"},
    )

    assert "Season 1 has a file" in response.content.decode()
    assert Season.objects.exists()


def test_episode_without_a_file_is_deleted() -> None:
    series = make_full_series("Frieren")
    client = log_in()
    row = f"season_{series.seasons.get().pk}-1"

    client.post(
        page_of(series),
        {**read_form(client.get(page_of(series))), f"{row}-DELETE": "on"},
    )

    assert [episode.number for episode in Episode.objects.all()] == [1]


def test_episode_that_is_gone_meanwhile_is_a_sentence() -> None:
    series = make_full_series("Frieren")
    client = log_in()
    form = read_form(client.get(page_of(series)))
    Episode.objects.filter(number=2).delete()

    response = client.post(
        page_of(series), {**form, f"season_{series.seasons.get().pk}-1-title": "Late"}
    )

    assert (
        "At least one episode is gone meanwhile, so nothing was saved."
        in response.content.decode()
    )


def test_episode_that_a_scan_adds_meanwhile_shifts_no_row() -> None:
    series = make_series()
    season = make_season(series=series, number=1)
    Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(2, 203)
    )
    client = log_in()
    url = f"{page_of(series)}?season=1&page=2"
    form = read_form(client.get(url))
    make_episode(season=season, number=1)

    response = client.post(url, {**form, f"season_{season.pk}-0-title": "The 101st"})

    assert response.status_code == 302
    assert Episode.objects.get(title="The 101st").number == 102


def test_row_of_another_series_is_not_changed() -> None:
    series, other = make_full_series("Frieren"), make_full_series("Other")
    theirs = Episode.objects.get(season__series=other, number=1)
    client = log_in()
    row = f"season_{series.seasons.get().pk}-0"

    client.post(
        page_of(series),
        {
            **read_form(client.get(page_of(series))),
            f"{row}-id": theirs.pk,
            f"{row}-title": "Mine",
        },
    )

    assert not Episode.objects.filter(title="Mine").exists()


def test_long_series_is_shown_a_page_at_a_time() -> None:
    series = make_series()
    season = make_season(series=series, number=1)
    Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(1, 1001)
    )
    client = log_in()

    response = client.get(f"{page_of(series)}?season=1&page=10")

    body, form = response.content.decode(), read_form(response)
    assert "Season 1: episodes 901 to 1000 of 1000" in body
    assert "up to 100 episodes of one season are shown at a time" in body
    assert len(form) < 1000


@pytest.mark.parametrize(
    "query",
    [
        "season=x&page=y",
        "season=1&page=0",
        "season=1&page=99999999999",
        "season=99&page=-1",
        "page=²",
    ],
)
def test_nonsense_in_the_address_shows_the_first_page(query: str) -> None:
    series = make_full_series("Frieren")

    assert log_in().get(f"{page_of(series)}?{query}").status_code == 200


def test_page_of_a_series_takes_as_many_queries_for_thirty_episodes_as_for_three() -> (
    None
):
    client = log_in()
    series = make_series()
    season = make_season(series=series, number=1)
    Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(1, 4)
    )
    few = count_queries(client, page_of(series))
    Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(4, 31)
    )

    assert count_queries(client, page_of(series)) == few


def test_page_is_read_only_for_those_who_may_only_look() -> None:
    series = make_full_series("Frieren")
    client = log_in("view_series", "view_season", "view_episode")

    page = client.get(page_of(series))
    response = client.post(page_of(series), {"title": "Mine"})

    assert page.status_code == 200
    assert 'name="title"' not in page.content.decode()
    assert response.status_code == 403
