"""Which addresses a source may be at: http and https only, and nothing on this machine or its network unless the person said so.

A name is resolved once, every address of it is looked at, and the connection goes to one that was: what a name means a moment later, or
behind a redirect, is looked at again.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from aniworld_site.downloads.providers.base import ProviderError, Trouble

SCHEMES = {"http": 80, "https": 443}
MAX_URL = 2_000

Address = IPv4Address | IPv6Address


class GuardError(ProviderError):
    """An address that nothing may be fetched from."""

    def __init__(self, message: str) -> None:
        super().__init__(message, trouble=Trouble.PERMANENT)


def check_url(url: str, *, may_be_private: bool) -> SplitResult:
    """Return the parts of an address that may be asked; names are looked at when they are connected to.

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
        _check_address(address, parts.hostname, may_be_private=may_be_private)
    return parts


def resolve(host: str, port: int, *, may_be_private: bool) -> list[str]:
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
        _check_address(
            ip_address(address.partition("%")[0]), host, may_be_private=may_be_private
        )
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


def _check_address(address: Address, host: str, *, may_be_private: bool) -> None:
    inner = _unwrap(address)
    said = f"{host} is" if str(inner) == host else f"{host} is {inner},"
    # Python counts ::1 among the reserved ones.
    is_reserved = inner.is_reserved and not inner.is_loopback
    if inner.is_multicast or inner.is_unspecified or is_reserved:
        raise GuardError(f"{said} nothing that anything can be fetched from.")
    if not may_be_private and not inner.is_global:
        raise GuardError(
            f"{said} on this machine or its own network. Allow that for this source if it is meant."
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
