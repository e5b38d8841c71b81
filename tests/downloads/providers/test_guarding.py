from __future__ import annotations

import socket

import pytest

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.fetching import GuardedBackend
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    resolve,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/feed.xml",
        "http://example.org:8080/a?b=c#d",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://münchen.example/",
    ],
)
def test_public_address_may_be_asked(url):
    assert check_url(url, may_be_private=False).hostname


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",  # noqa: S104 - asked for, not bound
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
    ],
)
def test_address_of_this_network_is_refused_in_every_spelling(host):
    with pytest.raises(GuardError) as caught:
        check_url(f"http://{host}/feed", may_be_private=False)

    assert caught.value.trouble is Trouble.PERMANENT


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.1", "[::1]", "[fd00::1]"])
def test_address_of_this_network_may_be_allowed(host):
    assert check_url(f"http://{host}:8000/feed", may_be_private=True)


@pytest.mark.parametrize("host", ["0", "224.0.0.1", "[ff02::1]", "[::]"])
def test_address_of_nobody_is_refused_all_the_same(host):
    with pytest.raises(GuardError):
        check_url(f"http://{host}/", may_be_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/feed",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "http://",
        "http:///feed",
        "http://user:secret@example.org/",
        "http://example.org@127.0.0.1/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org\\@127.0.0.1/",
        "http://exa mple.org/",
        "http://example.org/\r\nX: y",
        "http://example.org/\x00",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://example.org/" + "a" * 2_000,
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(url):
    with pytest.raises(GuardError, match=r"Expected|on this machine|is 127"):
        check_url(url, may_be_private=False)


def answer(monkeypatch, *addresses: str) -> list[str]:
    asked = []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *arguments, **options):
        if host in addresses:
            return real(host, port, *arguments, **options)
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_name_is_refused_where_any_of_its_addresses_is_private(monkeypatch):
    answer(monkeypatch, "93.184.216.34", "10.0.0.1")

    with pytest.raises(GuardError, match=r"10\.0\.0\.1"):
        resolve("mixed.example", 80, may_be_private=False)


def test_name_that_means_something_else_when_it_is_connected_to_is_refused(monkeypatch):
    """Rebinding: it was public when it was entered."""
    asked = answer(monkeypatch, "127.0.0.1")
    assert check_url("http://rebinds.example/", may_be_private=False)

    with pytest.raises(GuardError):
        GuardedBackend(may_be_private=False).connect_tcp("rebinds.example", 80)

    assert asked == ["rebinds.example"]


def test_connection_goes_to_the_address_that_was_looked_at(monkeypatch, source):
    asked = answer(monkeypatch, "127.0.0.1")

    stream = GuardedBackend(may_be_private=True).connect_tcp(
        "source.example", source.port, timeout=5
    )
    stream.close()

    assert asked == ["source.example"]


def test_name_without_an_address_is_a_passing_trouble(monkeypatch):
    def fail(*_arguments, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(ProviderError, match="cannot be found") as caught:
        resolve("nowhere.example", 80, may_be_private=False)
    assert caught.value.trouble is Trouble.PASSING


def test_socket_of_this_machine_is_refused():
    with pytest.raises(GuardError):
        GuardedBackend(may_be_private=True).connect_unix_socket("/run/some.sock")
