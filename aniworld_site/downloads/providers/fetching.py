"""Fetching one document from a source: bounded in size and time, only from where the guard allows, and not again where nothing changed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from types import TracebackType

import httpcore
import httpx

from aniworld_site.downloads.providers.base import (
    ProviderError,
    SourceOptions,
    Trouble,
    Version,
)
from aniworld_site.downloads.providers.guarding import GuardedBackend, check_url

MAX_BYTES = 16 * 1024 * 1024
"""Of a document, unpacked."""
TIMEOUT_S = 60.0
"""For a whole document, however it drips."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 20.0
MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 24 * 3600
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
        self._host = check_url(
            options.url, may_be_private=options.may_be_private
        ).netloc
        self._client = httpx.Client(
            transport=_GuardedTransport(may_be_private=options.may_be_private),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"User-Agent": USER_AGENT},
            event_hooks={"request": [self._check]},
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
        with (
            _in_sentences(url),
            self._client.stream(
                "GET", url, headers=headers, auth=self._get_auth(url)
            ) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED and known:
                return None
            if not response.is_success:
                raise _make_error(response)
            return Document(
                url=str(response.url),
                content=_read(response),
                type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
                version=Version(
                    etag=response.headers.get("ETag", "")[:200],
                    last_modified=response.headers.get("Last-Modified", "")[:100],
                ),
            )

    def _check(self, request: httpx.Request) -> None:
        # Redirects come by here, too.
        check_url(str(request.url), may_be_private=self._options.may_be_private)

    def _get_auth(self, url: str) -> httpx.BasicAuth | None:
        # What a source names elsewhere is not told its password.
        if not self._options.username or httpx.URL(url).netloc.decode() != self._host:
            return None
        return httpx.BasicAuth(self._options.username, self._options.password)


class _GuardedTransport(httpx.HTTPTransport):
    def __init__(self, *, may_be_private: bool) -> None:
        super().__init__()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=2,
            network_backend=GuardedBackend(may_be_private=may_be_private),
        )


@contextmanager
def _in_sentences(url: str) -> Iterator[None]:
    host = httpx.URL(url).host
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
                f"{response.url.host} sends more than {MAX_BYTES >> 20} MiB, which is no list of episodes.",
                trouble=Trouble.PERMANENT,
            )
        if monotonic() > deadline:
            raise ProviderError(
                f"{response.url.host} sends so slowly that it was not through after {TIMEOUT_S:g} s."
            )
    return bytes(content)


def _make_error(response: httpx.Response) -> ProviderError:
    host, status = response.url.host, response.status_code
    said = f"{status} {response.reason_phrase}".strip()
    if status in (401, 403):
        return ProviderError(
            f"{host} wants a login, or another one ({said}).", trouble=Trouble.LOGIN
        )
    retry_after_s = read_retry_after(response.headers.get("Retry-After", ""))
    if status == 429 or (status == 503 and retry_after_s is not None):
        return ProviderError(
            f"{host} is asked too often ({said}).",
            trouble=Trouble.THROTTLED,
            retry_after_s=retry_after_s,
        )
    if status >= 500 or status == 408:
        return ProviderError(f"{host} has a fault of its own ({said}).")
    return ProviderError(
        f"{host} has nothing at this address ({said}).", trouble=Trouble.PERMANENT
    )


def read_retry_after(value: str) -> int | None:
    """Return the seconds that a `Retry-After` means, at most a day; None where it says nothing that can be understood.

    Source: RFC 9110, 10.2.3.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), MAX_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds = (until - datetime.now(UTC)).total_seconds()
    return int(min(max(seconds, 0), MAX_RETRY_AFTER_S))
