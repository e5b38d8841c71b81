from __future__ import annotations

import codecs
import json
from datetime import date
from pathlib import Path

import pytest

from aniworld_site.downloads.providers import catalogue as catalogue_module
from aniworld_site.downloads.providers.base import Media, Trouble, Version
from aniworld_site.downloads.providers.catalogue import Catalogue, CatalogueProvider
from aniworld_site.downloads.providers.registry import (
    ProviderError,
    SourceOptions,
    find_provider,
)
from tests.downloads.sources import LOCAL, make_public

SCHEMA = Path(__file__).parents[3] / "docs" / "catalogue.schema.json"


def episode(number: int = 1, **fields):
    return {
        "key": f"e{number}",
        "title": f"Episode {number}",
        "season": 1,
        "episode": number,
        "url": f"files/{number}.mkv",
        **fields,
    }


def series(key: str = "night-show", episodes=(), **fields):
    return {"key": key, "title": "Night Show", "episodes": list(episodes), **fields}


def page(*all_series, **fields) -> str:
    return json.dumps(
        {"aniworld_catalogue": 1, "title": "Mine", "series": all_series, **fields}
    )


def read(source, content: str | bytes, **fields):
    url = source.put("/catalogue.json", content, type="application/json", **fields)
    listing = CatalogueProvider(SourceOptions(url=url, private_hosts=LOCAL)).read()
    assert listing is not None
    return listing


def test_catalogue_is_read_with_all_that_it_says(source):
    full = episode(
        2,
        absolute=14,
        air_date="2026-01-31",
        size_bytes=1000,
        checksum="crc32:0123abcd",
    )
    listing = read(
        source,
        page(series(episodes=[full, episode(1)], year=2020, ids={"tvmaze": "919"})),
        headers={"ETag": '"7"'},
    )

    (found,) = listing.series
    first, second = found.episodes
    assert (listing.title, found.key, found.year) == ("Mine", "night-show", 2020)
    assert found.ids == {"tvmaze": "919"}
    assert (first.number, second.number, second.absolute_number) == (1, 2, 14)
    assert second.air_date == date(2026, 1, 31)
    assert second.media == Media(
        url=f"{source.url}/files/2.mkv", size_bytes=1000, checksum="crc32:0123abcd"
    )
    assert listing.version == Version(etag='"7"')
    assert listing.problem_count == 0


def test_pages_are_followed_and_a_series_may_go_on(source):
    source.put("/2", page(series(episodes=[episode(1)]), series("other"), next=None))

    listing = read(source, page(series(episodes=[episode(2)]), next="/2"))

    night, other = listing.series
    assert [each.number for each in night.episodes] == [1, 2]
    assert other.key == "other"


def test_web_page_is_called_one(source):
    url = source.put("/watch", "<!doctype html><p>Videos", type="text/html")

    with pytest.raises(ProviderError, match="There is a web page") as caught:
        find_provider(SourceOptions(url=url, private_hosts=LOCAL))

    assert caught.value.trouble is Trouble.PERMANENT


def test_keys_that_look_alike_are_one(source):
    alike = [series("night-show\u200b"), series("night-show", episodes=[episode(2)])]

    listing = read(source, page(*alike))

    (found,) = listing.series
    assert found.key == "night-show"
    assert 2 in [each.number for each in found.episodes]


def test_catalogue_may_begin_with_a_mark_of_its_encoding(source):
    url = source.put("/c.json", codecs.BOM_UTF8 + page(series()).encode())

    listing = CatalogueProvider(SourceOptions(url=url, private_hosts=LOCAL)).read()

    assert listing is not None
    assert len(listing.series) == 1


@pytest.mark.parametrize("following", ["/catalogue.json", "/2"])
def test_pages_that_go_in_a_circle_are_refused(source, following):
    source.put("/2", page(next="/2"))

    with pytest.raises(ProviderError, match="each once"):
        read(source, page(next=following))


def test_more_pages_than_any_catalogue_has_are_refused(source, monkeypatch):
    monkeypatch.setattr(catalogue_module, "MAX_PAGES", 3)
    for number in range(5):
        source.put(f"/{number}", page(next=f"/{number + 1}"))

    with pytest.raises(ProviderError, match="at most 3 pages"):
        read(source, page(next="/0"))


def test_next_page_in_this_network_is_refused(source, monkeypatch):
    make_public(monkeypatch)
    source.put("/feed", page(next=f"{source.url}/secret"))
    url = f"http://public.example:{source.port}/feed"

    with pytest.raises(ProviderError, match="on this machine"):
        CatalogueProvider(SourceOptions(url=url)).read()
    assert [path for path, _ in source.requests] == ["/feed"]


def test_unchanged_catalogue_is_not_read_again(source):
    url = source.put("/catalogue.json", b"", status=304)
    provider = CatalogueProvider(SourceOptions(url=url, private_hosts=LOCAL))

    assert provider.read(Version(etag='"7"')) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (episode(2, key=""), "key"),
        (episode(2, title=7), "title"),
        (episode(2, season=-1), "season"),
        (episode(2, episode=10**9), "episode"),
        (episode(2, episode=1.5), "episode"),
        (episode(2, episode="2"), "episode"),
        (episode(2, size_bytes=10**30), "size_bytes"),
        (episode(2, air_date="31.01.2026"), "air_date"),
        (episode(2, air_date="0000-00-00"), "air_date"),
        (episode(2, checksum="sha256:zz"), "checksum"),
        (episode(2, url="file:///etc/passwd"), "http:// or https://"),
        (episode(2, url="http://a:b@c/"), "user name and password"),
        (episode(2, key="e1"), "listed twice"),
        ("not an object", "all of it"),
        (None, "all of it"),
    ],
)
def test_wrong_episode_is_told_and_the_others_are_read(source, wrong, words):
    listing = read(source, page(series(episodes=[episode(1), wrong, episode(3)])))

    assert [each.key for each in listing.series[0].episodes] == ["e1", "e3"]
    assert words in listing.problems[0]
    assert listing.problem_count == 1


@pytest.mark.parametrize(
    "wrong",
    [{}, "x", None, series(key=""), series(title=""), series(year=1), series(ids=[])],
)
def test_wrong_series_is_told_and_the_others_are_read(source, wrong):
    listing = read(source, page(wrong, series("well", [episode()])))

    assert [each.key for each in listing.series] == ["well"]
    assert listing.problems[0].startswith("A series was left out")


def test_problems_are_told_up_to_a_bound_and_counted_beyond(source):
    listing = read(source, page(*[{}] * 100))

    assert (len(listing.problems), listing.problem_count) == (20, 100)


def test_unknown_fields_of_a_newer_form_are_ignored(source):
    assert read(source, page(series(mood="dark"), theme="x")).problem_count == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html/>",
        b"[]",
        b"null",
        b"{}",
        b'{"aniworld_catalogue": 2, "title": "x", "series": []}',
        b'{"aniworld_catalogue": 1, "title": "x", "series": {}}',
        b'{"aniworld_catalogue": 1, "title": "", "series": []}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"aniworld_catalogue": NaN}',
    ],
)
def test_what_is_no_catalogue_is_refused_with_a_sentence(source, content):
    with pytest.raises(ProviderError, match="Expected a catalogue") as caught:
        read(source, content)

    assert caught.value.trouble is Trouble.PERMANENT
    assert len(str(caught.value)) < 500


def test_schema_in_the_docs_is_that_of_the_code():
    assert json.loads(SCHEMA.read_text()) == Catalogue.model_json_schema()
