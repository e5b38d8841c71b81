"""Posters: fetched from where a source says, kept here, and shown without asking anybody else."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.urls import reverse

from aniworld_site.downloads.models import SourceSeries
from aniworld_site.downloads.pictures import fetch_pictures
from aniworld_site.downloads.refreshing import refresh_source
from aniworld_site.library.models import Series
from aniworld_site.library.posters import get_folder
from tests.downloads import sources
from tests.downloads.factories import (
    catalogue,
    episode,
    make_listed,
    make_source,
    series,
)
from tests.factories import make_series, make_user

pytestmark = pytest.mark.django_db

JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def listed(source) -> SourceSeries:
    """A listed series of the library whose poster is at `/poster`."""
    row = make_source(url=f"{source.url}/c.json")
    ours = make_series(key="night-show")
    return make_listed(row, series=ours, image_url=f"{source.url}/poster")


def names() -> list[str]:
    return sorted(path.name for path in get_folder().iterdir())


def test_poster_is_fetched_kept_and_shown(listed, source, client):
    source.put("/poster", JPEG, type="image/jpeg")

    assert fetch_pictures(listed.source) == 1

    client.force_login(make_user())
    page = client.get(reverse("library:series_detail", args=["night-show"]))
    address = reverse("library:series_poster", args=["night-show"])
    picture = client.get(address)
    assert f'src="{address}?night-show-' in page.content.decode()
    assert (picture.content, picture["Content-Type"]) == (JPEG, "image/jpeg")
    assert "immutable" in picture["Cache-Control"]


def test_poster_is_asked_for_once(listed, source):
    source.put("/poster", JPEG)
    fetch_pictures(listed.source)

    assert fetch_pictures(listed.source) == 0
    assert len(source.requests) == 1


def test_another_poster_takes_its_place(listed, source):
    source.put("/poster", JPEG)
    fetch_pictures(listed.source)
    source.put("/other", PNG)
    listed.source.listed.update(image_url=f"{source.url}/other")

    fetch_pictures(listed.source)

    assert names() == [Series.objects.get().poster]
    assert names()[0].endswith(".png")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html>",
        b"\xff\xd8\xff" + bytes(9 << 20),
    ],
)
def test_what_is_no_poster_is_left_out_and_not_asked_for_again(listed, source, content):
    source.put("/poster", content, type="image/jpeg")

    fetch_pictures(listed.source)
    fetch_pictures(listed.source)

    assert Series.objects.get().poster == ""
    assert len(source.requests) == 1


def test_poster_of_a_private_address_is_not_asked_for(listed, source, monkeypatch):
    sources.make_public(monkeypatch)
    public = make_source(url="http://public.example/c.json", private_hosts="")
    make_listed(public, series=listed.series, image_url=listed.image_url)
    source.put("/poster", JPEG)

    assert fetch_pictures(public) == 0
    assert source.requests == []


def test_catalogue_names_posters(source):
    found = series("night-show", episode(1), image="pictures/1.jpg")
    row = make_source(url=source.put("/c.json", catalogue(found)))

    refresh_source(row)

    assert SourceSeries.objects.get().image_url == f"{source.url}/pictures/1.jpg"


def test_picture_of_a_refused_address_is_told_and_left_out(source, capsys):
    found = series("night-show", episode(1), image="file:///etc/passwd")

    call_command("check_source", source.put("/c.json", catalogue(found)), "--private")

    assert "its picture was left out" in "".join(capsys.readouterr())


def test_poster_without_permission_is_refused(listed, source, client):
    source.put("/poster", JPEG)
    fetch_pictures(listed.source)
    client.force_login(make_user(perms=()))

    address = reverse("library:series_poster", args=["night-show"])

    assert client.get(address).status_code == 403


def test_poster_whose_file_is_gone_is_not_there(client):
    series = make_series(key="night-show", poster="../../etc/passwd")
    client.force_login(make_user())

    response = client.get(reverse("library:series_poster", args=[series.key]))

    assert response.status_code == 404
