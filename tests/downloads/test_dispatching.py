"""A download from the queue to the library, with real children and a source that misbehaves."""

from __future__ import annotations

import pytest

from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.models import Download
from aniworld_site.library.models import EpisodeFile, FileOperation
from tests.downloads.queues import has_ended, make_shelf, work

pytestmark = pytest.mark.django_db(transaction=True)

State = Download.State


@pytest.fixture
def shelf(source, tmp_path):
    return make_shelf(source, tmp_path / "media")


@pytest.fixture
def dispatcher():
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.give_back()


def test_a_download_ends_in_the_library(shelf, dispatcher):
    episode = shelf.add()
    [download] = shelf.queue()

    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (State.DONE, "")
    place = "Night Show (2013)/Season 01/Night Show - S01E01 - Part 1.mkv"
    assert shelf.list_files() == [place]
    assert (shelf.path / place).read_bytes() == shelf.videos[0].content
    episode.refresh_from_db()
    assert episode.has_file
    file = EpisodeFile.objects.get()
    assert (str(file), file.is_locked) == (place, True)
    assert list(file.episodes.all()) == [episode]
    assert FileOperation.objects.get().state == FileOperation.State.DONE
    assert list((shelf.path / ".aniworld" / "partial").iterdir()) == []


def test_what_ytdlp_finds_ends_in_the_library(source, tmp_path, dispatcher):
    shelf = make_shelf(source, tmp_path / "media", kind="yt-dlp")
    shelf.add(video={"type": "video/mp4"}, url=f"{source.url}/1.mkv", size_bytes=None)
    [download] = shelf.queue()

    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (State.DONE, "")
    [name] = shelf.list_files()
    assert (shelf.path / name).read_bytes() == shelf.videos[0].content
    assert list((shelf.path / ".aniworld" / "partial").iterdir()) == []
