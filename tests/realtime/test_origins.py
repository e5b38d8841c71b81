from __future__ import annotations

from typing import Any

import pytest

from realtime.origins import is_allowed_origin

OWN = "http://media.home:8420"


@pytest.fixture(autouse=True)
def hosts(settings):
    settings.ALLOWED_HOSTS = ["media.home", "127.0.0.1", "[::1]"]
    settings.REALTIME = {
        "ALLOWED_ORIGINS": ["https://tv.example:8443", "https://www.example"]
    }
    settings.SECURE_PROXY_SSL_HEADER = None


def make_scope(
    origin: str | None,
    host: str | None = "media.home:8420",
    *,
    scheme: str = "ws",
    **headers: str,
) -> dict[str, Any]:
    pairs = [(b"host", host.encode())] if host is not None else []
    pairs += [(b"origin", origin.encode("latin-1"))] if origin is not None else []
    return {
        "headers": pairs
        + [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in headers.items()
        ],
        "scheme": scheme,
    }


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (OWN, True),
        ("HTTP://Media.Home:8420", True),
        (None, True),
        ("https://tv.example:8443", True),
        ("https://www.example", True),
        ("https://www.example:443", True),
        ("https://media.home:8420", False),
        ("http://media.home", False),
        ("http://media.home:8421", False),
        ("http://media.home:8420@evil.example", False),
        ("http://evil@media.home:8420", False),
        ("http://media.home:8420/path", False),
        ("http://media.home:8420/", False),
        ("http://media.home:8420?x", False),
        ("http://media.home:8420.evil.example", False),
        ("http://evil-media.home:8420", False),
        ("http://media.home:port", False),
        ("http://media.home:999999", False),
        ("http://media.home:", False),
        ("http://[::1", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("//media.home:8420", False),
        ("media.home:8420", False),
        ("http://media.home:8420, http://evil.example", False),
        ("http://media.home:8420\n", False),
        ("http://méd:8420", False),
        ("https://tv.example", False),
        ("http://tv.example:8443", False),
        ("chrome-extension://abc", False),
    ],
)
def test_only_exact_origins_are_allowed(origin, is_allowed):
    assert is_allowed_origin(make_scope(origin)) is is_allowed


def test_two_origins_are_refused():
    scope = make_scope(OWN)
    scope["headers"].append((b"origin", OWN.encode()))

    assert not is_allowed_origin(scope)


def test_host_that_is_not_ours_is_not_the_same_origin():
    """DNS rebinding: the attacker's name leads to this machine, so Origin and Host agree."""
    assert not is_allowed_origin(
        make_scope("http://evil.example:8420", "evil.example:8420")
    )


@pytest.mark.parametrize("host", [None, "", "media.home:x", "a b"])
def test_missing_or_broken_host_is_refused_without_a_traceback(host):
    assert not is_allowed_origin(make_scope(OWN, host))


def test_ipv6_and_default_ports_are_understood():
    assert is_allowed_origin(make_scope("http://[::1]:8420", "[::1]:8420"))
    assert is_allowed_origin(make_scope("http://media.home", "media.home:80"))
    assert is_allowed_origin(
        make_scope("https://media.home", "media.home", scheme="wss")
    )


def test_proxy_header_tells_the_scheme_only_where_settings_trust_it(settings):
    scope = make_scope("https://media.home", "media.home", x_forwarded_proto="https")
    assert not is_allowed_origin(scope)

    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert is_allowed_origin(scope)
    assert not is_allowed_origin(
        make_scope("https://media.home", "media.home", x_forwarded_proto="http")
    )


def test_forwarded_host_counts_only_where_settings_trust_it(settings):
    scope = make_scope(
        "http://media.home", "127.0.0.1:9", x_forwarded_host="media.home"
    )
    assert not is_allowed_origin(scope)

    settings.USE_X_FORWARDED_HOST = True

    assert is_allowed_origin(scope)
