from __future__ import annotations

import pytest

from aniworld_site.downloads.ytdlp.options import EXTENSIONS, make_options

HOOK, LOGGER = object(), object()
REQUEST = {
    "do": "list",
    "url": "https://media.example/p",
    "cookies": "",
    "format": "",
    "proxy": "http://u:p@127.0.0.1:1",
    "target": "/library/100% $HOME ~/x",
    "rate_limit": 0,
    "library": "",
}
GOLDEN = {
    "quiet": True,
    "no_warnings": True,
    "noprogress": True,
    "logger": LOGGER,
    "color": "no_color",
    "ignoreconfig": True,
    "cachedir": False,
    "usenetrc": False,
    "netrc_cmd": None,
    "cookiesfrombrowser": None,
    "cookiefile": None,
    "enable_file_urls": False,
    "allowed_extractors": ["default"],
    "remote_components": [],
    "default_search": "error",
    "external_downloader": {"default": "native"},
    "hls_prefer_native": True,
    "postprocessors": [],
    "fixup": "detect_or_warn",
    "writelink": False,
    "writeurllink": False,
    "writewebloclink": False,
    "writedesktoplink": False,
    "writesubtitles": False,
    "writeautomaticsub": False,
    "writethumbnail": False,
    "writeinfojson": False,
    "writedescription": False,
    "download_archive": None,
    "updatetime": False,
    "proxy": "http://u:p@127.0.0.1:1",
    "geo_verification_proxy": None,
    "nocheckcertificate": False,
    "socket_timeout": 20,
    "retries": 3,
    "fragment_retries": 3,
    "extractor_retries": 1,
    "file_access_retries": 1,
    "ratelimit": None,
    "concurrent_fragment_downloads": 1,
    "skip_unavailable_fragments": False,
    "allow_unplayable_formats": False,
    "ignoreerrors": False,
    "format": "bv*+ba/b",
    "merge_output_format": "mkv",
}
LIST = {"extract_flat": "in_playlist", "playlistend": 5000, "skip_download": True}
FETCH = {
    "noplaylist": True,
    "playlist_items": "1",
    "continuedl": True,
    "nopart": False,
    "overwrites": None,
    "outtmpl": {"default": "/library/100%% $HOME ~/x.%(ext)s"},
    "progress_hooks": [HOOK],
}


def make(*, has_ffmpeg: bool = True, **fields):
    return make_options(
        REQUEST | fields, logger=LOGGER, hook=HOOK, has_ffmpeg=has_ffmpeg
    )


@pytest.mark.parametrize(("do", "more"), [("list", LIST), ("fetch", FETCH)])
def test_options_are_these_and_no_others(do, more):
    assert make(do=do) == GOLDEN | more


def test_request_chooses_format_rate_and_cookies_only(tmp_path):
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n", encoding="utf-8")

    made = make(format="worst", rate_limit=1000, cookies=str(cookies))

    assert made.pop("cookiefile").getvalue() == cookies.read_text(encoding="utf-8")
    changed = {name: made[name] for name in made if made[name] != (GOLDEN | LIST)[name]}
    assert changed == {"format": "worst", "ratelimit": 1000}


def test_nothing_is_joined_without_ffmpeg():
    assert make(has_ffmpeg=False)["format"] == "b"


def test_no_program_or_page_is_among_the_extensions():
    assert not EXTENSIONS & {"exe", "sh", "desktop", "php", "html", "js", "url", "none"}
