"""Asking for a file, or for the rest of one: only where the guard allows, at each connect and redirect."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin

from aniworld_site.downloads.providers.answers import make_error
from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.guarding import (
    check_url,
    may_know_password,
    read_host,
    resolve,
)

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 20.0
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
USER_AGENT = "AniWorld"
# Characters that a path may hold as they are; what is escaped already stays so.
PLAIN = "/%:@!$&'()*+,;=~-._[]?"
MOST_DIGITS = 18
"""Of a size: one that is in 64 bits, and larger than any file."""
RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be fetched."""

    url: str
    private_hosts: Collection[str] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    source_url: str = ""
    """Of the source that named it: its credentials go to no other host."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Which bytes of a file an answer holds."""

    first: int
    end: int
    """Of the byte behind the last one."""
    total: int | None
    """Bytes of the whole; None where the server does not say."""


@dataclass(kw_only=True)
class Answer:
    """A response that is under way."""

    url: str
    """After redirects."""
    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    @property
    def status(self) -> int:
        return self.response.status

    def header(self, name: str) -> str:
        return (self.response.getheader(name) or "").strip()

    @property
    def length(self) -> int | None:
        """How many bytes follow; None where it does not say, or nothing that can be understood."""
        # Not by the library, which takes "1_000" and "+5" for numbers, and of several the first.
        said = {each.strip() for each in self.header("Content-Length").split(",")}
        number = said.pop() if len(said) == 1 else ""
        if self.response.chunked or not re.fullmatch("[0-9]+", number):
            return None
        # What is cut off is of a number that is too large all the same.
        return int((number.lstrip("0") or "0")[:MOST_DIGITS])

    @property
    def piece(self) -> Piece | None:
        """What a 206 holds; None where it does not say, or nothing that can be.

        Source: RFC 9110, 14.4.
        """
        found = RANGE.fullmatch(self.header("Content-Range"))
        if not found:
            return None
        first, end = int(found[1]), int(found[2]) + 1
        total = None if found[3] == "*" else int(found[3])
        if end <= first or (total is not None and end > total):
            return None
        return Piece(first=first, end=end, total=total)

    def close(self) -> None:
        # One that ends with its connection has taken that over.
        self.response.close()
        self.connection.close()


def ask(target: Target, headers: dict[str, str]) -> Answer:
    """Send a GET and return what answers after at most 5 redirects: 200, 206 or 416.

    Raises:
        ProviderError: It is refused, or nothing answers.
    """
    url = target.url
    for _redirect in range(MAX_REDIRECTS + 1):
        answer = _ask_once(target, url, headers)
        if answer.status not in REDIRECTS:
            return _check(answer)
        answer.close()
        try:
            url = urljoin(url, answer.header("Location"))
        except ValueError as error:
            raise ProviderError(
                f"{_get_host(url)} redirects to what is no address.",
                trouble=Trouble.PERMANENT,
            ) from error
    raise ProviderError(
        f"{_get_host(url)} redirects more than {MAX_REDIRECTS} times.",
        trouble=Trouble.PERMANENT,
    )


def _ask_once(target: Target, url: str, headers: dict[str, str]) -> Answer:
    parts = check_url(url, private_hosts=target.private_hosts)
    connection = _GuardedConnection(parts, private_hosts=target.private_hosts)
    path = quote(parts.path or "/", safe=PLAIN)
    query = f"?{quote(parts.query, safe=PLAIN)}" if parts.query else ""
    # Packed bytes could not be resumed, and a video gains nothing.
    sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    if target.username and may_know_password(url, target.source_url):
        pair = f"{target.username}:{target.password}".encode()
        sent["Authorization"] = f"Basic {b64encode(pair).decode()}"
    try:
        connection.request("GET", path + query, headers=sent)
        response = connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        raise tell_failure(parts.hostname or url, error) from error
    except ProviderError:
        connection.close()
        raise
    return Answer(url=url, response=response, connection=connection)


def _check(answer: Answer) -> Answer:
    if answer.status in (200, 206, 416):
        return answer
    error = make_error(
        _get_host(answer.url),
        answer.status,
        answer.response.reason,
        answer.header("Retry-After"),
    )
    answer.close()
    raise error


def tell_failure(host: str, error: Exception) -> ProviderError:
    """Return what a connection's end means, as a sentence."""
    if isinstance(error, TimeoutError):
        return ProviderError(f"{host} does not answer in time.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProviderError(
            f"{host} cannot prove who it is: {error.verify_message}.",
            trouble=Trouble.PERMANENT,
        )
    if isinstance(error, ConnectionRefusedError):
        return ProviderError(f"{host} refuses connections.")
    return ProviderError(
        f"{host} cut the connection: {str(error) or type(error).__name__}."
    )


class _GuardedConnection(http.client.HTTPConnection):
    """Connects to addresses that were looked at, with TLS for https."""

    def __init__(self, parts: SplitResult, *, private_hosts: Collection[str]) -> None:
        self._is_secure = parts.scheme == "https"
        self._private_hosts = private_hosts
        # An international name is written in its ASCII form.
        name = parts.hostname or ""
        try:
            host = name.encode("idna").decode()
        except UnicodeError as error:
            raise ProviderError(
                f"{name[:100]} is no name of a host.", trouble=Trouble.PERMANENT
            ) from error
        self.default_port = 443 if self._is_secure else 80
        super().__init__(host, parts.port or self.default_port, timeout=READ_TIMEOUT_S)

    def connect(self) -> None:
        error: OSError | None = None
        for address in resolve(self.host, self.port, private_hosts=self._private_hosts):
            try:
                self.sock = socket.create_connection(
                    (address, self.port), timeout=CONNECT_TIMEOUT_S
                )
            except OSError as failed:
                error = failed
            else:
                self.sock.settimeout(READ_TIMEOUT_S)
                if self._is_secure:
                    context = ssl.create_default_context()
                    self.sock = context.wrap_socket(
                        self.sock, server_hostname=self.host
                    )
                return
        raise error or OSError(f"{self.host} has no address")


def _get_host(url: str) -> str:
    return read_host(url) or url
