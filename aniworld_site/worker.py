"""Whether a worker is there: it keeps a key alive in the broker, and whoever asks looks for one."""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import closing

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PREFIX = "aniworld:worker:"
BEAT_S, EXPIRES_S = 2.0, 7
ANSWER_TIMEOUT_S = 1.0


def connect_broker() -> Redis:
    """Return a connection of the caller's own, to be closed; the broker is waited for a second."""
    return Redis.from_url(
        settings.BROKER_URL,
        socket_timeout=ANSWER_TIMEOUT_S,
        socket_connect_timeout=ANSWER_TIMEOUT_S,
    )


def is_worker_alive() -> bool:
    """Tell whether any worker beat lately; `False` too when the broker does not answer within a second."""
    try:
        with closing(connect_broker()) as broker:
            return (
                next(broker.scan_iter(match=f"{PREFIX}*", count=1000), None) is not None
            )
    except (RedisError, OSError):
        return False


def is_broker_alive() -> bool:
    try:
        with closing(connect_broker()) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False


class Heartbeat:
    """Keeps this worker's key alive from a thread of its own, until stopped."""

    def __init__(self) -> None:
        self._key = f"{PREFIX}{socket.gethostname()}:{os.getpid()}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(ANSWER_TIMEOUT_S + 1)

    def _run(self) -> None:
        with closing(connect_broker()) as broker:
            is_away = False
            while not self._ended.is_set():
                try:
                    broker.set(self._key, "1", ex=EXPIRES_S)
                    is_away = False
                except (RedisError, OSError) as error:
                    if not is_away:
                        logger.warning("The broker is away: %s", error)
                    is_away = True
                self._ended.wait(BEAT_S)
            try:
                broker.delete(self._key)
            except (RedisError, OSError):
                logger.info(
                    "The broker ended before this worker's key could be deleted; it expires."
                )
