"""Pages that are asked for what no database takes, or saved while others write."""

from __future__ import annotations

import pytest
from django.db.models.signals import pre_save
from django.urls import reverse

from aniworld_site.library.journal import carry_out, plan_move
from aniworld_site.library.models import RootFolder
from tests.factories import VIEW, make_root, make_series, make_user
from tests.library.shelves import BY, PLACE, make_shelf

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("library:series_list", "q"),
        ("library:series_options", "q"),
        ("library:series_options", "series"),
        ("library:unmatched", "q"),
        ("library:history", "series"),
    ],
)
def test_an_address_with_a_null_character_is_answered(client, page, name):
    client.force_login(make_user((*VIEW, "library.view_fileoperation")))
    make_series(key="echo")

    response = client.get(reverse(page), {name: "ec\0ho"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("companions", "said"),
    [([".nfo"], "with 1 other<"), ([".nfo", ".srt"], "with 2 others<")],
)
def test_the_history_says_how_many_files_went_along(client, tmp_path, companions, said):
    client.force_login(make_user((*VIEW, "library.view_fileoperation")))
    shelf = make_shelf(tmp_path)
    shelf.bring()
    for suffix in companions:
        shelf.write(PLACE.replace(".mkv", suffix))
    operation = plan_move(shelf.file, "Other/1.mkv", by=BY)

    before = client.get(reverse("library:history"))
    carry_out(operation)
    after = client.get(reverse("library:history"))

    assert "other<" not in before.text
    assert "others<" not in before.text
    assert said in after.text


def test_what_a_scan_writes_of_a_root_is_not_written_over(client):
    client.force_login(make_user((*VIEW, "library.change_rootfolder")))
    root = make_root()

    def note(**_kwargs):
        RootFolder.objects.update(is_online=False, file_count=7)

    pre_save.connect(note, sender=RootFolder)
    try:
        client.post(
            reverse("library:root_edit", args=[root.pk]),
            {"name": "New name", "is_anime": "true"},
        )
    finally:
        pre_save.disconnect(note, sender=RootFolder)

    root.refresh_from_db()
    assert (root.name, root.is_online, root.file_count) == ("New name", False, 7)
