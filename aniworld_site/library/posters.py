"""Posters of series, kept in the data folder: no page asks anybody else for a picture."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.conf import settings

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Series
from aniworld_site.library.signals import series_changed

LARGEST_BYTES = 8 * 1024 * 1024
# By what a file begins with; a drawing in SVG may hold a script, and is none of them.
KINDS = (
    (b"\xff\xd8\xff", 0, ".jpg", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, ".png", "image/png"),
    (b"GIF8", 0, ".gif", "image/gif"),
    (b"WEBP", 8, ".webp", "image/webp"),
    (b"ftypavif", 4, ".avif", "image/avif"),
)


def get_folder() -> Path:
    return Path(settings.DATA_DIR) / "posters"


def store_poster(series: Series, content: bytes) -> None:
    """Keep a picture as a series' poster, in the place of the one before, and tell its pages.

    Raises:
        DomainError: It is no picture that browsers show, or too large, or cannot be written.
    """
    if len(content) > LARGEST_BYTES:
        raise DomainError(f"A poster has at most {LARGEST_BYTES >> 20} MiB.")
    extension = next((kind[2] for kind in KINDS if _is(content, kind)), None)
    if extension is None:
        raise DomainError("A poster is a JPEG, PNG, GIF, WebP or AVIF picture.")
    # Its content is in its name, so that browsers may keep it for good.
    name = f"{series.key}-{hashlib.sha256(content).hexdigest()[:12]}{extension}"
    old = series.poster
    try:
        _write(get_folder() / name, content)
    except OSError as error:
        raise DomainError(
            f"The poster cannot be kept: {error.strerror or error}."
        ) from error
    Series.objects.filter(pk=series.pk).update(poster=name)
    series.poster = name
    if old and old != name:
        (get_folder() / old).unlink(missing_ok=True)
    series_changed.send(Series, series_ids={series.pk})


def read_poster(series: Series) -> tuple[bytes, str] | None:
    """Return a series' poster and its MIME type; None where there is none."""
    if not series.poster:
        return None
    try:
        content = (get_folder() / Path(series.poster).name).read_bytes()
    except OSError:
        return None
    types = {kind[2]: kind[3] for kind in KINDS}
    return content, types.get(Path(series.poster).suffix, "application/octet-stream")


def _is(content: bytes, kind: tuple[bytes, int, str, str]) -> bool:
    sign, at, _extension, _type = kind
    return content[at : at + len(sign)] == sign


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
