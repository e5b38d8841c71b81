from __future__ import annotations

from datetime import date

import pytest

from aniworld_site.downloads.providers.registry import (
    ProviderError,
    SourceOptions,
    Trouble,
    find_provider,
)
from aniworld_site.downloads.providers.ytdlp import YtDlpProvider
from tests.downloads.sources import LOCAL
from tests.downloads.ytdlp.pages import feed, playlist


def read(url: str, **options):
    return YtDlpProvider(SourceOptions(url=url, private_hosts=LOCAL, **options)).read()


def listed(found):
    options = SourceOptions(url="https://media.example/p")
    return YtDlpProvider(options)._list(found)


def entry(**fields):
    return {"id": "a", "title": "Dusk", "url": "https://media.example/a"} | fields


def test_playlist_is_one_series(source):
    content = feed(source, ["Dusk", "Dawn"])
    listing = read(source.put("/f", content, type="application/rss+xml"))

    (series,) = listing.series
    first, second = series.episodes
    assert (series.key, series.title) == (f"{source.url}/f", "Night")
    assert (first.season, first.number, first.title) == (1, 1, "Dusk")
    assert second.air_date == date(2024, 1, 1)
    assert second.media.url == f"{source.url}/2.mp4"


def test_keys_stay_where_the_playlist_is_in_another_order(source):
    page = {"type": "application/rss+xml"}
    before = read(source.put("/f", feed(source, ["Dusk", "Dawn"]), **page)).series[0]
    after = read(source.put("/f", feed(source, ["Dusk", "Dawn", "x"]), **page)).series[
        0
    ]

    assert [each.key for each in after.episodes[:2]] == [
        each.key for each in before.episodes
    ]


@pytest.mark.parametrize(
    ("fields", "season", "number"),
    [
        ({"playlist_index": 7}, 1, 7),
        ({"playlist_index": 7, "season_number": 2, "episode_number": 3}, 2, 3),
        ({"playlist_index": 7, "episode_number": 3}, 1, 3),
        ({"playlist_index": 7, "season_number": 0, "episode_number": 3}, 0, 3),
        ({"playlist_index": 7, "season_number": 2}, 1, 7),
        ({"episode_number": -1}, 1, None),
        ({"playlist_index": "x", "episode_number": True}, 1, None),
    ],
)
def test_season_and_number_are_the_sources_or_its_place(fields, season, number):
    (episode,) = listed({"entries": [entry(**fields)]}).series[0].episodes

    assert (episode.season, episode.number) == (season, number)


def test_what_is_hostile_is_bounded():
    listing = listed(
        {
            "id": "\u202eid\n" + "k" * 400,
            "title": "../\x00" + "t" * 4000,
            "entries": [
                entry(),
                entry(title="twice"),
                entry(id="b", title="\u202e", upload_date="20249999"),
                entry(id="c", url="file:///etc/passwd"),
                entry(id="d", url="http://127.0.0.1/x"),
                entry(id=None, url=None),
                "no entry",
            ],
        }
    )

    (series,) = listing.series
    assert len(series.key) == 32
    assert len(series.title) <= 250
    assert series.title.isprintable()
    assert [each.key for each in series.episodes] == ["a", "b", "c", "d"]
    assert [each.media is None for each in series.episodes] == [
        False,
        False,
        True,
        True,
    ]
    assert series.episodes[1].air_date is None
    assert listing.problem_count == 5


@pytest.mark.parametrize(
    "found", [{}, {"entries": None}, {"entries": "no"}, {"entries": {}}]
)
def test_nothing_there_is_a_sentence(found):
    with pytest.raises(ProviderError, match="no video"):
        listed(found)


def test_kind_is_never_guessed(source):
    url = source.put("/p", playlist("/1.mp4"), type="text/html")

    with pytest.raises(ProviderError, match="JSON catalogue or RSS") as caught:
        find_provider(SourceOptions(url=url, private_hosts=LOCAL))

    assert "yt-dlp" not in str(caught.value)
    assert len(source.requests) == 2


def test_missing_cookies_are_told_before_anything_is_asked(source, tmp_path):
    with pytest.raises(ProviderError, match="no file of cookies") as caught:
        read(f"{source.url}/p", cookies=str(tmp_path / "none.txt"))

    assert caught.value.trouble is Trouble.LOGIN
    assert source.requests == []


def test_trouble_is_kept(source):
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1: .*429") as caught:
        read(source.put("/p", "", status=429))

    assert caught.value.trouble is Trouble.THROTTLED
