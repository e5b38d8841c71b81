"""What an error of yt-dlp means for another try."""

from __future__ import annotations

import errno
import os

import pytest
from yt_dlp.utils import (  # type: ignore[import-untyped]  # It has no types.
    DownloadError,
    PostProcessingError,
)

from aniworld_site.downloads.ytdlp.troubles import describe

FULL = ("The disk is full.", "disk")


def raise_as_ytdlp(cause: BaseException) -> DownloadError:
    """Return what yt-dlp makes of an error: another one that keeps it in an attribute of its own."""
    info = (type(cause), cause, None)
    return DownloadError(f"ERROR: unable to write data: {cause}", info)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_found_however_deep_it_is(code):
    error = OSError(code, os.strerror(code))

    assert describe(error) == FULL
    assert describe(raise_as_ytdlp(error)) == FULL
    assert describe(raise_as_ytdlp(raise_as_ytdlp(error))) == FULL


def test_a_disk_that_is_full_when_videos_are_joined_is_found_by_its_words():
    said = PostProcessingError("Error writing trailer: No space left on device")

    assert describe(raise_as_ytdlp(said)) == FULL


def test_a_site_that_says_the_words_fills_no_disk():
    said, trouble = describe(DownloadError("ERROR: x: No space left on device"))

    assert (said, trouble) == ("No space left on device.", "passing")


def test_a_file_that_its_file_system_does_not_take_is_not_tried_again():
    error = OSError(errno.EFBIG, "File too large")

    assert describe(raise_as_ytdlp(error)) == (
        "The file system takes no file that large.",
        "permanent",
    )


def test_other_errors_of_the_system_pass():
    error = OSError(errno.ECONNRESET, "Connection reset by peer")

    assert describe(raise_as_ytdlp(error))[1] == "passing"
