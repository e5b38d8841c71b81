from __future__ import annotations

import socket

import pytest

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.fetching import GuardedBackend
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    may_know_password,
    read_host,
    read_hosts,
    resolve,
)
from tests.downloads.sources import LOCAL


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
    assert check_url(url, private_hosts=frozenset()).hostname


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
        "[fec0::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
    ],
)
def test_address_of_this_network_is_refused_in_every_spelling(host):
    with pytest.raises(GuardError) as caught:
        check_url(f"http://{host}/feed", private_hosts=frozenset())

    assert caught.value.trouble is Trouble.PERMANENT


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "192.168.1.1", "[::1]", "[fd00::1]", "[fec0::1]"]
)
def test_address_of_this_network_may_be_allowed(host):
    url = f"http://{host}:8000/feed"

    assert check_url(url, private_hosts={read_host(url)})


def test_allowing_one_host_of_this_network_allows_no_other():
    with pytest.raises(GuardError, match="Allow that host"):
        check_url("http://192.168.1.1/", private_hosts={"192.168.1.5", "router.home"})


def test_name_that_was_allowed_may_be_private_where_it_is_connected_to(monkeypatch):
    answer(monkeypatch, "192.168.1.5")

    found = resolve("NAS.home.", 80, private_hosts={"nas.home"})

    assert found == ["192.168.1.5"]
    with pytest.raises(GuardError):
        resolve("evil.example", 80, private_hosts={"nas.home"})


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", set()),
        ("NAS.Home., 192.168.1.5", {"nas.home", "192.168.1.5"}),
        ("[fd00::1] fd00::2", {"fd00::1", "fd00::2"}),
        ("münchen.example", {"xn--mnchen-3ya.example"}),
    ],
)
def test_hosts_are_read_as_a_person_writes_them(text, hosts):
    assert read_hosts(text) == hosts


@pytest.mark.parametrize(
    "text",
    ["http://nas.home", "nas.home/files", "nas.home:80", "me@nas.home", "*", "a b]c"],
)
def test_what_names_no_host_is_refused(text):
    with pytest.raises(GuardError, match="name or address of a host"):
        read_hosts(text)


@pytest.mark.parametrize("host", ["0", "224.0.0.1", "[ff02::1]", "[::]"])
def test_address_of_nobody_is_refused_all_the_same(host):
    with pytest.raises(GuardError):
        check_url(f"http://{host}/", private_hosts={host.strip("[]")})


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
        check_url(url, private_hosts=frozenset())


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
        resolve("mixed.example", 80, private_hosts=frozenset())


def test_name_that_means_something_else_when_it_is_connected_to_is_refused(monkeypatch):
    """Rebinding: it was public when it was entered."""
    asked = answer(monkeypatch, "127.0.0.1")
    assert check_url("http://rebinds.example/", private_hosts=frozenset())

    with pytest.raises(GuardError):
        GuardedBackend(private_hosts=frozenset()).connect_tcp("rebinds.example", 80)

    assert asked == ["rebinds.example"]


def test_connection_goes_to_the_address_that_was_looked_at(monkeypatch, source):
    asked = answer(monkeypatch, "127.0.0.1")

    stream = GuardedBackend(private_hosts={"source.example"}).connect_tcp(
        "source.example", source.port, timeout=5
    )
    stream.close()

    assert asked == ["source.example"]


def test_name_without_an_address_is_a_passing_trouble(monkeypatch):
    def fail(*_arguments, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(ProviderError, match="cannot be found") as caught:
        resolve("nowhere.example", 80, private_hosts=frozenset())
    assert caught.value.trouble is Trouble.PASSING


def test_socket_of_this_machine_is_refused():
    with pytest.raises(GuardError):
        GuardedBackend(private_hosts=LOCAL).connect_unix_socket("/run/some.sock")


@pytest.mark.parametrize(
    ("url", "source", "may"),
    [
        ("https://a.example/1", "https://a.example/feed", True),
        ("https://A.example:443/1", "https://a.example./feed", True),
        ("https://a.example/1", "http://a.example/feed", True),
        ("http://a.example/1", "http://a.example:80/feed", True),
        ("http://a.example/1", "https://a.example/feed", False),
        ("http://a.example:8080/1", "https://a.example:8080/feed", False),
        ("https://a.example:8443/1", "https://a.example/feed", False),
        ("https://b.example/1", "https://a.example/feed", False),
        ("https://a.example.b.example/1", "https://a.example/feed", False),
        ("http://[", "https://a.example/feed", False),
        ("http:///1", "", False),
    ],
)
def test_a_password_is_for_the_sources_own_host_and_not_in_the_clear(url, source, may):
    assert may_know_password(url, source) is may
