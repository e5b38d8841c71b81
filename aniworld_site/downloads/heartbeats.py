"""Saying again and again that a row is still held, while what its holder does takes long."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

from aniworld_site.downloads.transitions import LeaseLostError

logger = logging.getLogger(__name__)

BEAT_S = 4.0


@contextmanager
def beating(beat: Callable[[], None]) -> Iterator[None]:
    """Call `beat` in a thread of its own meanwhile; it may raise `LeaseLostError`, which ends it, and which whoever writes next learns by itself."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(BEAT_S):
            try:
                beat()
            except LeaseLostError:
                return
            except (DatabaseError, InterfaceError) as error:
                # The next one may find it again: several fit into the silence after which a row is taken over.
                logger.info("A row could not be kept: %r", error)
            finally:
                connection.close()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
