from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel

from realtime.codes import COMES_BACK, CloseCode, ErrorCode
from realtime.messages import Message, get_message_types
from realtime.schema.bounds import write_bounds
from realtime.schema.definitions import get_unit
from realtime.schema.describing import describe
from realtime.schema.docstrings import get_attribute_docs
from realtime.schema.documents import build_asyncapi, build_json_schema
from realtime.schema.files import write_files
from tests.realtime.lab import LabProgress

OFFICIAL = Path(__file__).parent / "asyncapi-3.0.0/schema.json.gz"
PROTOCOL = describe()
TYPES = {entry.cls.type: entry for entry in PROTOCOL.messages}


def test_document_is_valid_by_the_schema_of_asyncapi_itself():
    official = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    document = build_asyncapi(PROTOCOL)

    errors = list(Draft7Validator(official).iter_errors(document))
    broken = list(Draft7Validator(official).iter_errors({**document, "channels": 1}))

    assert [error.message for error in errors] == []
    assert broken


def test_every_reference_in_the_document_leads_somewhere():
    document = build_asyncapi(PROTOCOL)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert set(node) == {"$ref"}
                target: Any = document
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_schema_of_the_frames_is_a_valid_schema():
    Draft202012Validator.check_schema(build_json_schema(PROTOCOL))


@pytest.mark.parametrize("name", sorted(get_message_types()))
def test_every_type_appears_in_every_document(name: str):
    entry = TYPES[name]
    files = write_files(PROTOCOL)

    assert (
        json.loads(files["asyncapi.json"])["components"]["messages"][name]["name"]
        == name
    )
    assert {entry.data, entry.frame} <= set(
        json.loads(files["messages.schema.json"])["$defs"]
    )
    assert f"### `{name}`\n" in files["protocol-reference.md"]
    assert f'  type: "{name}";' in files["messages.d.ts"]
    assert f'  {name.upper()}: "{name}",' in files["wire.js"]


def test_document_says_how_a_message_is_delivered():
    message = build_asyncapi(PROTOCOL)["components"]["messages"]["lab_progress"]

    assert message["x-delivery"] == "state"
    assert message.get("x-entity") == LabProgress.entity
    assert message.get("x-max-hz") == LabProgress.max_hz


def test_room_lists_what_may_be_published_there_and_its_parameters():
    channels = build_asyncapi(PROTOCOL)["channels"]

    assert set(channels["room_bench_key"]["messages"]) == {
        "lab_done",
        "system_info",
        "system_warning",
        "system_error",
    }
    assert channels["room_bench_key"]["address"] == "bench:{key}"
    assert set(channels["room_bench_key"]["parameters"]) == {"key"}
    assert "lab_done" not in channels["connection"]["messages"]
    assert channels["connection"]["address"] == "/ws/"


def test_actions_are_received_and_name_their_replies():
    operations = build_asyncapi(PROTOCOL)["operations"]

    join = operations["receive_join_action"]
    assert join["action"] == "receive"
    assert [
        message["$ref"].rpartition("/")[2] for message in join["reply"]["messages"]
    ] == ["joined", "error"]
    assert operations["send_room_lab"]["action"] == "send"


def test_models_of_one_name_are_kept_apart(monkeypatch):
    def make(module: str) -> type[BaseModel]:
        return type(
            "LabDoneData",
            (BaseModel,),
            {"__annotations__": {module: int}, "__module__": module},
        )

    one, other = make("one"), make("other")
    metaclass: Any = type(Message)
    cls = metaclass(
        "LabTwins",
        (Message,),
        {"__annotations__": {"a": one, "b": other}, "__module__": __name__},
    )
    cls.type, cls.delivery = "lab_twins", "event"
    types = {**get_message_types(), "lab_twins": cls}
    monkeypatch.setattr("realtime.schema.describing.get_message_types", lambda: types)

    definitions = describe().definitions

    fields = definitions["LabTwinsData"]["properties"]
    targets = [fields[name]["$ref"].removeprefix("#/$defs/") for name in ("a", "b")]
    assert [list(definitions[name]["properties"]) for name in targets] == [
        ["one"],
        ["other"],
    ]
    assert list(definitions["LabDoneData"]["properties"]) == ["lab_id"]


def test_documents_of_one_protocol_are_always_the_same():
    assert write_files(describe()) == write_files(PROTOCOL)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, ""),
        ({"minimum": 0, "maximum": 100, "x-unit": "percent"}, "0 to 100 percent"),
        ({"minimum": 0}, "0 or more"),
        ({"maximum": 5}, "at most 5"),
        ({"x-unit": "seconds"}, "seconds"),
        ({"minLength": 1, "maxLength": 80}, "1 to 80 characters"),
        ({"anyOf": [{"minimum": 1}, {"type": "null"}]}, "1 or more"),
        ({"pattern": "^(a|b)$"}, ""),
        ({"pattern": "^[a-z]+$"}, "matches `^[a-z]+$`"),
    ],
)
def test_bounds_are_said_in_words(schema, words):
    assert write_bounds(schema) == words


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("after_ms", "milliseconds"),
        ("heartbeat_s", "seconds"),
        ("frames_per_s", "per second"),
        ("max_rooms", ""),
    ],
)
def test_unit_is_read_from_the_name(name, unit):
    assert get_unit(name) == unit


class Documented:
    plain = 1
    """Of a value."""
    typed: int = 2
    """Of a type,
    on two lines."""
    silent = 3
    _, pair = 4, 5
    """Of nothing."""


def test_docstrings_of_attributes_are_read():
    assert get_attribute_docs(Documented) == {
        "plain": "Of a value.",
        "typed": "Of a type, on two lines.",
    }
    assert get_attribute_docs(type("Sourceless", (), {"a": 1})) == {}


def test_types_are_what_typescript_takes(tmp_path):
    tsc = shutil.which("tsc")
    if tsc is None:
        pytest.skip("tsc is not installed")
    (tmp_path / "messages.d.ts").write_text(write_files(PROTOCOL)["messages.d.ts"])
    (tmp_path / "use.ts").write_text(
        """import type { ClientFrame, RoomName, ServerFrame } from "./messages";
export function look(frame: ServerFrame): number {
  switch (frame.type) {
    case "lab_progress": return frame.data.eta_seconds ?? frame.data.percent + frame.seq;
    case "bye": return frame.data.code === 4408 ? 1 : 0;
    // @ts-expect-error lab_done has no percent
    case "lab_done": return frame.data.percent;
    default: return 0;
  }
}
export const join: ClientFrame = { action: "join", data: { room: "lab", since: { epoch: "e", seq: 1 } } };
// @ts-expect-error without a room
export const wrong: ClientFrame = { action: "join" };
export const room: RoomName = "bench:7";
"""
    )

    run = subprocess.run(
        [tsc, "--strict", "--noEmit", "use.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (0, "")


def test_browser_reads_the_same_codes(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "wire.mjs").write_text(write_files(PROTOCOL)["wire.js"])
    script = 'import * as wire from "./wire.mjs"; console.log(JSON.stringify(wire))'

    run = subprocess.run(
        [node, "--input-type=module", "-e", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    wire = json.loads(run.stdout)
    assert wire["CloseCode"] == {code.name: code.value for code in CloseCode}
    assert wire["ErrorCode"] == {code.name: code.value for code in ErrorCode}
    assert wire["FINAL_CODES"] == sorted(set(CloseCode) - COMES_BACK)
    assert (wire["PROTOCOL"], wire["HEARTBEAT_MS"], wire["SILENCE_MS"]) == (
        1,
        25_000,
        35_000,
    )
    assert wire["MessageType"]["LAB_DONE"] == "lab_done"
