"""Scans root folders and shows it live: by the site's worker where one runs, in this process otherwise."""

from __future__ import annotations

import logging
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import RootFolder, Scan, Series
from aniworld_site.library.naming import printable
from aniworld_site.library.scanner import plan_scan
from aniworld_site.library.services import cancel_scan, request_scan, run_scan_here
from aniworld_site.library.transitions import STALE_AFTER
from aniworld_site.worker import is_worker_alive

POLL_S = 0.2
INTERRUPTED = 130
REQUESTED_BY = "command line"


class Command(BaseCommand):
    help = (
        "Scan root folders, all of them unless told otherwise. Ctrl-C cancels the scan."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--root", help="Only this root folder, by its name or path."
        )
        parser.add_argument(
            "--series", metavar="KEY", help="Only this series' folders."
        )
        parser.add_argument(
            "--full",
            action="store_true",
            help="Read every name again, not only what changed.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Print what a scan would do, and change nothing.",
        )
        parser.add_argument(
            "--no-wait",
            action="store_true",
            help="Leave the scan to the site's worker and return at once.",
        )
        parser.add_argument(
            "--confirm-vanished",
            action="store_true",
            help="Accept that files which are not found are gone, however many they are.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        series = _series(options["series"])
        roots = _roots(options["root"], options["series"])
        scans: list[Scan] = []
        try:
            if options["dry_run"]:
                self._plan(roots, series, options)
                return
            has_worker = is_worker_alive()
            if not has_worker:
                # No site runs, so that nobody misses what cannot be sent.
                logging.getLogger("realtime").setLevel(logging.ERROR)
                logging.getLogger("aniworld_site.library.services").setLevel(
                    logging.ERROR
                )
            if options["no_wait"] and not has_worker:
                raise CommandError(
                    "No worker is running that could do the scan later: leave out --no-wait, or start the site with manage.py serve."
                )
            scans += [
                request_scan(
                    root,
                    by=REQUESTED_BY,
                    series=series,
                    is_full=options["full"],
                    accepts_vanished=options["confirm_vanished"],
                )
                for root in roots
            ]
            if options["no_wait"]:
                self.stdout.write(
                    "\n".join(
                        f"{scan.root.name}: scan {scan.pk} is {scan.get_state_display()}."
                        for scan in scans
                    )
                )
                return
            self._watch(scans, has_worker=has_worker)
        except DomainError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._cancel(scans)
            sys.exit(INTERRUPTED)
        self._conclude(scans)

    def _plan(
        self,
        roots: Iterable[RootFolder],
        series: Series | None,
        options: dict[str, Any],
    ) -> None:
        for root in roots:
            self.stdout.write(f"{root.name} ({printable(root.path)}):")
            scan = Scan(
                root=root,
                series=series,
                is_full=options["full"],
                accepts_vanished=options["confirm_vanished"],
            )
            plan_scan(scan, lambda line: self.stdout.write(f"  {line}"))
            self.stdout.write(
                f"  {scan.current} files read: {scan.added} to add, {scan.updated} to update, {scan.held} not found and to be kept until confirmed. Nothing was changed."
            )

    def _watch(self, scans: Sequence[Scan], *, has_worker: bool) -> None:
        """Show the scans until all have ended, and do them here where no worker does."""
        runner = None if has_worker else _start_runner(scans)
        with _progress(self.stdout) as progress:
            bars = {
                scan.pk: progress.add_task(
                    scan.root.name, total=None, rate="", folder="waiting"
                )
                for scan in scans
            }
            open_scans = list(scans)
            while open_scans:
                for scan in open_scans:
                    scan.refresh_from_db()
                    progress.update(
                        bars[scan.pk],
                        completed=scan.current,
                        total=scan.total or None,
                        rate=_rate(scan),
                        folder=scan.folder
                        if scan.is_active
                        else scan.get_state_display(),
                    )
                open_scans = [scan for scan in open_scans if scan.is_active]
                if (
                    open_scans
                    and (runner is None or not runner.is_alive())
                    and any(_is_abandoned(scan) for scan in open_scans)
                ):
                    runner = _start_runner(open_scans)
                time.sleep(POLL_S if open_scans else 0)
        if runner is not None:
            runner.join()

    def _cancel(self, scans: Sequence[Scan]) -> None:
        for scan in scans:
            with suppress(DomainError):
                cancel_scan(scan)
        deadline = time.monotonic() + 10
        while (
            time.monotonic() < deadline
            and Scan.objects.active()
            .filter(pk__in=[scan.pk for scan in scans])
            .exists()
        ):
            time.sleep(POLL_S)
        self.stderr.write(
            "Cancelled. What was read until now is kept; the next scan goes on from there."
        )

    def _conclude(self, scans: Sequence[Scan]) -> None:
        failed = False
        for scan in scans:
            if scan.state == Scan.State.DONE:
                self.stdout.write(_summary(scan))
            else:
                failed = True
                self.stderr.write(
                    f"{scan.root.name}: {scan.error or 'The scan failed.'}"
                )
        if failed:
            sys.exit(1)


def _roots(wanted: str | None, key: str | None) -> list[RootFolder]:
    roots = RootFolder.objects.all()
    if wanted:
        found = roots.filter(name=wanted) or roots.filter(
            path=str(Path(wanted).expanduser().resolve())
        )
        if not found:
            names = (
                ", ".join(roots.values_list("name", flat=True))
                or "none yet: add one with manage.py add_root PATH"
            )
            raise CommandError(
                f"There is no root folder {printable(wanted)}. Those that are: {names}."
            )
        roots = found
    if key:
        roots = roots.filter(series_folders__series__key=key).distinct()
    if not roots:
        raise CommandError(
            "There is nothing to scan: no root folder holds that series."
            if key
            else "There is no root folder yet: add one with manage.py add_root PATH."
        )
    return list(roots)


def _series(key: str | None) -> Series | None:
    if key is None:
        return None
    series = Series.objects.filter(key=key).first()
    if series is None:
        raise CommandError(f"There is no series with the key {printable(key)}.")
    return series


def _start_runner(scans: Sequence[Scan]) -> threading.Thread:
    """Do the scans in a thread, so that Ctrl-C reaches this command and not the middle of a transaction.

    The thread has rows of its own: the caller's are read anew while it works.
    """
    own = list(
        Scan.objects.select_related("root", "series").filter(
            pk__in=[scan.pk for scan in scans]
        )
    )

    def run() -> None:
        try:
            for scan in own:
                run_scan_here(scan)
        finally:
            connection.close()

    runner = threading.Thread(target=run, name="scan", daemon=True)
    runner.start()
    return runner


def _is_abandoned(scan: Scan) -> bool:
    """Tell whether nobody does this scan: its runner fell silent, or it waits and no worker is there."""
    if scan.state == Scan.State.RUNNING:
        return (
            scan.heartbeat_at is not None
            and timezone.now() - scan.heartbeat_at > STALE_AFTER
        )
    return timezone.now() - scan.requested_at > STALE_AFTER and not is_worker_alive()


def _progress(stdout: Any) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[folder]}", markup=False),
    )
    return Progress(*columns, console=Console(file=stdout, soft_wrap=True))


def _rate(scan: Scan) -> str:
    if scan.started_at is None or not scan.current:
        return ""
    elapsed_s = ((scan.finished_at or timezone.now()) - scan.started_at).total_seconds()
    return f"{scan.current / max(elapsed_s, 0.1):,.0f} files/s"


def _summary(scan: Scan) -> str:
    seconds = (
        (scan.finished_at - scan.started_at).total_seconds()
        if scan.finished_at and scan.started_at
        else 0.0
    )
    text = f"{scan.root.name}: {scan.current} files of {scan.series_found} series in {seconds:.1f} s: {scan.added} added, {scan.updated} updated, {scan.vanished} vanished, {scan.unmatched} unmatched."
    if scan.held:
        text += f"\n{scan.held} files were not found and are kept, since so many at once may mean a missing disk. If they are gone: manage.py scan --root {scan.root.name!r} --confirm-vanished"
    return "\n".join([text, *(f"  {problem}" for problem in scan.problems)])
