"""What the forms accept, and the sentences with which they refuse."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from aniworld_site.library import forms
from aniworld_site.library.fields import to_stored
from tests.factories import make_root, make_series

pytestmark = pytest.mark.django_db


def post(text):
    return QueryDict(text)


def test_series_filter_reads_an_address():
    assert forms.SeriesFilterForm(
        post("q=a+b&filter=missing&root=3&sort=year")
    ).wanted() == {"text": "a b", "only": "missing", "root_id": 3, "sort": "year"}


def test_series_filter_drops_what_makes_no_sense():
    form = forms.SeriesFilterForm(post("q=&filter=evil&root=abc&sort=%27%3B--"))

    assert form.wanted() == {"text": "", "only": "", "root_id": None, "sort": "title"}


@pytest.mark.parametrize(
    "ids",
    [
        "files=-1",
        "files=1e3",
        "files=99999999999999999999",
        "files=x",
        "files=%D9%A1",
        "",
    ],
)
def test_files_form_refuses_what_is_no_primary_key(ids):
    assert not forms.FilesForm(post(ids)).is_valid()


def test_assign_files_form_takes_a_series_by_title():
    series = make_series(title="Echo")
    form = forms.AssignFilesForm(post("files=1&files=2&series=echo"))

    assert form.is_valid()
    assert form.cleaned_data == {
        "files": [1, 2],
        "series": series,
        "season": None,
        "episode": None,
    }


def test_assign_files_form_names_the_keys_when_a_title_is_not_clear():
    make_series(title="Echo", key="echo-1")
    make_series(title="Echo", key="echo-2")
    form = forms.AssignFilesForm(post("files=1&series=Echo"))

    assert not form.is_valid()
    assert "echo-1" in str(form.errors["series"])


def test_assign_files_form_says_that_there_is_no_such_series():
    form = forms.AssignFilesForm(post("files=1&series=nobody"))

    assert not form.is_valid()
    assert "No series is called" in str(form.errors["series"])


def test_folder_form_carries_undecodable_names():
    root = make_root()
    query = QueryDict(mutable=True)
    query.update(
        {"root": str(root.pk), "folder": to_stored("a\udcffb "), "title": "New"}
    )
    form = forms.AssignFolderForm(query)

    assert form.is_valid()
    assert form.cleaned_data["folder"] == "a\udcffb "


def test_assign_folder_form_wants_a_series_or_a_title():
    form = forms.AssignFolderForm(post(f"root={make_root().pk}&folder=x&year=2020"))

    assert not form.is_valid()


def test_wanted_form_wants_ticked_episodes_or_the_whole_season():
    assert not forms.WantedForm(post("wanted=1&season=1")).is_valid()
    assert forms.WantedForm(post("wanted=1&season=1&whole=1")).is_valid()
    assert forms.WantedForm(post("wanted=0&season=1&episodes=4")).is_valid()
    assert not forms.WantedForm(post("wanted=2&episodes=4")).is_valid()
