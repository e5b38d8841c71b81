"""What children are sent for: who may write a file, and what their last words mean."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model

from aniworld_site.downloads import errands
from aniworld_site.downloads.errands import Errand, make_errand
from aniworld_site.downloads.models import Download, Source, SourceEpisode
from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.runner import Runner
from aniworld_site.downloads.transfer.parts import Part, PartBusyError
from aniworld_site.exceptions import DomainError
from tests.downloads.queues import Shelf, claim, make_shelf
from tests.downloads.test_dispatching_steering import get_part

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf(source, tmp_path):
    """One whose source yt-dlp reads."""
    return make_shelf(source, tmp_path / "media", kind="yt-dlp")


def queue(shelf: Shelf, **fields: Any) -> Download:
    fields.setdefault("url", f"{shelf.server.url}/1.mkv")
    shelf.add(size_bytes=None, **fields)
    [download] = shelf.queue()
    return download


def make(shelf: Shelf, download: Download, *, most_bytes: int = 1 << 40) -> Errand:
    return make_errand(download, get_part(shelf, download), most_bytes)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (Source, "Its source was removed."),
        (SourceEpisode, "Its source does not list it any more."),
    ],
)
def test_what_has_no_address_any_more_says_why(shelf, gone: type[Model], said: str):
    download = queue(shelf)
    gone._default_manager.all().delete()
    download.refresh_from_db()

    with pytest.raises(ProviderError) as caught:
        make(shelf, download)

    assert (str(caught.value), caught.value.trouble) == (said, Trouble.PERMANENT)


# Who may write


def test_only_one_process_has_ytdlp_write_a_file(shelf):
    download = queue(shelf)

    with closing(make(shelf, download)):
        with pytest.raises(ProviderError, match="is being written") as caught:
            make(shelf, download)
        with pytest.raises(PartBusyError):
            Part(get_part(shelf, download))

    assert caught.value.trouble == Trouble.BUSY
    make(shelf, download).close()


def test_a_download_whose_file_is_written_goes_back_to_the_queue(shelf):
    queue(shelf)
    download = claim().download
    part = Part(get_part(shelf, download))

    Runner(download=download, most_bytes=1 << 40).run()

    part.close()
    download.refresh_from_db()
    assert (download.state, download.attempts) == (Download.State.QUEUED, 0)
    assert download.due_at is not None
    assert shelf.server.requests == []


def test_a_folder_that_cannot_be_written_is_said(shelf):
    download = queue(shelf)
    folder = get_part(shelf, download).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in its place")

    with pytest.raises(DomainError, match="cannot be written: File exists"):
        make(shelf, download)


# What was made


def record_writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is had written or renamed, in order."""
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")
        sync(fd)

    def rename(path: Path, target: Path) -> Path:
        done.append(f"name {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    return done


def test_what_ytdlp_made_is_on_the_disk_before_it_gets_its_name(shelf, monkeypatch):
    download = queue(shelf)
    part = get_part(shelf, download)
    done = record_writes(monkeypatch)
    with closing(make(shelf, download)) as errand:
        made = part.with_suffix(".video.mp4")
        made.write_bytes(b"video")

        said = errand.settle({"done": str(made), "extension": "mp4"})

    assert said == {"done": 5, "extension": ".mp4"}
    assert done == [f"sync {made.name}", f"name {part.name}", "sync partial"]
    assert part.read_bytes() == b"video"


def test_a_file_that_is_gone_is_trouble_of_its_folder(shelf):
    download = queue(shelf)

    with closing(make(shelf, download)) as errand:
        said = errand.settle({"done": f"{shelf.path}/gone.mp4", "extension": "mp4"})

    assert said == {
        "error": "The file cannot be written: No such file or directory.",
        "trouble": "root",
    }


HOSTILE = "It says \x1b[2J\0no\ud800\nand \u202emore." + "x" * 1000


@pytest.mark.parametrize("kind", ["yt-dlp", "feed"])
def test_a_sentence_can_be_kept_and_shown(source, tmp_path, kind):
    shelf = make_shelf(source, tmp_path / "media", kind=kind)

    with closing(make(shelf, queue(shelf))) as errand:
        said = errand.settle({"error": HOSTILE, "trouble": "login"})

    assert said["error"].startswith("It says [2Jno and more.")
    assert (len(said["error"]), said["trouble"]) == (500, "login")


def test_what_comes_beside_a_video_takes_no_room(shelf):
    queue(shelf, size=400_000, video={"type": "video/mp4"})
    download = claim().download

    # It is asked for twice: first for what it is.
    Runner(download=download, most_bytes=400_000).run()

    download.refresh_from_db()
    assert (download.state, download.reason) == (Download.State.DONE, "")


def test_what_is_larger_than_there_is_room_for_waits_for_the_disk(shelf, monkeypatch):
    monkeypatch.setattr(errands, "PAGES_BYTES", 0)
    queue(shelf, size=1_000_000, video={"type": "video/mp4", "bytes_per_s": 500_000})
    download = claim().download

    Runner(download=download, most_bytes=300_000).run()

    download.refresh_from_db()
    assert (download.state, download.wait) == (Download.State.WAITING, "disk")
    assert download.size_bytes == 1_000_000
    shelf.source.refresh_from_db()
    assert shelf.source.download_failures == 0
