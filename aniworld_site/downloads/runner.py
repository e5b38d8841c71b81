"""One download from claim to file, in a thread of its own. Knows no Celery and no browser."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from aniworld_site.downloads import transitions
from aniworld_site.downloads.children import Child
from aniworld_site.downloads.errands import Errand, make_errand
from aniworld_site.downloads.heartbeats import BEAT_S, beating
from aniworld_site.downloads.importing import bring_in, find_operation, get_part_path
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.outcomes import settle_failure
from aniworld_site.downloads.progress import Speedometer
from aniworld_site.downloads.providers.base import ProviderError
from aniworld_site.downloads.signals import download_progressed
from aniworld_site.downloads.transitions import LeaseLostError
from aniworld_site.exceptions import DomainError
from aniworld_site.library.walking import offline_reason

logger = logging.getLogger(__name__)

LISTEN_S = 0.25
LOOK_S = 0.5
"""How often a runner looks whether it still holds its download, so how soon a pause takes effect."""
AGAIN = timedelta(seconds=10)
LARGEST_BYTES = 1 << 50
BROKE_OFF = "An error of AniWorld interrupted it; the log has the details."


@dataclass(kw_only=True)
class Runner:
    """Runs one claimed download. `limit` and `stop` may be set from elsewhere at any time."""

    download: Download
    most_bytes: int
    """What its disk has room for."""
    limit: int = 0
    """Bytes per second, 0 for none."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set to give the download back."""
    _sent_limit: int = 0
    _looked_at: float = 0.0
    _beaten_at: float = 0.0

    def run(self) -> None:
        """Do it to its end, whatever that is; never raises."""
        try:
            self._run()
        except LeaseLostError:
            logger.info("Download %s was taken away.", self.download.pk)
            # The last beat was seconds ago, and pages would show it going back.
            self._end(transitions.save_taken)
        except (OperationalError, InterfaceError):
            # Away, locked, or its disk full: nothing that the download could help.
            logger.exception("Download %s lost the database", self.download.pk)
            # The next write makes another.
            connection.close()
            self._end(partial(transitions.release, due_at=timezone.now() + AGAIN))
        except OSError as error:
            # No process, no memory, no open files, a disk that fails: nothing that the download could help either.
            logger.exception("Download %s found no way on", self.download.pk)
            said = f"This machine could not go on with it ({error.strerror or error}). It is tried again."
            self._end(
                partial(settle_failure, said={"error": said, "trouble": "machine"})
            )
        except Exception:
            logger.exception("Download %s broke off", self.download.pk)
            broken = {"error": BROKE_OFF, "trouble": "broken"}
            self._end(partial(settle_failure, said=broken))
        finally:
            connection.close()

    def _run(self) -> None:
        download = self.download
        try:
            if find_operation(download) is None and not self._get_file():
                return
            # Copying to another disk takes minutes.
            with beating(partial(transitions.beat, download)):
                bring_in(download)
        except DomainError as error:
            settle_failure(download, _as_message(error))

    def _get_file(self) -> bool:
        """Fetch what is not there yet; False where that came to an end without a whole file."""
        download = self.download
        try:
            self._prepare()
            said = self._fetch()
        except ProviderError as error:
            said = _as_message(error)
        if said is None:
            transitions.release(download)
            return False
        if "error" in said:
            download.bytes_done = _bound(said.get("bytes_done", download.bytes_done))
            if said.get("size") is not None:
                download.size_bytes = _bound(said["size"])
            settle_failure(download, said)
            return False
        download.bytes_done = _bound(said["done"])
        download.extension = str(said["extension"])
        return True

    def _prepare(self) -> None:
        """Find out what cannot be done before anything is started.

        Raises:
            DomainError: Its folder is not there.
        """
        root = self.download.root
        if root is None:
            raise DomainError("Its root folder was removed: it gets another one.")
        # What is not mounted is often an empty folder, which must not be filled.
        if reason := offline_reason(root.path, holds_files=root.file_count > 0):
            raise DomainError(reason)

    def _fetch(self) -> dict[str, Any] | None:
        """Return how it ended; None where it was stopped.

        Raises:
            ProviderError: It has no source or address any more.
        """
        path = get_part_path(self.download)
        errand = make_errand(self.download, path, self.most_bytes)
        try:
            while True:
                said = self._send(errand)
                if said is None or "limit" not in said:
                    return said
        finally:
            errand.close()

    def _send(self, errand: Errand) -> dict[str, Any] | None:
        """Return how a child ended, None where it was stopped; `{"limit"}` where it has to be started anew for another speed."""
        self._sent_limit = self.limit
        # A disk may have hung for minutes, in which another process took over.
        if not transitions.is_held(self.download):
            raise LeaseLostError
        if self.stop.is_set():
            return None
        child = errand.start(self.limit)
        try:
            said = self._follow(child, takes_limits=errand.takes_limits)
        finally:
            code = child.stop()
        if said is not None:
            return errand.settle(said)
        if self.stop.is_set():
            return None
        logger.warning(
            "Child of download %s ended with %s: %s",
            self.download.pk,
            code,
            child.complaint,
        )
        return {
            "error": f"The process that fetched it ended unexpectedly ({code}).",
            "trouble": "killed" if code < 0 else "passing",
        }

    def _follow(self, child: Child, *, takes_limits: bool) -> dict[str, Any] | None:
        download = self.download
        speed = Speedometer(now=time.monotonic(), bytes_done=download.bytes_done)
        is_first = True
        for said in child.listen(every_s=LISTEN_S):
            if said and ("done" in said or "error" in said):
                return said
            if said and "bytes" in said:
                if is_first:
                    # What was there before is not speed.
                    speed = Speedometer(now=time.monotonic(), bytes_done=said["bytes"])
                    is_first = False
                self._note(said, speed)
            if self.stop.is_set():
                return None
            self._look()
            if self.limit != self._sent_limit:
                if not takes_limits:
                    return {"limit": self.limit}
                self._sent_limit = self.limit
                child.tell({"limit": self.limit})
        return None

    def _note(self, said: dict[str, Any], speed: Speedometer) -> None:
        download = self.download
        download.bytes_done = _bound(said["bytes"])
        if said["size"] is not None:
            download.size_bytes = _bound(said["size"])
        speed.note(now=time.monotonic(), bytes_done=download.bytes_done)
        if said.get("verifying") and download.state != Download.State.VERIFYING:
            transitions.begin_verifying(download)
        download_progressed.send(
            Download,
            download=download,
            bytes_per_s=speed.bytes_per_s,
            eta_s=speed.get_eta_s(download.size_bytes),
        )

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._beaten_at >= BEAT_S:
            self._beaten_at = self._looked_at = now
            transitions.beat(self.download)
        elif now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if not transitions.is_held(self.download):
                raise LeaseLostError

    def _end(self, move: Callable[[Download], None]) -> None:
        try:
            move(self.download)
        except LeaseLostError:
            return
        except Exception:
            # The database is away: the lease runs out, and it is taken up again.
            logger.exception("Download %s could not be ended", self.download.pk)


def _bound(count: Any) -> int:
    """Return a number of bytes that a database takes, whatever a child heard."""
    return min(max(int(count), 0), LARGEST_BYTES)


def _as_message(error: ProviderError | DomainError) -> dict[str, Any]:
    trouble = error.trouble.value if isinstance(error, ProviderError) else "root"
    return {"error": str(error), "trouble": trouble}
