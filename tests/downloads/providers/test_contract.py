"""What is true of every kind of source, whatever it reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from aniworld_site.downloads.providers import registry
from aniworld_site.downloads.providers.registry import (
    ProviderError,
    SourceOptions,
    find_provider,
    get_provider_types,
)
from tests.downloads import sources
from tests.downloads.providers import test_catalogue, test_feed
from tests.downloads.sources import LOCAL
from tests.downloads.ytdlp import pages

SAMPLES = {
    "feed": test_feed.HEAD
    + "".join(test_feed.item(number) for number in range(1, 4))
    + test_feed.TAIL,
    "catalogue": test_catalogue.page(
        test_catalogue.series(episodes=[test_catalogue.episode(n) for n in (1, 2, 3)])
    ),
    "yt-dlp": pages.playlist("/1.mp4", "/2.mp4", "/3.mp4", title="Night"),
}
GUESSED = [
    name
    for name, each in get_provider_types().items()
    if getattr(each, "is_guessed", True)
]
PARTS = {"yt-dlp": 6}
"""Fewer, where each is a process."""


@pytest.fixture(params=sorted(get_provider_types()))
def kind(request: Any) -> str:
    found: str = request.param
    return found


def make(kind: str, url: str, **options: Any) -> Any:
    options.setdefault("private_hosts", LOCAL)
    return get_provider_types()[kind](SourceOptions(url=url, **options))


def test_every_kind_has_a_sample_here():
    assert set(SAMPLES) == set(get_provider_types())


def test_sample_is_listed(source, kind):
    listing = make(kind, source.put("/x", SAMPLES[kind])).read()

    (series,) = listing.series
    assert len({each.key for each in series.episodes}) == 3
    assert all(each.media is not None for each in series.episodes)


@pytest.mark.parametrize("kind", GUESSED)
def test_kind_is_found_by_what_is_there(source, kind):
    url = source.put("/x", SAMPLES[kind])

    found, listing = find_provider(SourceOptions(url=url, private_hosts=LOCAL))

    assert found.kind == kind
    assert listing.series


def test_document_that_ends_anywhere_is_read_or_refused(source, kind):
    sample = SAMPLES[kind].encode()
    parts = PARTS.get(kind, 64)
    for part in range(parts):
        url = source.put("/x", sample[: len(sample) * part // parts])
        try:
            listing = make(kind, url).read()
        except ProviderError:
            continue
        else:
            assert all(each.key for each in listing.series[0].episodes)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252", "utf-7"])
def test_wrong_encoding_is_read_or_refused(source, kind, encoding):
    content = SAMPLES[kind].replace("Night", "Nächte").encode(encoding)
    try:
        listing = make(kind, source.put("/x", content)).read()
    except ProviderError:
        return
    else:
        assert listing.title.isprintable()


@pytest.mark.parametrize(
    "behaviour", [sources.endless, sources.bomb, sources.reset, sources.redirect("/x")]
)
def test_bad_behaviour_is_a_sentence(source, kind, behaviour):
    url = source.behave("/x", behaviour)

    with pytest.raises(ProviderError, match=r"127\.0\.0\.1"):
        make(kind, url).read()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/", ""])
def test_address_is_guarded(kind, url):
    with pytest.raises(ProviderError):
        make(kind, url, private_hosts=frozenset()).read()


def test_nothing_of_ours_is_a_sentence_that_names_what_could_be(source):
    url = source.put("/x", "<html>hello</html>")

    with pytest.raises(ProviderError, match="JSON catalogue or RSS"):
        find_provider(SourceOptions(url=url, private_hosts=LOCAL))


def test_trouble_that_passes_is_told_as_it_is(source):
    url = source.put("/x", "", status=500)

    with pytest.raises(ProviderError, match="fault of its own"):
        find_provider(SourceOptions(url=url, private_hosts=LOCAL))


class Point:
    """An entry point of another package."""

    def __init__(self, name: str, load: Any) -> None:
        self.name, self.load = name, load


def test_other_packages_add_kinds_and_a_broken_one_is_left_out(monkeypatch, caplog):
    class Other:
        kind, label, is_complete = "other", "Other", True

    def fail() -> None:
        raise ImportError("broken")

    points = [Point("other", lambda: Other), Point("broken", fail)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    get_provider_types.cache_clear()
    try:
        assert list(get_provider_types()) == ["catalogue", "feed", "yt-dlp", "other"]
    finally:
        get_provider_types.cache_clear()
    assert "broken" in caplog.text


def test_command_says_what_it_found(source, kind, capsys):
    named = [] if kind in GUESSED else ["--kind", kind]
    call_command("check_source", source.put("/x", SAMPLES[kind]), "--private", *named)
    told = capsys.readouterr().out
    call_command("check_source", f"{source.url}/x", "--private", "--json", *named)

    assert "1 series, 3 episodes, 3 of them to be had" in told
    assert json.loads(capsys.readouterr().out)["kind"] == kind
