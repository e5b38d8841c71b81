"""A series' episodes as a list: who may see it, what each row says, and what its buttons do."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aniworld_site.downloads.models import Download
from aniworld_site.library.models import Episode, Series
from tests.downloads.conftest import MAY_LOOK
from tests.downloads.factories import make_listed, make_offer
from tests.factories import (
    make_episode,
    make_file,
    make_root,
    make_season,
    make_series,
    make_user,
)

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>"
LIVE = ("queued", "active", "paused", "waiting", "verifying", "importing")


@pytest.fixture
def series() -> Series:
    make_root()
    return make_series(title="Night Show", key="night-show")


@pytest.fixture
def season(series):
    return make_season(series)


def address(series: Series) -> str:
    return reverse("downloads:series_episodes", args=[series.key])


def look(client, series: Series, **filters: object):
    return client.get(address(series), filters).content.decode()


def get_row(page: str, episode: Episode) -> str:
    found = re.search(
        rf'<li id="episode-{episode.pk}".*?</div>\s*</li>', page, re.DOTALL
    )
    assert found is not None
    return found[0]


def read_words(row: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def list_buttons(row: str) -> list[str]:
    return re.findall(r'<button[^>]*aria-label="([^"]*)"', row)


def make_offered(season, **fields: object) -> Episode:
    episode = make_episode(season, **fields)
    listed = make_listed(series=season.series, key=f"x-{episode.pk}")
    make_offer(
        listed, episode=episode, url="https://a.example/1.mkv", size_bytes=3_000_000
    )
    return episode


def test_page_asks_strangers_to_log_in(client, series):
    make_user()

    assert client.get(address(series)).status_code == 302


def test_page_is_refused_without_permission(client, series):
    client.force_login(make_user(()))

    assert client.get(address(series)).status_code == 403


def test_page_is_only_looked_at(keeper, series):
    assert keeper.post(address(series)).status_code == 405


def test_a_series_that_is_not_there_is_a_page_that_says_so(viewer):
    response = viewer.get(reverse("downloads:series_episodes", args=["nobody"]))

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_page_of_an_empty_series_says_so(viewer, series):
    assert "No episode yet." in look(viewer, series)


def test_grid_and_list_lead_to_each_other(viewer, series):
    grid = viewer.get(series.get_absolute_url()).content.decode()

    assert f'<a href="{address(series)}">List</a>' in grid
    assert 'aria-current="page">Grid</a>' in grid
    assert 'aria-current="page">List</a>' in look(viewer, series)


def test_titles_are_text(keeper, series, season):
    series.title = HOSTILE
    series.save()
    episode = make_offered(season, title=HOSTILE)
    make_file(link=episode, name=HOSTILE)
    make_file(link=episode, name=f"2{HOSTILE}")
    Download.objects.create(episode=episode, state="failed", reason=HOSTILE)

    page = look(keeper, series)

    assert "<img src=x" not in page
    assert f'<span dir="auto">{HOSTILE.replace("<", "&lt;")[:-1]}&gt;</span>' in page


def test_page_allows_no_inline_script_or_style(keeper, series, season):
    Download.objects.create(episode=make_offered(season), state="active")

    assert not re.search(
        r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\bsrc=)",
        look(keeper, series),
    )


def test_rows_say_what_is_there_and_what_is_not(viewer, season):
    there = make_offered(season, number=1, title="Dusk", air_date="2013-04-07")
    make_file(link=there, size_bytes=2_000_000)
    missing = make_episode(season, number=2)
    unwanted = make_episode(season, number=3, is_wanted=False)
    announced = make_episode(season, number=4)
    make_offer(make_listed(series=season.series), episode=announced, url="")
    several = make_episode(season, number=5)
    make_file(link=several, name="a.mkv")
    make_file(link=several, name="b.mkv")
    special = make_episode(make_season(season.series, number=0), number=1)

    page = look(viewer, season.series)

    words = {
        each: read_words(get_row(page, each))
        for each in (there, missing, unwanted, announced, several, special)
    }
    assert re.match(
        r"S01E01 Dusk Air date 2013-04-07 there 1\.9.MB Source \d+ has it, 2\.9.MB",
        words[there],
    )
    assert words[missing] == "S01E02 missing No source lists it."
    assert words[unwanted] == "S01E03 not wanted"
    assert re.match(r"S01E04 announced Source \d+ announces it", words[announced])
    assert re.match(r"S01E05 2 files 2.0.KB a\.mkv 1000.bytes b\.mkv", words[several])
    assert words[special] == "S00E01 special that is not there"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "queued"),
        ("active", "downloading 50.0 %"),
        ("paused", "paused 50.0 % there"),
        ("waiting", "waiting 50.0 % there 1000 bytes It is away."),
        ("verifying", "verifying 50.0 %"),
        ("importing", "importing 50.0 %"),
        ("failed", "missing failed 50.0 % there 1000 bytes It is away."),
        ("cancelled", "missing cancelled 50.0 % there"),
    ],
)
def test_rows_say_what_brings_them(viewer, season, state, words):
    episode = make_offered(season, number=1)
    Download.objects.create(
        episode=episode,
        state=state,
        size_bytes=1000,
        bytes_done=500,
        reason="It is away.",
    )

    row = get_row(look(viewer, season.series), episode)

    assert words in read_words(row).replace("\xa0", " ")
    is_running = state in ("active", "verifying", "importing")
    assert ("<progress" in row) == is_running
    assert ("data-speed" in row) == is_running


def test_a_row_hears_of_its_download(viewer, season):
    episode = make_offered(season)
    download = Download.objects.create(episode=episode, state="active")

    row = get_row(look(viewer, season.series), episode)

    assert 'data-live-on="download_progress"' in row
    assert f'data-live-match="download_id={download.pk}"' in row
    assert 'data-live-value="percent"' in row


def test_the_list_is_renewed_by_news_of_its_own_series_alone(viewer, season):
    page = look(viewer, season.series)

    [section] = re.findall(r'<section id="episode-rows"[^>]*>', page)
    assert 'data-live-match="key=night-show"' in section
    assert "download_progress" not in section
    assert f'hx-get="{address(season.series)}"' in section


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("", ["Queue", "Do not want"]),
        ("queued", ["Start now", "Pause", "Cancel"]),
        ("active", ["Pause", "Cancel"]),
        ("paused", ["Start now", "Resume", "Cancel"]),
        ("waiting", ["Start now", "Try again", "Pause", "Cancel"]),
        ("verifying", ["Pause", "Cancel"]),
        ("importing", []),
        ("failed", ["Try again", "Queue", "Do not want"]),
        ("cancelled", ["Try again", "Queue", "Do not want"]),
    ],
)
def test_a_row_has_the_buttons_that_its_state_allows(keeper, season, state, buttons):
    episode = make_offered(season)
    if state:
        Download.objects.create(episode=episode, state=state)

    row = get_row(look(keeper, season.series), episode)

    assert list_buttons(row) == buttons


def test_what_is_there_can_be_fetched_again_and_trashed(keeper, season):
    episode = make_offered(season)
    make_file(link=episode)

    row = get_row(look(keeper, season.series), episode)

    assert list_buttons(row) == ["Fetch again", "Move to the trash"]


def test_each_of_several_files_can_be_trashed(keeper, season):
    episode = make_episode(season)
    files = [make_file(link=episode, name=name) for name in ("a.mkv", "b.mkv")]

    row = get_row(look(keeper, season.series), episode)

    assert re.findall(r'name="files" value="(\d+)"', row) == [
        str(file.pk) for file in files
    ]


def test_what_is_not_wanted_can_be_wanted(keeper, season):
    episode = make_offered(season, is_wanted=False)

    row = get_row(look(keeper, season.series), episode)

    assert list_buttons(row) == ["Queue", "Want"]


def test_viewer_gets_no_button_that_would_refuse_him(viewer, season):
    Download.objects.create(episode=make_offered(season, number=1), state="failed")
    make_file(link=make_offered(season, number=2))

    page = look(viewer, season.series)
    [rows] = re.findall(r'<section id="episode-rows".*</section>', page, re.DOTALL)

    assert "<button" not in rows
    assert "checkbox" not in rows
    assert 'role="group"' not in rows


@pytest.mark.parametrize(
    ("permission", "buttons"),
    [
        ("downloads.control_queue", ["Queue"]),
        ("library.change_series", ["Do not want"]),
        ("library.change_fileoperation", []),
    ],
)
def test_buttons_are_by_permission(client, season, permission, buttons):
    client.force_login(make_user((*MAY_LOOK, permission)))
    episode = make_offered(season)

    row = get_row(look(client, season.series), episode)

    assert list_buttons(row) == buttons


def test_a_rows_queue_button_queues_that_row(keeper, season):
    _ticked, episode = make_offered(season), make_offered(season)
    page = look(keeper, season.series)
    [target] = re.findall(r'formaction="([^"]*)"', get_row(page, episode))

    response = keeper.post(
        target, {"episodes": [episode.pk], "next": address(season.series)}, follow=True
    )

    assert Download.objects.get().episode == episode
    assert response.redirect_chain == [(address(season.series), 302)]
    assert "1 download joined the queue." in response.content.decode()


def test_a_row_steers_its_download_and_comes_back(keeper, season):
    episode = make_offered(season)
    download = Download.objects.create(episode=episode, state="queued")

    response = keeper.post(
        reverse("downloads:queue_do"),
        {"one": f"pause:{download.pk}", "next": address(season.series)},
        follow=True,
    )

    row = get_row(response.content.decode(), episode)
    assert "Resume" in list_buttons(row)


def test_htmx_gets_the_part_that_it_replaces(keeper, season):
    make_offered(season)

    for part in ("episode-rows", "series-head"):
        response = keeper.get(
            address(season.series),
            headers={"HX-Request": "true", "HX-Target": part},
        )
        text = response.content.decode()
        assert text.lstrip().startswith(f'<section id="{part}"')
        assert "<html" not in text


def test_the_head_returns_to_the_list(keeper, season):
    page = look(keeper, season.series)

    [head] = re.findall(r'<section id="series-head".*?</section>', page, re.DOTALL)
    assert f'name="next" value="{address(season.series)}"' in head
    assert f'hx-get="{address(season.series)}"' in head


def test_a_folded_season_is_fetched_when_it_is_unfolded(viewer, series):
    for number in (1, 2):
        season = make_season(series, number=number)
        Episode.objects.bulk_create(
            Episode(season=season, number=each) for each in range(1, 81)
        )

    folded = look(viewer, series)
    unfolded = look(viewer, series, shown=["1", "2"])

    assert folded.count('<li id="episode-') == 80
    assert 'href="?shown=1&amp;shown=2#season-2">Show its 80 episodes' in folded
    assert re.search(r'<details id="season-2"[^>]*hx-trigger="toggle"', folded)
    assert unfolded.count('<li id="episode-') == 160


def test_page_takes_as_many_queries_for_many_episodes_as_for_few(keeper, season):
    def fill(count: int) -> None:
        for _ in range(count):
            Download.objects.create(episode=make_offered(season), state="queued")
            make_file(link=make_offered(season))

    fill(1)
    look(keeper, season.series)
    with CaptureQueriesContext(connection) as few:
        look(keeper, season.series)
    fill(20)

    with CaptureQueriesContext(connection) as many:
        look(keeper, season.series)

    assert len(many) == len(few) < 25


@pytest.mark.parametrize("state", LIVE)
def test_what_is_coming_is_not_called_missing(viewer, season, state):
    episode = make_episode(season)
    Download.objects.create(episode=episode, state=state)

    row = get_row(look(viewer, season.series), episode)

    assert "missing" not in read_words(row)
    assert "No source lists it." not in row
