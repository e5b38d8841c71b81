from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AnonymousUser

from realtime import rooms
from realtime.exceptions import RegistrationError, UnknownRoomError
from realtime.rooms import Room, get_room
from tests.realtime.lab import BenchRoom, LabRoom, make_visitor


def test_room_is_found_by_the_name_that_it_gives():
    room = BenchRoom(key="attack-on-titan")

    assert room.name == "bench:attack-on-titan"
    assert get_room("bench:attack-on-titan") == room
    assert get_room("bench:attack-on-titan").params == {"key": "attack-on-titan"}
    assert isinstance(get_room("lab"), LabRoom)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nowhere",
        "lab ",
        "lab\n",
        "bench:",
        "bench:a:b",
        "bench:ä",
        "bench:" + "a" * 75,
        "bench:a/b",
        "LAB",
    ],
)
def test_other_names_are_unknown(name):
    with pytest.raises(UnknownRoomError):
        get_room(name)


def test_longest_name_is_eighty_characters():
    assert get_room("bench:" + "a" * 74).name == "bench:" + "a" * 74


@pytest.mark.parametrize("key", ["", "a:b", "a b", "ä", "a" * 75, "a\n"])
def test_room_refuses_a_value_that_no_name_can_hold(key):
    with pytest.raises(ValueError, match="bench:"):
        BenchRoom(key=key)


@pytest.mark.parametrize("params", [{}, {"key": "a", "other": "b"}, {"other": "b"}])
def test_room_refuses_other_parameters(params):
    with pytest.raises(TypeError, match="takes \\['key'\\]"):
        BenchRoom(**params)


def test_group_is_valid_for_every_channel_layer():
    for room in [LabRoom(), BenchRoom(key="a.b_c-d"), BenchRoom(key="a" * 74)]:
        assert re.fullmatch(r"[a-zA-Z\d\-_.]{1,99}", room.group)


def test_no_two_rooms_share_a_group(monkeypatch):
    monkeypatch.setattr("realtime.rooms._room_types", dict(rooms._room_types))

    class TrapRoom(Room):
        pattern = "bench.a"

    assert TrapRoom().group != BenchRoom(key="a").group


@pytest.mark.parametrize("pattern", ["lab", "", "{key}", "a b", "ä", "x:{Key}", "x:{"])
def test_pattern_that_is_taken_or_impossible_is_refused(pattern):
    with pytest.raises(RegistrationError, match="pattern"):
        type("OtherRoom", (Room,), {"pattern": pattern})


def test_rooms_are_equal_by_name():
    assert len({LabRoom(), LabRoom(), BenchRoom(key="a"), BenchRoom(key="a")}) == 2


def test_everybody_who_is_logged_in_and_active_may_join_by_default():
    assert LabRoom().may_join(make_visitor())
    assert not LabRoom().may_join(make_visitor(is_active=False))
    assert not LabRoom().may_join(AnonymousUser())
