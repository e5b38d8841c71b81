"""What holds for any string at all, and for names made to take long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aniworld_site.library.management.commands.parse_name import as_json, as_lines
from aniworld_site.library.naming import (
    is_ignored_folder,
    is_video,
    make_key,
    match_key,
    parse_folder,
    parse_path,
    printable,
)
from aniworld_site.library.naming.opinions import fits_guessit

ANY = st.text(st.characters(exclude_categories=[]), max_size=300)
PIECES = st.lists(
    st.sampled_from(
        ["S01", "E02", "1x02", " - ", "-", "[", "]", "(", ")", "12", "103", "2011", "720p", " ", ".", "_", "/", "\\",
         "Season 1", "Ep", "of", "v2", "~", "&", "x264", "Show", "OVA", "第", "話", "季", "十", ".mkv", "\udcff", "\x00"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(ANY | PIECES, st.sampled_from([None, True, False]))
@settings(max_examples=400, deadline=None)
def test_any_name_is_read_without_a_crash(name, is_anime):
    parsed = parse_path(name, is_anime=is_anime)

    for numbers in (parsed.episodes, parsed.absolute):
        assert list(numbers) == sorted(set(numbers))
        assert len(numbers) <= 200
    assert 0.0 <= parsed.confidence <= 1.0
    assert len(parsed.how) <= 40
    assert parsed.findings
    if parsed.label is not None:
        assert float(parsed.label) >= 0
    if parsed.is_sure:
        assert parsed.episodes or parsed.label or parsed.date


@given(ANY | PIECES)
@settings(max_examples=200, deadline=None)
def test_any_reading_can_be_shown(name):
    parsed = parse_path(name)

    json.dumps(as_json(name, parsed)).encode("ascii")
    "\n".join(as_lines(name, parsed)).encode()


@given(ANY, st.none() | st.integers(1900, 2100))
def test_a_key_is_always_valid_and_its_own_key(title, year):
    key = make_key(title, year)

    assert 0 < len(key) <= 64
    assert all(word.isascii() and word.isalnum() for word in key.split("-"))
    assert key == key.lower()
    assert make_key(key) == key


@given(ANY)
def test_folding_a_folded_title_changes_nothing(title):
    assert match_key(match_key(title)) == match_key(title)
    match_key(title).encode()
    printable(title).encode()


@given(ANY)
def test_any_folder_is_read(name):
    parse_folder(name)
    is_ignored_folder(name)
    is_video(name)


@pytest.mark.parametrize(
    "name",
    [
        "Show - S01E01-E9999.mkv",
        "Show - 0001-9999.mkv",
        "a" * 256,
        "第" * 86,
        f"{'a' * 300}/Show - S01E01.mkv",
        f"{'a/' * 2100}Show - S01E01.mkv",
        "[ / " * 500_000,
    ],
)
def test_names_out_of_bounds_are_refused_with_a_reason(name: str):
    parsed = parse_path(name)

    assert (parsed.kind, parsed.how) == ("unknown", "refused")
    assert not parsed.episodes
    assert parsed.findings["kind"].reason


@pytest.mark.parametrize(
    "name",
    ["1" * 250, "1 " * 120, "1-" * 120, "[1]" * 80, "a." * 120, "()" * 100, "E1-E999", "x\x00", "x\udcff", "é" * 201],
)  # fmt: skip
def test_guessit_never_sees_what_would_take_it_long(name: str):
    assert not fits_guessit(name)
    assert parse_path(name).how != "guessit"


def test_guessit_is_asked_for_what_is_left():
    assert fits_guessit("Show.Name.Odd.Number.Twelve.mkv")
