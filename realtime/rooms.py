"""Rooms: what can be joined, by whom, and what may be published there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar
from zlib import crc32

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from realtime.exceptions import RegistrationError, UnknownRoomError
from realtime.messages import Message

MAX_NAME = 80
SHARED_GROUPS = 8
_PARAM = r"[A-Za-z0-9_.-]+"

_room_types: dict[str, type[Room]] = {}


class Room:
    """Base of all rooms; a subclass with a `pattern` registers itself.

    `class SeriesRoom(Room)` with `pattern = "series:{key}"` makes `SeriesRoom(key="mushishi").name == "series:mushishi"`, and
    `get_room("series:mushishi")` finds it. Rooms are equal when their names are.
    """

    pattern: ClassVar[str]
    """Letters, digits, `_ . - :` and parameters in braces; a parameter takes letters, digits and `_ . -`."""
    messages: ClassVar[frozenset[type[Message]]] = frozenset()
    """What may be published here; system messages always may."""
    announces_members: ClassVar[bool] = False
    """Whether `member_joined` and `member_left` are published when users come and go."""
    _regex: ClassVar[re.Pattern[str]]
    _names: ClassVar[frozenset[str]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "pattern" in cls.__dict__:
            _register(cls)

    def __init__(self, **params: str) -> None:
        if set(params) != self._names:
            raise TypeError(
                f"{type(self).__name__} takes {sorted(self._names)}, got {sorted(params)}."
            )
        self.params: Mapping[str, str] = params
        self._name = self.pattern.format_map(params)
        if not self._regex.fullmatch(self._name) or len(self._name) > MAX_NAME:
            raise ValueError(
                f"Expected a room name like {self.pattern!r} of at most {MAX_NAME} characters, got {self._name[:100]!r}."
            )

    @property
    def name(self) -> str:
        """What clients call it."""
        return self._name

    @property
    def group(self) -> str:
        """What the channel layer calls it.

        A room without parameters has a group of its own. The many small ones of a pattern share some, so that a thousand of them are
        neither a thousand subscriptions nor a thousand sends.
        """
        if not self._names:
            return f"room.{self._name.replace(':', '.')}"
        return f"rooms.{crc32(self._name.encode()) % SHARED_GROUPS}"

    def may_join(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        """Return whether this user may be in the room. Runs in a thread of its own, may query, and is asked again every few minutes."""
        return user.is_authenticated and user.is_active

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Room) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"


def _register(cls: type[Room]) -> None:
    parts = re.split(r"\{([a-z_]+)\}", cls.pattern)
    literals, names = parts[::2], parts[1::2]
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:-]*", literals[0]) or not all(
        re.fullmatch(r"[A-Za-z0-9_.:-]*", part) for part in literals
    ):
        raise RegistrationError(
            f"{cls.__qualname__}: expected a pattern like 'scan' or 'series:{{key}}', got {cls.pattern!r}."
        )
    if taken := _room_types.get(cls.pattern):
        raise RegistrationError(
            f"Room pattern {cls.pattern!r} is taken by {taken.__module__}.{taken.__qualname__}."
        )
    groups = [f"(?P<{name}>{_PARAM})" for name in names] + [""]
    cls._regex = re.compile(
        "".join(
            re.escape(literal) + group
            for literal, group in zip(literals, groups, strict=True)
        )
    )
    cls._names = frozenset(names)
    _room_types[cls.pattern] = cls


def get_room_types() -> tuple[type[Room], ...]:
    """Return all registered rooms, by pattern."""
    return tuple(sorted(_room_types.values(), key=lambda kind: kind.pattern))


def get_room(name: str) -> Room:
    """Return the room with this name, whether or not anybody may join it.

    Raises:
        UnknownRoomError: no registered pattern fits, or the name is longer than 80 characters.
    """
    if len(name) <= MAX_NAME:
        for room_type in _room_types.values():
            if match := room_type._regex.fullmatch(name):
                return room_type(**match.groupdict())
    raise UnknownRoomError(name)
