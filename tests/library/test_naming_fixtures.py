"""guessit's own episode names, which are not ours: how many of them are read right."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from aniworld_site.library.naming import ParsedName, parse_path


class Fixture(NamedTuple):
    name: str
    season: int | None
    episodes: list[int]
    is_anime: bool | None


class Pairs(yaml.SafeLoader):
    """Keeps mappings as lists of pairs: these have keys twice, and keys that share the next one's value."""


Pairs.add_constructor(
    "tag:yaml.org,2002:map",
    lambda loader, node: [
        (loader.construct_object(k, deep=True), loader.construct_object(v, deep=True))
        for k, v in node.value
    ],
)


def load_fixtures() -> list[Fixture]:
    text = (files("guessit") / "test" / "episodes.yml").read_text(encoding="utf-8")
    found: dict[str, Fixture] = {}
    names: list[str] = []
    for key, values in yaml.load(text, Pairs):  # noqa: S506 - a kind of SafeLoader
        names.append(str(key))
        if isinstance(values, list):
            for name in names:
                fixture = make_fixture(name, dict(values))
                if fixture is not None:
                    found.setdefault(name, fixture)
            names = []
    return list(found.values())


def make_fixture(name: str, values: dict[str, Any]) -> Fixture | None:
    episodes = values.get("episode", values.get("absolute_episode"))
    numbers = episodes if isinstance(episodes, list) else [episodes]
    if name.startswith("__") or not all(isinstance(number, int) for number in numbers):
        return None
    options, season = str(values.get("options", "")), values.get("season")
    return Fixture(
        name.lstrip("+-"),
        season if isinstance(season, int) else None,
        sorted(numbers),
        True if "prefer-number" in options or "-E" in options.split() else None,
    )


def is_right(parsed: ParsedName, fixture: Fixture) -> bool:
    seasons = fixture.season is None or parsed.season == fixture.season
    return seasons and fixture.episodes in (
        list(parsed.episodes),
        list(parsed.absolute),
    )


def test_of_guessits_own_names_97_percent_are_right_and_sure_ones_99():
    fixtures = load_fixtures()
    read = [(one, parse_path(one.name, is_anime=one.is_anime)) for one in fixtures]
    wrong = [one.name for one, parsed in read if not is_right(parsed, one)]
    sure = [one.name for one, parsed in read if parsed.is_sure]

    assert len(fixtures) > 450
    assert len(wrong) <= 0.03 * len(fixtures), wrong
    assert len(sure) > 0.8 * len(fixtures)
    assert len(set(sure) & set(wrong)) <= 0.01 * len(sure), set(sure) & set(wrong)
