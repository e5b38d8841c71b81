"""The fixed messages about downloads: exactly the protocol's fields, in its bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from realtime.messages import encode_frame, get_message_types

ITEM = {"download_id": 7, "key": "dark", "folder": "Dark (2017)"}
PLACE = ITEM | {"season": 1, "episode": 2, "position": 3}
COUNTS = {"active": 1, "pending": 2, "completed": 3, "failed": 4, "paused": 5}

VALID: dict[str, dict[str, Any]] = {
    "download_added": PLACE,
    "download_removed": PLACE,
    "download_progress": ITEM
    | {"percent": 12.5, "speed_mbps": 80.0, "eta_seconds": None}
    | {"current": 500, "total": 4000, "status": "active"},
    "download_complete": ITEM | {"file_path": "Dark/Season 01/Dark - S01E02.mkv"},
    "download_failed": ITEM | {"error_message": "The source is away."},
    "queue_status": COUNTS,
    "queue_started": COUNTS | {"by": "keeper"},
    "queue_stopped": COUNTS | {"by": "system"},
    "queue_paused": COUNTS | {"by": "system"},
    "queue_resumed": COUNTS | {"by": "system"},
}


@pytest.mark.parametrize("kind", VALID)
def test_a_frame_holds_the_protocols_fields(kind: str):
    frame = json.loads(encode_frame(get_message_types()[kind](**VALID[kind])))

    assert (frame["type"], frame["data"]) == (kind, VALID[kind])


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("download_progress", "percent", 100.1),
        ("download_progress", "percent", float("nan")),
        ("download_progress", "speed_mbps", -1.0),
        ("download_progress", "eta_seconds", -1),
        ("download_progress", "key", "Not A Key"),
        ("download_added", "position", 0),
        ("download_added", "season", "1"),
        ("download_failed", "error_message", ""),
        ("queue_status", "active", -1),
        ("queue_status", "more", 1),
        ("queue_started", "by", ""),
    ],
)
def test_a_value_out_of_bounds_is_refused(kind: str, field: str, value: object):
    with pytest.raises(ValidationError):
        get_message_types()[kind](**VALID[kind] | {field: value})


def test_progress_is_a_state_and_what_starts_or_ends_is_an_event():
    states = {kind for kind in VALID if get_message_types()[kind].delivery == "state"}

    assert states == {"download_progress", "queue_status"}
