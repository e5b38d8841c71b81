from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aniworld_site.downloads.providers import fetching
from aniworld_site.downloads.providers.answers import make_error, read_retry_after
from aniworld_site.downloads.providers.base import (
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
)
from aniworld_site.downloads.providers.fetching import Fetcher
from tests.downloads import sources
from tests.downloads.secure import TwoWaySource, make_certificate
from tests.downloads.sources import LOCAL


def fetch(url: str, *, known: Version | None = None, **options):
    options.setdefault("private_hosts", LOCAL)
    with Fetcher(SourceOptions(url=url, **options)) as fetcher:
        return fetcher.fetch(url, known=known)


def test_document_comes_with_its_type_and_version(source):
    url = source.put(
        "/feed",
        "<rss/>",
        type="text/xml; charset=utf-8",
        headers={"ETag": '"1"', "Last-Modified": "Mon, 01 Jan 2026 00:00:00 GMT"},
    )

    document = fetch(url)

    assert (document.content, document.type) == (b"<rss/>", "text/xml")
    assert document.version == Version(
        etag='"1"', last_modified="Mon, 01 Jan 2026 00:00:00 GMT"
    )


def test_known_version_is_sent_back_and_nothing_comes(source):
    url = source.put("/feed", b"", status=304)

    assert fetch(url, known=Version(etag='"1"', last_modified="yesterday")) is None

    (_, headers), *_ = source.requests
    assert headers["If-None-Match"] == '"1"'
    assert headers["If-Modified-Since"] == "yesterday"


@pytest.mark.parametrize(
    ("status", "headers", "trouble", "retry_after_s"),
    [
        (401, {}, Trouble.LOGIN, None),
        (403, {}, Trouble.LOGIN, None),
        (404, {}, Trouble.PERMANENT, None),
        (410, {}, Trouble.PERMANENT, None),
        (418, {}, Trouble.PERMANENT, None),
        (408, {}, Trouble.PASSING, None),
        (429, {}, Trouble.THROTTLED, None),
        (429, {"Retry-After": "120"}, Trouble.THROTTLED, 120),
        (429, {"Retry-After": "1000000000"}, Trouble.THROTTLED, 24 * 3600),
        (429, {"Retry-After": "soon"}, Trouble.THROTTLED, None),
        (500, {}, Trouble.PASSING, None),
        (503, {}, Trouble.PASSING, None),
        (503, {"Retry-After": "5"}, Trouble.THROTTLED, 5),
    ],
)
def test_refusal_is_a_sentence_of_its_kind(
    source, status, headers, trouble, retry_after_s
):
    url = source.put("/feed", "no", status=status, headers=headers)

    with pytest.raises(ProviderError, match=str(status)) as caught:
        fetch(url)

    assert caught.value.trouble is trouble
    assert caught.value.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    ("behaviour", "trouble", "words"),
    [
        (sources.endless, Trouble.PERMANENT, "more than 16 MiB"),
        (sources.bomb, Trouble.PERMANENT, "more than 16 MiB"),
        (sources.drip, Trouble.PASSING, "so slowly"),
        (sources.reset, Trouble.PASSING, "could not be read"),
        (sources.redirect("/feed"), Trouble.PERMANENT, "more than 5 times"),
        (sources.redirect("ftp://example.org/"), Trouble.PERMANENT, "http"),
        (sources.redirect("file:///etc/passwd"), Trouble.PERMANENT, "http"),
    ],
)
def test_bad_behaviour_ends_with_a_sentence(
    source, monkeypatch, behaviour, trouble, words
):
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.3)
    url = source.behave("/feed", behaviour)

    with pytest.raises(ProviderError, match=words) as caught:
        fetch(url)

    assert caught.value.trouble is trouble


def test_server_that_is_silent_is_given_up(source, monkeypatch):
    monkeypatch.setattr(fetching, "READ_TIMEOUT_S", 0.1)
    url = source.behave("/feed", lambda request: source.stop.wait(5))

    with pytest.raises(ProviderError, match="does not answer in time"):
        fetch(url)
    source.stop.set()


def test_redirect_is_followed_where_it_may(source):
    source.put("/there", "well")
    url = source.behave("/feed", sources.redirect("/there"))

    document = fetch(url)

    assert (document.content, document.url) == (b"well", f"{source.url}/there")


@pytest.mark.parametrize("to", ["literal", "name"])
def test_redirect_into_this_network_is_refused(source, monkeypatch, to):
    sources.make_public(monkeypatch)
    source.put("/canary", "secret")
    host = "127.0.0.1" if to == "literal" else "localhost"
    source.behave("/feed", sources.redirect(f"http://{host}:{source.port}/canary"))

    with pytest.raises(ProviderError, match="on this machine"):
        fetch(f"http://public.example:{source.port}/feed", private_hosts=frozenset())

    assert [path for path, _ in source.requests] == ["/feed"]


def test_what_a_redirect_says_without_an_end_is_not_read(source):
    source.put("/there", "well")

    def lead_on(request):
        request.send_response(302)
        request.send_header("Location", "/there")
        request.end_headers()
        try:
            while True:
                request.wfile.write(bytes(65536))
        except OSError:
            request.close_connection = True

    url = source.behave("/feed", lead_on)

    assert fetch(url).content == b"well"


def test_redirect_from_an_allowed_host_to_another_of_this_network_is_refused(source):
    url = source.behave(
        "/feed", sources.redirect(f"http://localhost:{source.port}/canary")
    )

    with pytest.raises(ProviderError, match="Allow that host"):
        fetch(url)

    assert [path for path, _ in source.requests] == ["/feed"]


def test_password_goes_to_the_source_and_to_nobody_else(source):
    with sources.BadSource().running() as other:
        other.put("/there", "well")
        source.behave("/feed", sources.redirect(f"{other.url}/there"))
        source.put("/own", "well")
        options = SourceOptions(
            url=f"{source.url}/feed",
            username="mia",
            password="pass",
            private_hosts=LOCAL,
        )
        with Fetcher(options) as fetcher:
            for url in (options.url, f"{source.url}/own", f"{other.url}/there"):
                fetcher.fetch(url)

    assert ["Authorization" in headers for _, headers in source.requests] == [True] * 2
    assert ["Authorization" in headers for _, headers in other.requests] == [False] * 2


def test_a_password_of_a_secure_source_is_not_sent_in_the_clear(source):
    url = source.put("/poster.jpg", "well")
    options = SourceOptions(
        url=source.url.replace("http:", "https:"),
        username="mia",
        password="pass",
        private_hosts=LOCAL,
    )

    with Fetcher(options) as fetcher:
        fetcher.fetch(url)

    assert "Authorization" not in source.requests[0][1]


def test_a_password_of_a_secure_source_is_not_sent_in_the_clear_by_a_redirect(
    tmp_path, monkeypatch
):
    trusted = make_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with TwoWaySource(trusted).running() as source:
        secure = source.url.replace("http:", "https:")
        source.behave("/feed", sources.redirect(f"{source.url}/there"))
        source.behave("/there", sources.redirect(f"{secure}/back"))
        source.put("/back", "well")

        fetch(f"{secure}/feed", username="mia", password="pass")

    assert [
        (path, "Authorization" in headers) for path, headers in source.requests
    ] == [("/feed", True), ("/there", False), ("/back", True)]


def test_an_address_that_is_none_is_a_sentence(source):
    with (
        Fetcher(SourceOptions(url=source.url, private_hosts=LOCAL)) as fetcher,
        pytest.raises(ProviderError, match="could not be read"),
    ):
        fetcher.fetch("http://a.example/\x00")


def test_retry_after_may_be_a_date():
    soon = datetime.now(UTC) + timedelta(seconds=100)

    assert 95 <= (read_retry_after(format_datetime(soon, usegmt=True)) or 0) <= 100
    assert read_retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0


@pytest.mark.parametrize(
    "value",
    [
        "Wed, 21 Oct 100000000000000000000 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 +99999999999",
        "Wed, 21 Oct 2015 25:28:00 GMT",
        "1e9",
        "-1",
        "²",
    ],
)
def test_retry_after_that_means_nothing_is_passed_over(value):
    assert read_retry_after(value) is None


def test_a_reason_is_shown_without_what_turns_the_terminal():
    error = make_error("a.example", 404, "\x1b[2J\x00gone\x07" + "A" * 2000)

    assert str(error).startswith("a.example has nothing at this address (404 [2Jgone")
    assert str(error).isprintable()
    assert len(str(error)) < 200
