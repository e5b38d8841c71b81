"""The pages of sources: what is asked before one is removed, and what becomes of what it had."""

from __future__ import annotations

import pytest
from django.urls import reverse

from aniworld_site.downloads.models import Download, Source
from tests.downloads.factories import make_ended, make_listed, make_source
from tests.factories import make_series

pytestmark = pytest.mark.django_db


def ask(client, source: Source):
    return client.get(reverse("downloads:source_confirm_remove", args=[source.pk]))


def test_a_source_is_removed_after_a_question(keeper):
    source = make_source()
    question = reverse("downloads:source_confirm_remove", args=[source.pk])
    removal = reverse("downloads:source_remove", args=[source.pk])

    listed = keeper.get(reverse("downloads:sources")).text
    asked = ask(keeper, source).text

    assert question in listed
    assert f'action="{removal}"' not in listed
    assert f'action="{removal}"' in asked
    assert Source.objects.exists()
    keeper.post(removal)
    assert not Source.objects.exists()


def test_the_question_says_what_goes_with_a_source(keeper):
    source = make_source()
    make_listed(source)
    make_listed(source, series=make_series(), is_locked=True)
    make_listed(make_source(), series=make_series(), is_locked=True)
    make_ended(2, state="queued", source=source)
    make_ended(1, state="done", source=source)

    text = ask(keeper, source).text

    assert "its 2 series is forgotten: that 1 of them is in the library" in text
    assert "decided by hand about 1." in text
    assert "2 downloads from it have not ended" in text


def test_the_question_is_for_who_may_remove(viewer):
    assert ask(viewer, make_source()).status_code == 403


def test_the_question_of_a_removed_source_is_not_found(keeper):
    source = make_source()
    Source.objects.all().delete()

    assert ask(keeper, source).status_code == 404


def test_downloads_of_a_removed_source_stay_in_the_queue(keeper):
    source = make_source()
    make_ended(1, state="queued", source=source)

    keeper.post(reverse("downloads:source_remove", args=[source.pk]))

    download = Download.objects.get()
    assert (download.source, download.state) == (None, "queued")
