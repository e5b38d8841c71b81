"""Which files and folders are looked at: video extensions, and names that are no episode."""

from __future__ import annotations

import re

VIDEO_EXTENSIONS = frozenset(
    [
        ".3g2",
        ".3gp",
        ".asf",
        ".avi",
        ".divx",
        ".dv",
        ".dvr-ms",
        ".f4v",
        ".flv",
        ".m1v",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mk3d",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpe",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".nsv",
        ".nuv",
        ".ogm",
        ".ogv",
        ".qt",
        ".rm",
        ".rmvb",
        ".strm",
        ".swf",
        ".ts",
        ".tp",
        ".trp",
        ".vob",
        ".webm",
        ".wmv",
        ".wtv",
        ".xvid",
    ]
)
COMPANION_EXTENSIONS = frozenset(
    [
        ".srt",
        ".ass",
        ".ssa",
        ".sub",
        ".idx",
        ".sup",
        ".vtt",
        ".nfo",
        ".jpg",
        ".png",
        ".txt",
        ".torrent",
        ".nzb",
        ".part",
    ]
)
_IGNORED = frozenset(
    [
        "@eadir",
        "@recycle",
        "#recycle",
        "$recycle_bin",
        "#snapshot",
        "@snapshots",
        "@tmp",
        "@appstore",
        "lost+found",
        "recycler",
        "recycled",
        "__macosx",
        "system_volume_information",
        "behind_the_scenes",
        "deleted_scenes",
        "deleted_scene",
        "featurettes",
        "featurette",
        "interviews",
        "interview",
        "scenes",
        "shorts",
        "trailers",
        "trailer",
        "teasers",
        "samples",
        "sample",
        "extras",
        "extra",
        "bonus",
        "bonuses",
        "bonus_features",
        "special_features",
        "other",
        "others",
        "clips",
        "clip",
        "backdrops",
        "theme-music",
        "theme_music",
        "themes",
        "creditless",
        "ncop",
        "nced",
        "nc",
        "nc_ver",
        "menus",
        "menu",
        "screens",
        "screenshots",
        "subs",
        "subtitles",
        "proof",
        "cm",
        "cms",
        "pv",
        "pvs",
        "scans",
        "artwork",
        "fonts",
        "outtakes",
        "bloopers",
        "bonusmaterial",
        "making_of",
    ]
)
_NOISE = re.compile(r"[\s._]+")
_EXTRA_WORD = (
    r"sample|trailers?|teasers?|featurettes?|behind[\s._-]?the[\s._-]?scenes|deleted[\s._-]?scenes?|interviews?|"
    r"bloopers?|gag[\s._-]?reel|making[\s._-]?of|extras?|bonus(?:es)?|promo"
)
_EXTRA = re.compile(
    r"-(?:behindthescenes|deleted|featurette|interview|scene|short|trailer|other|sample|extra|clip)\d{0,2}$"
    r"|(?:^|[\s._\-\[(])(?:nc(?:op|ed)\d{0,2}[a-z]?(?:v\d)?|creditless|textless|clean[\s._](?:op|ed|opening|ending))"
    r"(?=[\s._\-\])]|$)"
    r"|(?:^|[\s._-])sample(?:[\s._-]?\d)?$|^sample[\s._-]",
    re.IGNORECASE,
)
_LIKELY_EXTRA = re.compile(
    rf"^(?:{_EXTRA_WORD})$|^(?:trailer|teaser|featurette)[\s._-]"
    r"|(?:^|[\s._\-\[(])(?:(?:web[\s._])?(?:pv|cm)\d{0,2}|(?:op|ed)\d{0,2}(?:v\d)?(?=[\s_]*[\[(]|$)|(?:bd|dvd|blu-?ray)[\s._]?menu|menu\d{0,2}|"
    r"teaser|preview|trailer\d{0,2})(?=[\s._\-\])(]|$)",
    re.IGNORECASE,
)


def split_extension(name: str) -> tuple[str, str]:
    """Split off an extension that is known, in lower case; what only looks like one stays, as in "Show.101"."""
    stem, dot, extension = name.rpartition(".")
    known = f".{extension.lower()}"
    if dot and (known in VIDEO_EXTENSIONS or known in COMPANION_EXTENSIONS):
        return stem, known
    return name, ""


def is_video(name: str) -> bool:
    _, dot, extension = name.rpartition(".")
    return bool(dot) and f".{extension.lower()}" in VIDEO_EXTENSIONS


def is_ignored_folder(name: str) -> bool:
    """Tell folders that hold no episodes: of the system, hidden, or extras. "Specials" and "OVA" do hold some."""
    folded = _NOISE.sub("_", name.strip().lower())
    return name.startswith((".", "@eaDir")) or folded in _IGNORED


def is_extra(stem: str, *, has_episode: bool = False) -> bool:
    """Tell from a file's own name, without its extension, that it is a sample, a trailer or the like.

    Weaker words, such as "preview", count only where no episode is surely named beside them.
    """
    if _EXTRA.search(stem) is not None:
        return True
    return not has_episode and _LIKELY_EXTRA.search(stem) is not None
