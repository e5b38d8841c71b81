"""Fetching one document from a source: bounded in size and time, only from where the guard allows, and not again where nothing changed."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any

import httpcore
import httpx

from aniworld_site.downloads.providers.answers import make_error
from aniworld_site.downloads.providers.base import (
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
)
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    may_know_password,
    read_host,
    resolve,
)

MAX_BYTES = 16 * 1024 * 1024
"""Of a document, unpacked."""
TIMEOUT_S = 60.0
"""For a whole document, however it drips."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 20.0
MAX_REDIRECTS = 5
USER_AGENT = "AniWorld"


@dataclass(frozen=True, kw_only=True)
class Document:
    """What came, from where, and its version."""

    url: str
    """After redirects."""
    content: bytes
    type: str
    """MIME type as the server says, without parameters."""
    version: Version


class Fetcher:
    """Connections to a source, for one look at it."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._auth = httpx.BasicAuth(options.username, options.password)
        check_url(options.url, private_hosts=options.private_hosts)
        self._client = httpx.Client(
            transport=_GuardedTransport(private_hosts=options.private_hosts),
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"User-Agent": USER_AGENT},
            event_hooks={"request": [self._prepare]},
            trust_env=False,
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def fetch(self, url: str, *, known: Version | None = None) -> Document | None:
        """Return a document; None where it is the known version.

        Raises:
            ProviderError: it cannot be had, or is too large.
        """
        headers = {}
        if known and known.etag:
            headers["If-None-Match"] = known.etag
        if known and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        with _in_sentences(url), self._follow(url, headers) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED and known:
                return None
            if not response.is_success:
                raise make_error(
                    response.url.host,
                    response.status_code,
                    response.reason_phrase,
                    response.headers.get("Retry-After", ""),
                )
            return Document(
                url=str(response.url),
                content=_read(response),
                type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
                version=Version(
                    etag=response.headers.get("ETag", "")[:200],
                    last_modified=response.headers.get("Last-Modified", "")[:100],
                ),
            )

    @contextmanager
    def _follow(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Ask for a document, and for where it leads to; what else a redirect says, which the library would read to its end, is not read."""
        request = self._client.build_request("GET", url, headers=headers)
        for _redirect in range(MAX_REDIRECTS + 1):
            response = self._client.send(request, stream=True)
            with closing(response):
                if response.next_request is None:
                    yield response
                    return
                request = response.next_request
        raise httpx.TooManyRedirects("It leads on and on.", request=request)

    def _prepare(self, request: httpx.Request) -> None:
        """Look at what is about to be sent. Redirects come by here, too."""
        url = str(request.url)
        check_url(url, private_hosts=self._options.private_hosts)
        # What a source names elsewhere is not told its password, nor is anybody on the way to its own host.
        request.headers.pop("Authorization", None)
        if self._options.username and may_know_password(url, self._options.url):
            next(self._auth.sync_auth_flow(request))


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were looked at."""

    def __init__(self, *, private_hosts: Collection[str]) -> None:
        self._private_hosts = private_hosts
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers."""
        error: Exception | None = None
        for address in resolve(host, port, private_hosts=self._private_hosts):
            try:
                return self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error or httpcore.ConnectError(f"{host} has no address.")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Refuse: no source is a socket of this machine."""
        raise GuardError("Expected an address on the network.")

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _GuardedTransport(httpx.HTTPTransport):
    def __init__(self, *, private_hosts: Collection[str]) -> None:
        super().__init__()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=2,
            network_backend=GuardedBackend(private_hosts=private_hosts),
        )


@contextmanager
def _in_sentences(url: str) -> Iterator[None]:
    host = read_host(url) or url[:200]
    try:
        yield
    except httpx.TimeoutException as error:
        raise ProviderError(f"{host} does not answer in time.") from error
    except httpx.TooManyRedirects as error:
        raise ProviderError(
            f"{host} redirects more than {MAX_REDIRECTS} times.",
            trouble=Trouble.PERMANENT,
        ) from error
    except httpx.UnsupportedProtocol as error:
        raise ProviderError(
            f"{host} redirects to an address that is not http.",
            trouble=Trouble.PERMANENT,
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise ProviderError(f"{host} could not be read: {error}.") from error


def _read(response: httpx.Response) -> bytes:
    deadline = monotonic() + TIMEOUT_S
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise ProviderError(
                f"{response.url.host} sends more than {MAX_BYTES >> 20} MiB, which is more than is read.",
                trouble=Trouble.PERMANENT,
            )
        if monotonic() > deadline:
            raise ProviderError(
                f"{response.url.host} sends so slowly that it was not through after {TIMEOUT_S:g} s."
            )
    return bytes(content)
