"""Which addresses a source may be at: http and https only, and nothing on this machine or its network but hosts that the person named.

A name is resolved once, every address of it is looked at, and the connection goes to one that was: what a name means a moment later, or
behind a redirect, is looked at again.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from aniworld_site.downloads.providers.base import ProviderError, Trouble

SCHEMES = {"http": 80, "https": 443}
MAX_URL = 2_000
NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]*")

Address = IPv4Address | IPv6Address


class GuardError(ProviderError):
    """An address that nothing may be fetched from."""

    def __init__(self, message: str) -> None:
        super().__init__(message, trouble=Trouble.PERMANENT)


def check_url(url: str, *, private_hosts: Collection[str] = ()) -> SplitResult:
    """Return the parts of an address that may be asked; names are looked at when they are connected to.

    `private_hosts` may be on this machine or its network, as `read_host` writes them.

    Raises:
        GuardError: it is not http or https, has no host or a strange one, holds a password, or is a private address.
    """
    if len(url) > MAX_URL or not url.isprintable() or any(map(str.isspace, url)):
        raise GuardError(
            f"Expected an address of at most {MAX_URL} characters without spaces."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise GuardError(f"Expected an http address, got {url[:200]!r}.") from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise GuardError(
            f"Expected an address that begins with http:// or https://, got {url[:200]!r}."
        )
    if "@" in parts.netloc:
        raise GuardError("Expected user name and password apart from the address.")
    if port == 0 or "\\" in parts.netloc or "%" in parts.hostname:
        raise GuardError(f"Expected a host and port, got {parts.netloc[:200]!r}.")
    for address in _read_literal(parts.hostname):
        _check_address(address, parts.hostname, private_hosts)
    return parts


def resolve(host: str, port: int, *, private_hosts: Collection[str]) -> list[str]:
    """Return the addresses of a host, in the system's order.

    Raises:
        GuardError: one of them is private.
        ProviderError: the name has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ProviderError(f"{host} cannot be found: {error}.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _check_address(ip_address(address.partition("%")[0]), host, private_hosts)
    return addresses


def _read_literal(host: str) -> list[Address]:
    """Return what a host means where it is an address in any of its spellings: 127.1, 0x7f000001 and 2130706433, too."""
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        return [IPv4Address(socket.inet_aton(host))]
    except (OSError, UnicodeError):
        return []


def read_host(url: str) -> str:
    """Return the host of an address in the one spelling that is compared; "" where it has none."""
    try:
        return _spell(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def read_hosts(text: str) -> frozenset[str]:
    """Return the hosts that a person named, with commas or spaces in between.

    Raises:
        GuardError: one is no name or address of a host.
    """
    return frozenset(_read_named(each) for each in text.replace(",", " ").split())


def list_own_hosts(url: str, *, is_private: bool) -> frozenset[str]:
    """Return the host of a source that a person says is on the own network; none of one that is elsewhere."""
    return frozenset({read_host(url)} - {""}) if is_private else frozenset()


def may_know_password(url: str, source_url: str) -> bool:
    """Tell whether an address is of a source's own host and port, and no less secret than the source's."""
    try:
        asked, source = urlsplit(url), urlsplit(source_url)
        is_own = _get_place(asked) == _get_place(source)
    except ValueError:
        return False
    return bool(source.hostname) and is_own and asked.scheme in (source.scheme, "https")


def _get_place(parts: SplitResult) -> tuple[str, int | None]:
    """Return host and port of an address, the port only where it is not the scheme's own."""
    usual = SCHEMES.get(parts.scheme)
    port = None if parts.port == usual else parts.port
    return _spell(parts.hostname or ""), port


def _read_named(text: str) -> str:
    # An IPv6 address may be written as it stands in addresses.
    host = _spell(text.removeprefix("[").removesuffix("]"))
    is_address = ":" in host and bool(_read_literal(host))
    if not is_address and not NAME.fullmatch(host):
        raise GuardError(
            f"Expected the name or address of a host, like nas.home or 192.168.1.5, got {text[:100]!r}."
        )
    return host


def _spell(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    name = host.rstrip(".").lower()
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _check_address(address: Address, host: str, private_hosts: Collection[str]) -> None:
    inner = _unwrap(address)
    said = f"{host} is" if str(inner) == host else f"{host} is {inner},"
    # Python counts ::1 among the reserved ones.
    is_reserved = inner.is_reserved and not inner.is_loopback
    if inner.is_multicast or inner.is_unspecified or is_reserved:
        raise GuardError(f"{said} nothing that anything can be fetched from.")
    # The site-local addresses of old count as public there.
    is_site_local = isinstance(inner, IPv6Address) and inner.is_site_local
    is_private = is_site_local or not inner.is_global
    if is_private and _spell(host) not in private_hosts:
        raise GuardError(
            f"{said} on this machine or its own network. Allow that host for this source if it is meant."
        )


def _unwrap(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one, where there is one: mapped, 6to4, Teredo, NAT64 or compatible."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    head = int(address) >> 32
    if head == 0x0064FF9B << 64 or (head == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
