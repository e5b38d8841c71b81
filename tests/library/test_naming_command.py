"""manage.py parse_name: what it prints, and where it reads from."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

KEYS = {
    "name", "title", "year", "season", "episodes", "absolute", "label", "version", "part", "group", "resolution",
    "date", "ids", "kind", "confidence", "sure", "how", "reasons",
}  # fmt: skip


def run(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("parse_name", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_json_is_one_object_a_line_in_the_order_given():
    lines = [json.loads(line) for line in run("--json", "B - 02.mkv", "A S01E01.mkv")]

    assert [line["name"] for line in lines] == ["B - 02.mkv", "A S01E01.mkv"]
    assert [line["episodes"] for line in lines] == [[2], [1]]
    assert all(set(line) == KEYS for line in lines)
    assert lines[1]["reasons"]["episodes"].keys() == {"reason", "confidence"}


def test_a_plain_anime_number_is_both_episode_and_absolute():
    [line] = run("--json", "[Group] Show - 12 [ABCD1234].mkv")
    parsed = json.loads(line)

    assert (parsed["season"], parsed["episodes"], parsed["absolute"]) == (
        None,
        [12],
        [12],
    )


def test_names_come_from_standard_input_whatever_their_bytes(monkeypatch):
    raw = b"Show S01E01.mkv\r\n\xff\xfe - 02.mkv\n\nlast.mkv"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

    lines = run("--json", "-")

    assert all(line.isascii() for line in lines)
    assert [json.loads(line)["name"] for line in lines] == [
        "Show S01E01.mkv",
        "\udcff\udcfe - 02.mkv",
        "",
        "last.mkv",
    ]


def test_a_person_sees_field_value_reason_and_confidence():
    lines = run("Show (2013)/Season 01/Show - S01E02.mkv")

    assert lines[0] == "Show (2013)/Season 01/Show - S01E02.mkv"
    assert any("sure" in line and "SxxEyy" in line for line in lines)
    assert any(
        "episodes" in line and "2  (0.98: The name says" in line for line in lines
    )


def test_a_refused_name_says_why():
    assert any("too many" in line for line in run("Show - S01E01-E9999.mkv"))


def test_control_characters_reach_no_terminal():
    assert not any("\x1b" in line for line in run("a\x1b[31m - 01.mkv"))


def test_no_name_is_a_sentence():
    with pytest.raises(CommandError, match="Give one or more names"):
        run()


def test_numbers_can_be_said_not_to_count_from_the_start():
    [line] = run("--json", "--anime", "no", "[Group] Show 103.mkv")

    assert json.loads(line)["season"] == 1
