"""The partial file on its way: one writer at a time, and only ever continued with the same content.

Beside `x.part` lies `x.part.json`, which says of which version its bytes are. It is written before them.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SYNC_BYTES = 64 * 1024 * 1024


class PartBusyError(Exception):
    """Another process writes this file."""


@dataclass(kw_only=True)
class Origin:
    """Of what the bytes are a part."""

    url: str = ""
    """As it was listed, before redirects."""
    etag: str = ""
    last_modified: str = ""
    total: int | None = None
    """Bytes of the whole, as the server said; None while it did not."""
    boot: str = ""
    """Since when the machine runs, as the system names it."""
    synced: int = 0
    """Bytes that are on the disk for sure: after a power cut those behind may be zeros."""

    @property
    def validator(self) -> str:
        """What `If-Range` may say: a strong ETag or a date; "" where the server gave neither."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


class Part:
    """An open partial file, held by a lock until it is closed.

    Raises:
        PartBusyError: Another process has it.
        OSError: It cannot be opened, or not be locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._origin_path = path.with_name(f"{path.name}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.fd = os.open(path, flags, 0o644)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self.fd)
            raise PartBusyError(f"{path.name} is being written.") from error
        except OSError:
            # Of a file system that has no locks: not to be taken for one that is held, which is waited for.
            os.close(self.fd)
            raise
        self.origin = self._read_origin()
        self.size = os.fstat(self.fd).st_size
        if self.origin.boot != read_boot() and self.size > self.origin.synced:
            self._cut(self.origin.synced)
        os.lseek(self.fd, self.size, os.SEEK_SET)

    def begin(self, origin: Origin, *, at: int) -> None:
        """Keep the first so many bytes, and note of what those that follow are."""
        if at < self.size:
            self._cut(at)
        # On the disk are those that were, and that are still there.
        origin.synced = min(self.origin.synced, at)
        origin.boot = read_boot()
        self.origin = origin
        self._write_origin()

    def write(self, data: memoryview) -> None:
        while data:
            written = os.write(self.fd, data)
            self.size += written
            data = data[written:]
        if self.size - self.origin.synced >= SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Have the disk hold all that was written."""
        os.fsync(self.fd)
        self.origin.synced = self.size
        self._write_origin()

    def close(self) -> None:
        os.close(self.fd)

    def _cut(self, size: int) -> None:
        os.ftruncate(self.fd, size)
        os.lseek(self.fd, size, os.SEEK_SET)
        self.size = size

    def _read_origin(self) -> Origin:
        try:
            return Origin(**json.loads(self._origin_path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return Origin()

    def _write_origin(self) -> None:
        fresh = self._origin_path.with_name(f"{self._origin_path.name}.new")
        fresh.write_text(json.dumps(asdict(self.origin)), encoding="utf-8")
        fresh.replace(self._origin_path)


def read_boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def remove_part(path: Path) -> None:
    """Delete a partial file and what lies beside it; one that is not there is no error."""
    names = (path.name, f"{path.name}.json", f"{path.name}.json.new")
    for each in map(path.with_name, names):
        each.unlink(missing_ok=True)
