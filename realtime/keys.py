"""Lets other programs in by a key in a header, in place of a session.

`Authorization: Bearer KEY` or `X-Api-Key: KEY`, on `/ws/`, `/events/` and `/metrics`; never in the URL, where logs would keep it. A key
has the right of its user within its scopes. No browser sends one along by itself, so where a page is from does not matter; whoever
comes with a cookie is asked for its origin as ever.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple, cast

from channels.auth import AuthMiddlewareStack
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from realtime.codes import CloseCode
from realtime.limits import TokenBuckets
from realtime.messages import Bye, encode_frame
from realtime.models import ApiKey, ApiKeyQuerySet
from realtime.queries import run_query
from realtime.scopes import allows

__all__ = [
    "Grant",
    "KeyMiddleware",
    "TooManyWrongKeysError",
    "allows",
    "authenticate",
    "find_key",
    "is_still_valid",
    "is_within_scopes",
    "make_digest",
    "make_secret",
]

logger = logging.getLogger(__name__)

MARK = "rtk_"
"""Tells keys from what else may stand in `Authorization`, which a proxy may have written."""
SHOWN_CHARS = 10
NOTED_EVERY = timedelta(minutes=1)
WRONG_PER_S, WRONG_BURST = 0.2, 10
MAX_KNOWN = 1_000
_KEY = re.compile(MARK + r"[A-Za-z0-9_-]{43}")
_HEADERS = (b"authorization", b"x-api-key")

Headers = Iterable[tuple[bytes, bytes]]


class Grant(NamedTuple):
    """Whom a key lets in, and for what."""

    user: AbstractBaseUser
    scopes: tuple[str, ...]
    pk: int
    """Of the key."""


class TooManyWrongKeysError(Exception):
    """An address sent so many wrong keys that it has to wait."""

    def __init__(self, after_ms: int) -> None:
        super().__init__("Too many wrong keys came from this address.")
        self.after_ms = after_ms


class WrongKeys:
    """Keeps whoever guesses from asking the database each time.

    A key that was right lately is looked up all the same: behind a proxy everybody has one address.
    """

    def __init__(self) -> None:
        self._buckets = TokenBuckets()
        self._blocked: dict[str, float] = {}
        """Addresses, and until when."""
        self._known: dict[str, None] = {}
        """Digests, oldest first."""
        self._lock = Lock()
        """Each handshake is looked at in a thread of its own."""

    def check(self, address: str, digest: str) -> None:
        """Raise where this address has to wait.

        Raises:
            TooManyWrongKeysError: it has.
        """
        wait_s = self._blocked.get(address, 0.0) - monotonic()
        if wait_s > 0 and digest not in self._known:
            raise TooManyWrongKeysError(int(wait_s * 1000) + 1)

    def note_wrong(self, address: str, digest: str) -> None:
        self._known.pop(digest, None)
        if wait_ms := self._buckets.take(address, per_s=WRONG_PER_S, burst=WRONG_BURST):
            now = monotonic()
            self._blocked = {a: t for a, t in self._blocked.items() if t > now}
            self._blocked[address] = now + wait_ms / 1000

    def note_right(self, digest: str) -> None:
        with self._lock:
            self._known[digest] = None
            if len(self._known) > MAX_KNOWN:
                del self._known[next(iter(self._known))]


wrong_keys = WrongKeys()


def make_secret() -> str:
    """Return a new key of 256 random bits."""
    return MARK + secrets.token_urlsafe(32)


def make_digest(key: str) -> str:
    """Return what is kept of a key."""
    return sha256(key.encode()).hexdigest()


def find_key(headers: Headers) -> str | None:
    """Return the key that was sent, `""` where it cannot be one, None where none was sent.

    A `Bearer` that does not begin as keys do belongs to somebody else, and is as if it were not there.
    """
    found = []
    for name, value in headers:
        name = name.lower()
        if name not in _HEADERS:
            continue
        text = value.decode("latin-1").strip()
        if name == b"authorization":
            scheme, _, text = text.partition(" ")
            text = text.strip()
            if scheme.lower() != "bearer" or not text.startswith(MARK):
                continue
        found.append(text)
    if not found:
        return None
    # Of two it would be a guess which is meant.
    return found[0] if len(found) == 1 and _KEY.fullmatch(found[0]) else ""


def authenticate(headers: Headers, *, address: str = "") -> Grant | None:
    """Return whom the key in the headers lets in, None where there is none that does. One query, and once a minute a write.

    Raises:
        TooManyWrongKeysError: the address sent too many wrong ones; nothing was asked of the database.
    """
    key = find_key(headers)
    if not key:
        return None
    digest = make_digest(key)
    wrong_keys.check(address, digest)
    row = _list_usable().filter(digest=digest).first()
    # The query has compared it already, though not in constant time; of a digest that nobody can choose that tells nothing.
    if row is None or not hmac.compare_digest(row.digest, digest):
        wrong_keys.note_wrong(address, digest)
        logger.warning("A key that is not valid came from %s", address or "somewhere")
        return None
    wrong_keys.note_right(digest)
    _note_use(row)
    return _make_grant(row)


async def is_still_valid(scope: Mapping[str, Any]) -> bool:
    """Return whether whoever came by a key may stay; True for those who came without one. One query.

    `user` and `realtime_scopes` of the scope are then as the database has them now.
    """
    if "realtime_key" not in scope:
        return True
    grant = await run_query(_find_grant, scope["realtime_key"])
    if grant is None:
        return False
    cast(Any, scope).update(user=grant.user, realtime_scopes=grant.scopes)
    return True


def is_within_scopes(scope: Mapping[str, Any], room: str) -> bool:
    """Return whether the key of this connection is good for a room; True for those who came without one."""
    return "realtime_key" not in scope or allows(scope["realtime_scopes"], room)


def _list_usable() -> ApiKeyQuerySet:
    return ApiKey.objects.select_related("user").usable()


def _find_grant(pk: int) -> Grant | None:
    row = _list_usable().filter(pk=pk).first()
    return None if row is None else _make_grant(row)


def _make_grant(row: ApiKey) -> Grant:
    return Grant(row.user, tuple(row.scopes), row.pk)


def _note_use(row: ApiKey) -> None:
    now = timezone.now()
    old = now - NOTED_EVERY
    if row.last_used_at is not None and row.last_used_at > old:
        return
    try:
        with transaction.atomic():
            ApiKey.objects.filter(
                Q(last_used_at=None) | Q(last_used_at__lte=old), pk=row.pk
            ).update(last_used_at=now)
    except DatabaseError as error:
        # A database that is busy or read-only must not lock a program out.
        logger.warning("The use of key %s was not noted: %s", row.prefix, error)


class KeyMiddleware:
    """Stands in for `AuthMiddlewareStack`: whoever sends a key comes in by it, everybody else by the session.

    With a key `scope` has user, realtime_scopes and realtime_key, and neither cookie nor origin: a key that a program sends is not
    mixed with a session that a browser would add. A wrong key is nobody, whatever cookie came with it.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._by_session: Any = AuthMiddlewareStack(inner)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection."""
        if find_key(scope["headers"]) is None:
            await self._by_session(scope, receive, send)
            return
        address = (scope.get("client") or ("",))[0]
        try:
            grant = await run_query(authenticate, scope["headers"], address=address)
        except TooManyWrongKeysError as error:
            await _turn_away(scope, send, error)
            return
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name not in (b"cookie", b"origin")
        ]
        served = {**scope, "headers": headers, "realtime_scopes": ()}
        if grant is not None:
            served |= {
                "user": grant.user,
                "realtime_scopes": grant.scopes,
                "realtime_key": grant.pk,
            }
        await self._inner(served, receive, send)


async def _turn_away(scope: Any, send: Any, error: TooManyWrongKeysError) -> None:
    if scope["type"] == "websocket":
        bye = Bye(
            code=CloseCode.TOO_MANY,
            reconnect=True,
            after_ms=error.after_ms,
            message=str(error),
        )
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": encode_frame(bye)})
        await send({"type": "websocket.close", "code": int(CloseCode.TOO_MANY)})
        return
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", str(-(-error.after_ms // 1000)).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": f"{error}\n".encode()})
