from __future__ import annotations

from datetime import date

import pytest

from aniworld_site.downloads.providers.base import Media, Trouble, Version
from aniworld_site.downloads.providers.feed import FeedProvider
from aniworld_site.downloads.providers.registry import ProviderError, SourceOptions
from tests.downloads.sources import LOCAL

HEAD = '<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Night Show</title>'
TAIL = "</channel></rss>"


def item(number: int = 1, **fields: str) -> str:
    fields = {
        "title": f"Episode {number}",
        "guid": f"show-{number}",
        "itunes:season": "2",
        "itunes:episode": str(number),
        "pubDate": "Sat, 31 Jan 2026 20:00:00 +0100",
        **fields,
    }
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if text)
    return f'<item>{inner}<enclosure url="https://cdn.example/{number}.mp4" type="video/mp4" length="1000"/></item>'


def read(source, *items: str, content: str | bytes | None = None):
    url = source.put("/feed", content or HEAD + "".join(items) + TAIL, type="text/xml")
    listing = FeedProvider(SourceOptions(url=url, private_hosts=LOCAL)).read()
    assert listing is not None
    return listing


def test_feed_is_one_series_with_its_episodes(source):
    listing = read(source, item(2), item(1))

    (series,) = listing.series
    second, first = series.episodes
    assert (listing.title, series.title) == ("Night Show", "Night Show")
    assert (first.key, first.title, first.season, first.number) == (
        "show-1",
        "Episode 1",
        2,
        1,
    )
    assert second.air_date == date(2026, 1, 31)
    assert second.media == Media(
        url="https://cdn.example/2.mp4", size_bytes=1000, type="video/mp4"
    )
    assert listing.problem_count == 0


def test_atom_is_a_feed_too(source):
    listing = read(
        source,
        content="""<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>x</id>
        <entry><id>e1</id><title>One</title><link rel="enclosure" href="https://cdn.example/1.mkv" type="video/x-matroska" length="5"/></entry></feed>""",
    )

    (episode,) = listing.series[0].episodes
    assert (episode.key, episode.season, episode.number) == ("e1", None, None)
    assert episode.media == Media(
        url="https://cdn.example/1.mkv", size_bytes=5, type="video/x-matroska"
    )


def test_unchanged_feed_is_not_read_again(source):
    url = source.put("/feed", b"", status=304)
    provider = FeedProvider(SourceOptions(url=url, private_hosts=LOCAL))

    assert provider.read(Version(etag='"1"')) is None


@pytest.mark.parametrize(
    ("fields", "season", "number"),
    [
        ({"itunes:episode": "-1"}, 2, None),
        ({"itunes:episode": "99999999999999999999"}, 2, None),
        ({"itunes:episode": "one"}, 2, None),
        ({"itunes:season": "1e9"}, None, 1),
        ({"itunes:season": ""}, None, 1),
        ({"itunes:episodeType": "trailer"}, None, None),
        ({"itunes:episodeType": "full"}, 2, 1),
    ],
)
def test_number_that_cannot_be_one_is_none(source, fields, season, number):
    (episode,) = read(source, item(**fields)).series[0].episodes

    assert (episode.season, episode.number) == (season, number)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (item(title=""), "has no title"),
        ("<item><title>Alone</title></item>", "no id and no enclosure: Alone"),
        (item() + item(), "listed twice"),
        (
            item().replace("https://cdn.example/1.mp4", "file:///etc/passwd"),
            "http:// or https://",
        ),
    ],
)
def test_odd_entry_is_told_and_the_others_are_read(source, entry, words):
    listing = read(source, item(7), entry)

    assert "show-7" in [each.key for each in listing.series[0].episodes]
    assert words in listing.problems[0]
    assert listing.problem_count == 1


def test_enclosure_that_can_be_played_comes_before_others(source):
    entry = item().replace(
        "<enclosure", '<enclosure url="https://cdn.example/a.srt"/><enclosure', 1
    )

    (episode,) = read(source, entry).series[0].episodes

    assert episode.media.url == "https://cdn.example/1.mp4"


def test_what_feeds_say_is_one_line_of_plain_text(source):
    title = "a&#8238;b &lt;script&gt;\n\tc" + "x" * 1000

    (episode,) = read(source, item(title=title)).series[0].episodes

    assert episode.title.startswith("ab")
    assert len(episode.title) <= 250
    assert episode.title.isprintable()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-7"])
@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY l "lol">',
        "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 5)),
        '<!ENTITY l SYSTEM "file:///etc/passwd">',
        '<!ENTITY % l SYSTEM "file:///etc/passwd">',
    ],
)
def test_feed_that_declares_entities_is_refused(source, entities, encoding):
    """Plain ones nest, too: some hundred bytes would become a title of a million."""
    content = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE rss [{entities}]><rss version="2.0"><channel><title>&l;</title>{item()}</channel></rss>'

    with pytest.raises(ProviderError, match="declares entities") as caught:
        read(source, content=content.encode(encoding))

    assert caught.value.trouble is Trouble.PERMANENT


def test_feed_may_have_a_doctype_and_characters_by_name(source):
    content = HEAD.replace("<rss", "<!DOCTYPE rss><rss") + item(title="Caf&#233;")

    listing = read(source, content=content + TAIL)

    assert listing.series[0].episodes[0].title == "Café"


def test_long_ids_that_only_end_differently_are_different(source):
    ids = [f"https://example.org/{'x' * 300}/{number}" for number in range(3)]

    listing = read(source, *(item(guid=guid) for guid in ids))

    assert len({each.key for each in listing.series[0].episodes}) == 3
    assert listing.problem_count == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><body>not found</body></html>", b"\x00\xff\xfe", b"{}", b"<rss"],
)
def test_what_is_no_feed_is_refused_with_a_sentence(source, content):
    url = source.put("/feed", content, type="text/html")

    with pytest.raises(ProviderError, match="Expected an RSS or Atom feed") as caught:
        FeedProvider(SourceOptions(url=url, private_hosts=LOCAL)).read()
    assert caught.value.trouble is Trouble.PERMANENT
