"""The broker's side of a room: its position, what was published lately, the newest state of each entity, and who is there.

Everything that must not fall apart is one Lua script, which Valkey and Redis run alone. Scripts of one sender are numbered, so one
whose answer was lost can be sent again and is not run twice. A room's stream is named by its epoch; a broker that comes back without
its data begins another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1
from typing import Any, NamedTuple, cast
from uuid import uuid4

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer  # type: ignore[import-untyped]
from channels_redis.utils import decode_hosts  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured
from redis import Redis
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from realtime.outbox import Item
from realtime.scripts import MEMBERS, POSITIONS, PUBLISH, RESTART, SINCE, SNAPSHOT

KEPT_MESSAGES = 512
KEPT_S = 300
STATE_KEPT_S = 24 * 3600
POSITION_KEPT_S = 7 * 24 * 3600
SENDER_KEPT_S = 3600
READS_AT_A_TIME = 8

_PUBLISH_SHA = sha1(PUBLISH.encode(), usedforsecurity=False).hexdigest()


class Position(NamedTuple):
    """A place in a room's stream."""

    epoch: str
    seq: int


class State(NamedTuple):
    """The newest message about an entity."""

    item: Item
    kept_at_ms: int
    """By the broker's clock."""


class Snapshot(NamedTuple):
    """What a room is at a position."""

    position: Position
    states: dict[str, State]
    """By what they are about."""
    members: dict[str, str]
    """What each process wrote of its members."""


class RoomMessages(NamedTuple):
    """Messages of one room that are published together."""

    room: str
    messages: Sequence[tuple[str, str]]
    """Mark and body."""
    begins_anew: bool = False
    """Whether messages before these were lost."""


def get_layer() -> RedisPubSubChannelLayer:
    """Return the default channel layer.

    Raises:
        ImproperlyConfigured: it is missing, or of a kind that no history can be kept beside.
    """
    layer = channel_layers[DEFAULT_CHANNEL_LAYER]
    if not isinstance(layer, RedisPubSubChannelLayer):
        raise ImproperlyConfigured(
            f"CHANNEL_LAYERS['default'] must be channels_redis.pubsub.RedisPubSubChannelLayer, got {type(layer).__qualname__}."
        )
    return layer


class Keys:
    """Names at the broker; all begin with the layer's prefix."""

    def __init__(self, layer: RedisPubSubChannelLayer) -> None:
        self.prefix = layer._kwargs.get("prefix", "asgi")

    def get_group(self, group: str) -> str:
        """Return the broker's channel behind a group. Source: RedisPubSubLoopLayer._get_group_channel_name."""
        return f"{self.prefix}__group__{group}"

    def get_sender(self, sender: str) -> str:
        return f"{self.prefix}:rt:sender:{sender}"

    def get_meta(self, room: str) -> str:
        return f"{self.prefix}:rt:meta:{room}"

    def get_log(self, room: str) -> str:
        return f"{self.prefix}:rt:log:{room}"

    def get_states(self, room: str) -> str:
        return f"{self.prefix}:rt:states:{room}"

    def get_members(self, room: str) -> str:
        return f"{self.prefix}:rt:members:{room}"


def get_host(layer: RedisPubSubChannelLayer) -> tuple[str | None, dict[str, Any]]:
    """Return the broker's address, if it is given as one, and what else a client needs to reach it."""
    host = dict(decode_hosts(layer._kwargs.get("hosts"))[0])
    return host.pop("address", None), host


class SenderHistory:
    """The writing half, for one thread; opens its connection at the first call."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._name = uuid4().hex
        self._numbers: dict[str, int] = {}
        """Of the last call for each group: one that has to be repeated is not overtaken by another's number."""
        self._made_for: RedisPubSubChannelLayer | None = None
        self._client: Redis | None = None

    def publish(self, groups: Mapping[str, Sequence[RoomMessages]]) -> dict[str, int]:
        """Keep and publish messages, and return how many processes listen to each group; all in one round trip.

        After an error call `publish` again with the same groups: what was done already is then not done twice.

        Raises:
            RedisError, OSError: the broker does not answer.
            ImproperlyConfigured: there is no usable channel layer.
        """
        client, keys = self._connect()
        calls = [self._make_call(keys, group, rooms) for group, rooms in groups.items()]
        if len(calls) == 1:
            found = [self._call(client, *calls[0])]
        else:
            pipeline = client.pipeline(transaction=False)
            for call in calls:
                pipeline.eval(PUBLISH, *call)
            found = pipeline.execute()
        self.give_up(groups)
        return dict(zip(groups, found, strict=True))

    def give_up(self, groups: Iterable[str]) -> None:
        """Go on without repeating the last call; its numbers may have been taken by the broker."""
        for group in groups:
            self._numbers[group] = self._numbers.get(group, 0) + 1

    def _call(self, client: Redis, *call: Any) -> Any:
        # The common case: one room, as quick as can be.
        try:
            return client.evalsha(_PUBLISH_SHA, *call)
        except NoScriptError:
            return client.eval(PUBLISH, *call)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._made_for = None

    def _connect(self) -> tuple[Redis, Keys]:
        layer = get_layer()
        if self._client is None or layer is not self._made_for:
            self.close()
            address, options = get_host(layer)
            options = {
                "socket_connect_timeout": self._timeout_s,
                **options,
                "socket_timeout": self._timeout_s,
                "retry": Retry(NoBackoff(), 0),
                # One thread needs no pool, which costs as much as a short call.
                "single_connection_client": True,
            }
            self._client = (
                Redis.from_url(address, **options) if address else Redis(**options)
            )
            self._made_for = layer
        return self._client, Keys(layer)

    def _make_call(
        self, keys: Keys, group: str, rooms: Sequence[RoomMessages]
    ) -> list[Any]:
        number = self._numbers.get(group, 0) + 1
        names = [keys.get_sender(f"{self._name}:{group}")]
        arguments: list[Any] = [number, keys.get_group(group), _make_epoch()]
        arguments += [KEPT_MESSAGES, KEPT_S, STATE_KEPT_S]
        arguments += [POSITION_KEPT_S, SENDER_KEPT_S]
        for room, messages, begins_anew in rooms:
            names += [keys.get_meta(room), keys.get_log(room), keys.get_states(room)]
            arguments += [room, int(begins_anew), len(messages)]
            for message in messages:
                arguments += message
        return [len(names), *names, *arguments]


class HubHistory:
    """The reading half, for one event loop."""

    def __init__(self, *, timeout_s: float) -> None:
        layer = get_layer()
        address, options = get_host(layer)
        options |= {
            "socket_timeout": timeout_s,
            "retry": AsyncRetry(NoBackoff(), 0),
        }
        self._client = (
            aioredis.Redis.from_url(address, **options)
            if address
            else aioredis.Redis(**options)
        )
        self._keys = Keys(layer)
        self._turn = asyncio.Semaphore(READS_AT_A_TIME)

    async def get_positions(self, rooms: Sequence[str]) -> list[Position]:
        """Return where each room is; a room that never was begins."""
        found = await self._call(*_ask_positions(self._keys, rooms, 0))
        return _read_positions(found)

    async def get_snapshot(self, room: str) -> Snapshot:
        """Return a room's position with everything that is true there."""
        keys = self._keys
        names = [keys.get_meta(room), keys.get_log(room)]
        names += [keys.get_states(room), keys.get_members(room)]
        epoch, seq, states, members = await self._call(
            SNAPSHOT, names, [_make_epoch(), POSITION_KEPT_S, STATE_KEPT_S]
        )
        return Snapshot(
            Position(epoch.decode(), seq),
            {about: _read_state(about, kept) for about, kept in _pairs(states)},
            dict(_pairs(members)),
        )

    async def get_since(self, room: str, position: Position) -> list[Item] | None:
        """Return everything after a position, in order; None where the history does not reach back to it."""
        names = [self._keys.get_meta(room), self._keys.get_log(room)]
        entries = await self._call(SINCE, names, list(position))
        return None if entries is None else [_read_entry(entry) for entry in entries]

    async def restart(self, room: str, epoch: str) -> None:
        """Begin another stream unless somebody did; for a broker that lost the end of this one."""
        names = [self._keys.get_meta(room), self._keys.get_log(room)]
        names.append(self._keys.get_states(room))
        await self._call(RESTART, names, [epoch, _make_epoch()])

    async def keep_members(
        self, process: str, told: Mapping[str, str], expires_ms: int
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Write what a process says of its rooms, and return what others say and said before they expired."""
        names = [self._keys.get_members(room) for room in told]
        found = await self._call(MEMBERS, names, [process, expires_ms, *told.values()])
        return {
            room: (_decode(others), _decode(gone))
            for room, (others, gone) in zip(told, found, strict=True)
        }

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(
        self, script: str, names: Sequence[str], arguments: Iterable[Any]
    ) -> Any:
        # A crowd that comes back together would otherwise open a connection each.
        async with self._turn:
            return await cast(
                Any, self._client.eval(script, len(names), *names, *arguments)
            )


def get_positions_of(
    rooms: Sequence[str], *, back_ms: int, timeout_s: float
) -> list[Position]:
    """Return where each room was some time ago, or earlier, from synchronous code.

    Raises:
        RedisError, OSError: the broker does not answer in time.
        ImproperlyConfigured: there is no usable channel layer.
    """
    layer = get_layer()
    client = _get_page_client(layer, timeout_s)
    script, names, arguments = _ask_positions(Keys(layer), rooms, back_ms)
    found = client.eval(script, len(names), *names, *arguments)
    return _read_positions(cast(Any, found))


def send_to_group(group: str, event: dict[str, Any], *, timeout_s: float) -> None:
    """Send an event of the layer from synchronous code.

    Raises:
        RedisError, OSError: the broker does not answer in time.
        ImproperlyConfigured: there is no usable channel layer.
    """
    layer = get_layer()
    client = _get_page_client(layer, timeout_s)
    client.publish(Keys(layer).get_group(group), layer.serialize(event))


_page_clients: dict[RedisPubSubChannelLayer, Redis] = {}


def _get_page_client(layer: RedisPubSubChannelLayer, timeout_s: float) -> Redis:
    if layer not in _page_clients:
        _page_clients.clear()
        address, options = get_host(layer)
        options |= {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "retry": Retry(NoBackoff(), 0),
        }
        _page_clients[layer] = (
            Redis.from_url(address, **options) if address else Redis(**options)
        )
    return _page_clients[layer]


def _ask_positions(
    keys: Keys, rooms: Sequence[str], back_ms: int
) -> tuple[str, list[str], list[Any]]:
    names = [
        name for room in rooms for name in (keys.get_meta(room), keys.get_log(room))
    ]
    return POSITIONS, names, [_make_epoch(), POSITION_KEPT_S, back_ms]


def _make_epoch() -> str:
    return uuid4().hex[:12]


def _read_positions(found: Iterable[tuple[bytes, int]]) -> list[Position]:
    return [Position(epoch.decode(), seq) for epoch, seq in found]


def _read_state(about: str, kept: str) -> State:
    seq, kept_at_ms, body = kept.split(" ", 2)
    return State(Item(int(seq), f"s{about}", body), int(kept_at_ms))


def _read_entry(entry: tuple[bytes, list[bytes]]) -> Item:
    number, fields = entry
    return Item(int(number.split(b"-")[0]), fields[1].decode(), fields[3].decode())


def _decode(values: Iterable[bytes]) -> list[str]:
    return [value.decode() for value in values]


def _pairs(flat: Sequence[bytes]) -> Iterable[tuple[str, str]]:
    texts = _decode(flat)
    return zip(texts[::2], texts[1::2], strict=True)
