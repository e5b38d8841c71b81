"""Where a file comes to by a template, whatever its series and episode are called."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aniworld_site.library.destinations import (
    DEFAULT_TEMPLATE,
    LONGEST_BYTES,
    EpisodeNames,
    TemplateError,
    check_template,
    render,
    safe_component,
)

TEXT = st.text(st.characters(), max_size=300) | st.text(
    st.sampled_from("./\\:-_ ()CONcon\x00\u202e\u0301\u200be\ue000{}漢"), max_size=300
)


def make_names(**fields: Any) -> EpisodeNames:
    given = {
        "series": "Dark",
        "key": "dark",
        "season": 1,
        "episode": 2,
        "title": "Lies",
        "year": 2017,
        "absolute": 12,
    }
    return EpisodeNames(**{**given, **fields})


@pytest.mark.parametrize(
    ("template", "fields", "place"),
    [
        (DEFAULT_TEMPLATE, {}, "Dark (2017)/Season 01/Dark - S01E02 - Lies.mkv"),
        (DEFAULT_TEMPLATE, {"title": ""}, "Dark (2017)/Season 01/Dark - S01E02.mkv"),
        (DEFAULT_TEMPLATE, {"year": None}, "Dark/Season 01/Dark - S01E02 - Lies.mkv"),
        (
            DEFAULT_TEMPLATE,
            {"season": 0, "title": "", "year": None},
            "Dark/Season 00/Dark - S00E02.mkv",
        ),
        (
            DEFAULT_TEMPLATE,
            {"season": 12, "episode": 1043},
            "Dark (2017)/Season 12/Dark - S12E1043 - Lies.mkv",
        ),
        ("{key}/{absolute:03}", {}, "dark/012.mkv"),
        ("{key}/{absolute:03} - {title}", {"absolute": None}, "dark/Lies.mkv"),
        ("{series} - {absolute} - {title}", {"absolute": None}, "Dark - Lies.mkv"),
        ("{series} [{year}] {episode:2}", {"year": None}, "Dark 2.mkv"),
        ("{title} - {episode}", {"title": ""}, "2.mkv"),
        ("{title}/{episode}", {"title": ""}, "untitled/2.mkv"),
        ("{{{series}}} {episode}", {}, "{Dark} 2.mkv"),
        ("{series}/{episode}", {"series": "../../etc"}, "etc/2.mkv"),
        ("{series}/{episode}", {"series": "{key}"}, "{key}/2.mkv"),
        ("{series}/{episode}", {"series": "AC/DC: Live"}, "AC-DC - Live/2.mkv"),
        (".{series}/..{episode}", {}, "Dark/2.mkv"),
        ("{series}/{episode}/{title}", {"title": "CON"}, "Dark/2/CON_.mkv"),
    ],
)
def test_render_fills_in_what_is_known(
    template: str, fields: dict[str, Any], place: str
):
    names = make_names(**fields)

    assert render(template, names, ".mkv") == place


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("", "Expected a template of 1 to 300 characters"),
        ("  ", "Expected a template of 1 to 300 characters"),
        ("{episode}" + "x" * 300, "Expected a template of 1 to 300 characters"),
        ("{series}", r"Expected \{episode\} or \{absolute\}"),
        ("{series", "cannot be read"),
        ("{episode}}", "cannot be read"),
        ("{episode} {quality}", r"in braces, got \{quality\}"),
        ("{episode} {}", r"in braces, got \{\}"),
        ("{episode} {0}", r"in braces, got \{0\}"),
        ("{episode.real}", r"in braces, got \{episode.real\}"),
        ("{episode!r}", r"in braces, got \{episode\}"),
        ("{series.__class__} {episode}", "in braces, got"),
        ("{series:02} {episode}", r"for a number, got \{series:02\}"),
        ("{episode:99999999}", r"for a number, got \{episode:99999999\}"),
        ("{episode:{season}}", "for a number"),
        ("{episode:x}", "for a number"),
        ("/{episode}", "below the root folder"),
        ("{series}//{episode}", "below the root folder"),
        ("{series}/../{episode}", "below the root folder"),
        ("{series}/./{episode}", "below the root folder"),
        ("{series}/ .. /{episode}", "below the root folder"),
        ("{episode}/", "below the root folder"),
        ("{series}\\{episode}", "below the root folder"),
    ],
)
def test_a_template_that_names_no_place_is_refused(template: str, sentence: str):
    with pytest.raises(TemplateError, match=sentence):
        check_template(template)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dark", "Dark"),
        ("a/b", "a-b"),
        ("a\\b", "a-b"),
        ("a|b", "a-b"),
        ("Dark: Part 1", "Dark - Part 1"),
        ('"Dark"', "'Dark'"),
        ("<Dark>", "Dark"),
        ("What? *No*", "What No"),
        ("..", "untitled"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "untitled"),
        (" . ", "untitled"),
        ("???", "untitled"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("- . -x", "x"),
        ("What...", "What"),
        ("Dark  ", "Dark"),
        ("Dark . . ", "Dark"),
        ("CON", "CON_"),
        ("con.mkv", "con_.mkv"),
        ("COM1", "COM1_"),
        ("com\u00b9.txt", "com\u00b9_.txt"),
        ("lpt9", "lpt9_"),
        ("nul.", "nul_"),
        (".aux", "aux_"),
        ("Connor", "Connor"),
        ("COM10", "COM10"),
        ("a\x00b\x01c\x7f", "abc"),
        ("a\nb\t c\u2028d", "a b c d"),
        ("gpj.\u202evkm", "gpj.vkm"),
        ("\u2066Dark\u2069", "Dark"),
        ("Da\u200brk\ufeff", "Dark"),
        ("Da\ud800rk\udfff", "Dark"),
        ("\ue000Dark", "Dark"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("Ame\u200b\u0301lie", "Am\u00e9lie"),
        ("a \u200b b", "a b"),
        ("進撃の巨人", "進撃の巨人"),
    ],
)
def test_safe_component_is_a_name_for_every_file_system(text: str, name: str):
    assert safe_component(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("巨" * 85, "巨" * 80),
        ("x" + "巨" * 85, "x" + "巨" * 79),
        ("\U0001f600" * 64, "\U0001f600" * 60),
        ("x" * 255, "x" * 240),
        ("x" * 239 + " y", "x" * 239),
        ("x" * 238 + "..y", "x" * 238),
    ],
)
def test_safe_component_cuts_between_characters(text: str, name: str):
    assert safe_component(text) == name


def test_render_leaves_room_for_the_ending():
    place = render("{title} {episode}", make_names(title="巨" * 200), ".webm")

    assert len(place.encode()) <= LONGEST_BYTES
    assert place.endswith("巨.webm")


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_safe_component_is_one_short_name_of_any_text(text: str):
    name = safe_component(text)

    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\\0<>:"|?*')
    assert name[0] not in " .-"
    assert name[-1] not in " ."
    assert len(name.encode()) <= LONGEST_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert safe_component(name) == name


@settings(max_examples=200, deadline=None)
@given(
    series=TEXT,
    title=TEXT,
    template=st.sampled_from(
        [DEFAULT_TEMPLATE, "{series}/{title}/{episode}", "{title}{episode}"]
    ),
)
def test_render_stays_below_the_root_for_any_names(
    series: str, title: str, template: str
):
    place = render(template, make_names(series=series, title=title), ".mkv")

    parts = place.split("/")
    assert len(parts) == template.count("/") + 1
    assert not {"", ".", ".."} & set(parts)
    assert not any(part.startswith(".") for part in parts)
    assert all(len(part.encode()) <= LONGEST_BYTES for part in parts)
    assert place.endswith(".mkv")
