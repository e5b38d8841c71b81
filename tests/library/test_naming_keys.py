"""Titles as keys, for comparing and for printing; folders and files by their names."""

from __future__ import annotations

import re

import pytest

from aniworld_site.library.naming import (
    is_ignored_folder,
    is_video,
    make_key,
    match_key,
    parse_folder,
    printable,
)


@pytest.mark.parametrize(
    ("title", "year", "key"),
    [
        ("Attack on Titan", 2013, "attack-on-titan-2013"),
        ("Kaguya-sama: Love Is War", None, "kaguya-sama-love-is-war"),
        ("Pokémon", None, "pokemon"),
        ("Don't Look", None, "dont-look"),
        ("Straße & Ærø", None, "strasse-and-aero"),
        ("x" * 100, 2013, "x" * 59 + "-2013"),
        ("1899", None, "1899"),
    ],
)
def test_a_key_is_readable(title: str, year: int | None, key: str):
    assert make_key(title, year) == key


@pytest.mark.parametrize("title", ["進撃の巨人", "!!!", "", "\udcff"])
def test_a_title_without_latin_letters_gets_a_hash_that_stays(title: str):
    key = make_key(title)

    assert re.fullmatch(r"series-[0-9a-f]{8}", key)
    assert make_key(title) == key


def test_titles_without_latin_letters_differ():
    assert make_key("進撃の巨人") != make_key("鬼滅の刃")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Show: The Name", "show the name"),
        ("Pokémon", "POKEMON"),
        ("Don't", "Dont"),
        ("Tom & Jerry", "Tom and Jerry"),
        ("ＳＨＯＷ", "show"),  # noqa: RUF001 - wide letters are what is tested
        ("Show_Name.Here", "Show Name Here"),
    ],
)
def test_equal_titles_match(one: str, other: str):
    assert match_key(one) == match_key(other)


def test_other_titles_do_not_match():
    assert match_key("Show 2") != match_key("Show")
    assert match_key("進撃の巨人") != match_key("鬼滅の刃")


def test_only_punctuation_matches_nothing():
    assert match_key("!?") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("進撃", "進撃"),
        ("a\udcffb", "a\ufffdb"),
        ("a\x1b[0mb", "a\ufffd[0mb"),
        ("a\u202eb", "a\ufffdb"),
        ("a\nb", "a\ufffdb"),
    ],
)
def test_what_would_garble_a_line_is_replaced(text: str, shown: str):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("name", "title", "year", "ids"),
    [
        ("Show (2013) [tvdb-267440]", "Show", 2013, {"tvdb": "267440"}),
        ("Show.Name.2013", "Show Name", 2013, {}),
        ("[Group] Show [1080p]", "Show", None, {}),
        ("1899 (2022)", "1899", 2022, {}),
        ("2012", "2012", None, {}),
        ("Show.S01E05.720p.WEB-DL-GRP", "Show", None, {}),
        ("Show.2013.S02.1080p.BluRay-GRP", "Show", 2013, {}),
        ("Show Season 2", "Show", None, {}),
        ("Mob Psycho 100", "Mob Psycho 100", None, {}),
        ("S.H.I.E.L.D", "S H I E L D", None, {}),
        ("Show (US) (2013)", "Show (US)", 2013, {}),
    ],
)
def test_a_series_folder_says_title_year_and_identifiers(
    name: str, title: str, year: int | None, ids: dict[str, str]
):
    context = parse_folder(name)

    assert (context.title, context.year, dict(context.ids)) == (title, year, ids)


@pytest.mark.parametrize("name", ["a.mkv", "a.MP4", "a.b.ts", "a.m2ts", ".mkv"])
def test_videos_are_told_by_extension(name: str):
    assert is_video(name)


@pytest.mark.parametrize("name", ["a.srt", "mkv", "a.mkv.part", "a", "", "a.nfo"])
def test_other_files_are_no_videos(name: str):
    assert not is_video(name)


@pytest.mark.parametrize(
    "name",
    ["@eaDir", ".git", "#recycle", "$RECYCLE.BIN", "lost+found", "Extras", "trailers", "Samples",
     "Featurettes", "Behind The Scenes", "deleted.scenes", "Interviews"],
)  # fmt: skip
def test_folders_without_episodes_are_ignored(name: str):
    assert is_ignored_folder(name)


@pytest.mark.parametrize(
    "name", ["Specials", "OVA", "Season 01", "Show", "The Others", ""]
)
def test_folders_with_episodes_are_not_ignored(name: str):
    assert not is_ignored_folder(name)
