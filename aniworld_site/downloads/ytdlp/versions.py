"""Which yt-dlp is used, how old it is, and fetching a newer one into the data folder.

Sites change and yt-dlp follows within days, so it may be newer than what AniWorld was tested with. A newer one is in a folder of its own;
`yt-dlp` in the data folder names the one that is used, and is switched at once.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

NAME = "yt-dlp"
OLD_AFTER_DAYS = 90
PIP_TIMEOUT_S, TRY_TIMEOUT_S = 300.0, 60.0
LOWEST = (2026, 7, 5)
"""Before it, sites could write files of their choice (GHSA-6v4j-43gg-vj32)."""

_VERSION = re.compile(r"__version__\s*=\s*['\"]([0-9.]{8,20})['\"]")
_TRY = (
    "import sys; sys.path.insert(0, sys.argv[1]); import yt_dlp, yt_dlp.version as v; "
    "yt_dlp.YoutubeDL({'quiet': True}); print(v.__version__)"
)


class UpdateError(Exception):
    """No newer yt-dlp is used than before; the text is a sentence."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of yt-dlp, which is the day of its release."""

    number: str
    released_on: date
    is_updated: bool
    """Whether it is the one in the data folder, not the one that came with AniWorld."""

    @property
    def age_days(self) -> int:
        return max((datetime.now(UTC).date() - self.released_on).days, 0)

    @property
    def is_old(self) -> bool:
        """Whether sites are likely to have changed since."""
        return self.age_days > OLD_AFTER_DAYS


def get_version(data_dir: Path) -> Version:
    """Return the version that is used."""
    library = get_library(data_dir)
    number = _read_number(Path(library)) if library else _get_installed()
    return Version(
        number=number, released_on=_read_date(number), is_updated=bool(library)
    )


def get_library(data_dir: Path) -> str:
    """Return the folder of a newer yt-dlp than the installed one; "" where there is none."""
    # Resolved: a run that has begun goes on with what it began with.
    folder = (data_dir / NAME).resolve()
    number = _read_number(folder)
    if not number or _split(number) <= _split(_get_installed()):
        return ""
    return str(folder)


def update(data_dir: Path) -> Version:
    """Fetch the newest yt-dlp into the data folder, try it, and use it from the next run on.

    Raises:
        UpdateError: It cannot be had or does not run; what was used is used further.
    """
    folder = data_dir / f"{NAME}-{secrets.token_hex(6)}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _install(folder)
        _try(folder)
        _switch(data_dir, folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UpdateError(f"{folder} cannot be written: {error}.") from error
    except UpdateError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return get_version(data_dir)


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    command += ["--target", str(folder), "--upgrade", NAME]
    done = _run(command, PIP_TIMEOUT_S)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip says nothing"]
        raise UpdateError(f"yt-dlp could not be fetched: {said[-1][:300]}.")


def _try(folder: Path) -> None:
    number = _read_number(folder)
    if not number or _split(number) < LOWEST:
        raise UpdateError(
            f"Expected yt-dlp of {'.'.join(map(str, LOWEST))} or newer, got {number or 'none'}."
        )
    done = _run([sys.executable, "-c", _TRY, str(folder)], TRY_TIMEOUT_S)
    if done.returncode or done.stdout.strip() != number:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise UpdateError(f"yt-dlp {number} does not run here: {said[-1][:300]}.")


def _switch(data_dir: Path, folder: Path) -> None:
    current = data_dir / NAME
    before = current.resolve()
    link = data_dir / f"{NAME}-{secrets.token_hex(6)}.new"
    link.symlink_to(folder.name, target_is_directory=True)
    try:
        link.replace(current)
    except OSError:
        link.unlink()
        raise
    # Runs that have begun still load parts of the one before.
    for each in data_dir.glob(f"{NAME}-*"):
        if each.is_dir() and each.name not in (folder.name, before.name):
            shutil.rmtree(each, ignore_errors=True)


def _run(command: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"YTDLP_NO_PLUGINS": "1"}
    try:
        return subprocess.run(  # noqa: S603 - our own commands
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise UpdateError(f"It took longer than {timeout_s:g} s.") from error


def _read_number(folder: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = (folder / "yt_dlp" / "version.py").read_text(encoding="utf-8")
        if found := _VERSION.search(text):
            return found[1]
    return ""


def _get_installed() -> str:
    try:
        return importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        return "0.0.0"


def _split(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split(".") if part.isdigit())


def _read_date(number: str) -> date:
    try:
        return date(*_split(number)[:3])
    except (ValueError, TypeError):
        return date(1970, 1, 1)
