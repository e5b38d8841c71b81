"""Keeps a worker's downloads going: takes up what is next, shares the speed, gives back what others dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from aniworld_site.disks import DiskMeter
from aniworld_site.downloads import transitions
from aniworld_site.downloads.importing import (
    abandon_imports,
    drop_orphans,
    drop_parts,
)
from aniworld_site.downloads.models import Download, Source
from aniworld_site.downloads.ordering import get_queue
from aniworld_site.downloads.queueing import give_roots
from aniworld_site.downloads.runner import Runner
from aniworld_site.downloads.signals import worker_began
from aniworld_site.downloads.transitions import Room
from aniworld_site.library.models import RootFolder
from aniworld_site.library.signals import series_changed

logger = logging.getLogger(__name__)

TICK_S = 0.5
SWEEP_S = 5.0
TIDY_S = 3600.0
STOP_S = 6.0
LATELY = timedelta(minutes=5)
KIB = 1 << 10


class Dispatcher:
    """A thread that looks at the queue, with one more for each download. One for each worker; they share the queue by its row's lock.

    Not a task of Celery's for each download: those would take the threads that scans need, and a message that is lost or comes twice
    would be a download lost or doubled.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher")
        self._running: dict[int, tuple[Runner, threading.Thread]] = {}
        self._meter = DiskMeter(fresh_s=1.0)
        self._swept_at = 0.0
        self._tidied_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def begin_to_stop(self, **_kwargs: Any) -> None:
        """Have it give back its downloads and end, without waiting for that."""
        self._ended.set()

    def stop(self) -> None:
        """Give back all downloads and end, within some seconds."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        self._tell_again()
        while not self._ended.wait(TICK_S):
            try:
                self.look()
            except Exception:
                # The database or its disk: whatever it is, it may pass.
                logger.exception("The queue could not be looked at")
                connection.close()
                self._ended.wait(SWEEP_S)
        self.give_back()
        connection.close()

    def give_back(self) -> None:
        """Stop what runs here and give it back to the queue; returns when that is done."""
        for runner, _thread in self._running.values():
            runner.stop.set()
        for _runner, thread in self._running.values():
            thread.join(STOP_S)

    def _tell_again(self) -> None:
        """Have told what a worker before this one may have been killed before it told it."""
        try:
            lately = timezone.now() - LATELY
            series = Download.objects.filter(finished_at__gte=lately).values_list(
                "episode__season__series", flat=True
            )
            worker_began.send(Dispatcher)
            series_changed.send(Download, series_ids=set(series))
        except Exception:
            # Whatever goes wrong with telling: the queue goes on.
            logger.exception("What happened before could not be told again")
            connection.close()

    def look(self) -> None:
        """Do once what there is to do."""
        for pk, (_runner, thread) in list(self._running.items()):
            if not thread.is_alive():
                del self._running[pk]
        if time.monotonic() - self._swept_at > SWEEP_S:
            self._swept_at = time.monotonic()
            self._sweep()
        if transitions.is_anything_claimable():
            self._take_up()
        if self._running:
            self._share()

    def _sweep(self) -> None:
        transitions.release_stale()
        # Before their files are deleted.
        abandon_imports()
        drop_parts()
        give_roots()
        if time.monotonic() - self._tidied_at > TIDY_S:
            self._tidied_at = time.monotonic()
            drop_orphans()
        transitions.end_pause()

    def _take_up(self) -> None:
        rooms = self._measure()
        # One whose thread is still here was taken away from it and is about to end; where its disk hangs, that takes as long.
        while claim := transitions.claim_next(rooms, busy=self._running):
            download = claim.download
            runner = Runner(download=download, most_bytes=claim.most_bytes)
            thread = threading.Thread(target=runner.run, name=f"download-{download.pk}")
            self._running[download.pk] = (runner, thread)
            self._share()
            thread.start()

    def _measure(self) -> dict[int, Room]:
        roots = list(RootFolder.objects.filter(is_online=True))
        disks = self._meter.measure(root.path for root in roots)
        return {
            root.pk: Room(device=disk.device, free_bytes=disk.free_bytes)
            for root in roots
            if (disk := disks[root.path]) is not None
            and not self._meter.is_waiting_for(root.path)
        }

    def _share(self) -> None:
        """Give each download its part of the speed that all, and all of its source, may have; give back what is too many."""
        queue = get_queue()
        everywhere = list(
            Download.objects.running().values_list("source_id", "is_forced")
        )
        counts = Counter(source_id or 0 for source_id, _forced in everywhere)
        limits = dict(
            Source.objects.filter(pk__in=counts).values_list("pk", "limit_kib_per_s")
        )
        for runner, _thread in self._running.values():
            source_id = runner.download.source_id or 0
            shares = [
                limit * KIB // max(1, count)
                for limit, count in (
                    (queue.limit_kib_per_s, len(everywhere)),
                    (limits.get(source_id, 0), counts[source_id]),
                )
                if limit
            ]
            runner.limit = max(1, min(shares)) if shares else 0
        limited = sum(not is_forced for _source, is_forced in everywhere)
        # Those that are being given back are still in the database for a moment.
        leaving = sum(
            runner.stop.is_set() and not runner.download.is_forced
            for runner, _thread in self._running.values()
        )
        if limited - leaving > queue.concurrency:
            self._give_back_last()

    def _give_back_last(self) -> None:
        mine = [
            runner
            for runner, _thread in self._running.values()
            if not runner.download.is_forced and not runner.stop.is_set()
        ]
        with suppress(ValueError):
            last = max(mine, key=lambda runner: runner.download.position)
            last.stop.set()
