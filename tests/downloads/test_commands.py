from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.downloads.factories import catalogue, episode, series
from tests.factories import make_series

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def add(source, *all_series) -> str:
    return run("add_source", source.put("/c.json", catalogue(*all_series)), "--private")


def test_source_is_added_read_and_its_series_taken(source):
    told = add(source, series("night-show", episode(1), year=2020), {})
    assert "Added Mine: 1 series, 0 of them in the library" in told
    assert "night-show  Night Show (2020)" in told
    assert "A series was left out" in told

    assert "night-show): 1 of 1 listed" in run("add_listed", "Mine", "night-show")
    source.put("/c.json", catalogue(series("night-show", episode(1), episode(2))))
    assert run("refresh") == "Mine: 1 episode added\n"
    assert run("refresh", "Mine", "--force") == "Mine: read, nothing new\n"


def test_listed_series_is_linked_to_one_of_the_library(source):
    ours = make_series(key="ours")
    add(source, series("night-show", episode(1)))

    assert "(ours): 1 of 1" in run("add_listed", "Mine", "night-show", "--to", "ours")
    assert ours.seasons.get().episodes.count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["refresh", "Nobody"], "No source is called 'Nobody'. There are: Mine"),
        (["add_listed", "Mine", "other"], "lists no series 'other'"),
        (["add_listed", "Mine", "night-show", "--to", "x"], "has the key 'x'"),
        (["add_source", "file:///x"], "http:// or https://"),
        (["check_source", "http://127.0.0.1/"], "on this machine"),
        (["add_source", "http://x.example/", "--password-file", "/no"], "be read"),
    ],
)
def test_refusals_are_sentences(source, arguments, words):
    add(source, series("night-show"))

    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_check_counts_what_a_source_has_in_words(source):
    listed = [series("one", episode(1)), series("two", episode(1), episode(2))]
    url = source.put("/c.json", catalogue(*listed))

    told = run("check_source", url, "--private")

    assert "2 series, 3 episodes, 3 of them to be had." in told
    assert "  one  Night Show, 1 episode\n" in told
    assert "  two  Night Show, 2 episodes\n" in told


def test_failed_refresh_ends_with_an_error(source):
    add(source)
    source.put("/c.json", "", status=500)

    with pytest.raises(CommandError, match="1 of 1"):
        run("refresh")


def test_refresh_without_sources_says_what_to_do():
    assert "add_source URL" in run("refresh")
