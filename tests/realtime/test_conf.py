from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import RealtimeSettings, get_settings


def test_defaults_are_those_of_the_protocol(settings):
    settings.REALTIME = {}

    found = get_settings()

    assert found == RealtimeSettings()
    assert (
        found.heartbeat_s,
        found.pong_timeout_s,
        found.max_frame_bytes,
        found.max_rooms,
    ) == (25, 10, 16384, 32)
    assert (
        found.frames_per_s,
        found.frames_burst,
        found.max_connections_per_user,
        found.reauthorize_s,
    ) == (20, 40, 20, 300)


def test_setting_is_read_when_asked(settings):
    settings.REALTIME = {"MAX_ROOMS": 3}
    assert get_settings().max_rooms == 3

    settings.REALTIME = {"MAX_ROOMS": 4}
    assert get_settings().max_rooms == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"MAX_ROMS": 3}, "no key MAX_ROMS; allowed are ALLOWED_ORIGINS, HEARTBEAT_S"),
        ({"MAX_ROOMS": 0}, "whole number above 0, got 0"),
        ({"MAX_ROOMS": 1.5}, "whole number above 0, got 1.5"),
        ({"MAX_ROOMS": True}, "got True"),
        ({"HEARTBEAT_S": "25"}, "number above 0, got '25'"),
        (
            {"HEARTBEAT_S": 5},
            "PONG_TIMEOUT_S'\\] must be below HEARTBEAT_S \\(5\\), got 10",
        ),
        ({"ALLOWED_ORIGINS": "https://a"}, "list of origins, got 'https://a'"),
        ({"ALLOWED_ORIGINS": [1]}, "list of origins"),
    ],
)
def test_wrong_setting_is_refused_with_what_is_allowed(settings, given, words):
    settings.REALTIME = given

    with pytest.raises(ImproperlyConfigured, match=words):
        get_settings()
