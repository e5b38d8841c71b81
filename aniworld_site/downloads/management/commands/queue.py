"""Shows the queue and steers it."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from aniworld_site.downloads import selectors, services
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.services import Outcome
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import RootFolder, Series

BY = "command line"
SHOWN = 1000
MOST = (1 << 63) - 1
"""The highest number that a row can have."""
FOR_PROGRAMS = "Answer in JSON, for other programs."
ON_DOWNLOADS: dict[str, Callable[[QuerySet[Download]], Outcome]] = {
    "pause": services.pause_downloads,
    "resume": services.resume_downloads,
    "retry": services.retry_downloads,
    "force": services.force_downloads,
    "remove": services.remove_downloads,
}


class Command(BaseCommand):
    help = "Show the queue, add to it, and start, stop, pause or resume it or single downloads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=FOR_PROGRAMS)
        # Behind the action, too, where it must not undo what was said before it.
        anywhere = ArgumentParser(add_help=False)
        anywhere.add_argument(
            "--json", action="store_true", default=SUPPRESS, help=FOR_PROGRAMS
        )
        actions = parser.add_subparsers(dest="action", title="actions")
        add = partial(actions.add_parser, parents=[anywhere])
        shown = add("list", help="What is in it; also without a word.")
        shown.add_argument("--ended", action="store_true", help="What has ended.")
        added = add("add", help="Put episodes into it.")
        added.add_argument("series", nargs="?", help="Key, like attack-on-titan.")
        added.add_argument("episodes", nargs="*", help="Like S01E03, or S01 for all.")
        added.add_argument(
            "--missing", action="store_true", help="All that is missing."
        )
        added.add_argument("--root", help="Name of the folder that files go to.")
        added.add_argument("--force", action="store_true", help="Whatever limits say.")
        for name in ("start", "stop"):
            add(name, help=f"{name.capitalize()} the queue.")
        for name in ("pause", "resume"):
            one = add(name, help="The queue, or downloads by number.")
            one.add_argument("downloads", nargs="*", type=int)
            if name == "pause":
                one.add_argument("--minutes", type=int, help="Resumes by itself.")
        for name in ("retry", "force", "remove", "cancel"):
            one = add(name, help="Downloads by number.")
            several = "*" if name == "remove" else "+"
            one.add_argument("downloads", nargs=several, type=int)
            if name == "cancel":
                one.add_argument("--keep", action="store_true", help="What came stays.")
            if name == "remove":
                one.add_argument("--ended", action="store_true", help="All that ended.")
        moved = add("move", help="Downloads by number.")
        moved.add_argument("where", choices=["top", "bottom", "up", "down", "before"])
        moved.add_argument("downloads", nargs="+", type=int)
        moved.add_argument("--target", type=int, help="Before which one.")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"] or "list"
        try:
            if action == "list":
                self._list(options)
            elif action == "add":
                self._add(options)
            elif options.get("downloads"):
                self._steer(action, options)
            elif action == "remove":
                self._clear(options)
            else:
                self._steer_queue(action, options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        ended = options.get("ended", False)
        downloads = selectors.list_ended() if ended else selectors.list_live()
        shown = downloads if options["json"] else downloads[:SHOWN]
        rows = [_as_values(row) for row in selectors.list_rows(shown)]
        view = selectors.get_queue_view()
        if options["json"]:
            told = {"state": view.queue.state, **view.counts, "downloads": rows}
            self.stdout.write(json.dumps(told))
            return
        counts = ", ".join(f"{count} {name}" for name, count in view.counts.items())
        self.stdout.write(f"The queue is {view.queue.get_state_display()}: {counts}.")
        for row in rows:
            said = f"{row['id']:>6}  {row['status']:<11} {row['percent']:>5.1f} %  {row['series']} {row['episode']}  {row['reason']}"
            self.stdout.write(said.rstrip())
        if more := downloads.count() - len(rows):
            self.stdout.write(f"And {more} more: --json lists all of them.")

    def _add(self, options: dict[str, Any]) -> None:
        series, root = _find_series(options["series"]), _find_root(options["root"])
        if options["missing"] and options["episodes"]:
            raise CommandError("Expected episodes or --missing, not both.")
        if options["missing"]:
            queued = services.queue_missing(
                by=BY, series=series, root=root, is_forced=options["force"]
            )
        elif series is None or not options["episodes"]:
            raise CommandError(
                "Expected a series and its episodes, like `queue add attack-on-titan S01E03`, or --missing."
            )
        else:
            queued = services.queue_episodes(
                services.find_episodes(series, options["episodes"]),
                by=BY,
                root=root,
                is_forced=options["force"],
            )
        if options["json"]:
            ids = [download.pk for download in queued.downloads]
            self.stdout.write(json.dumps({"added": ids}))
        else:
            self.stdout.write(f"{len(queued.downloads)} added.")
        for refusal in queued.refusals[:50]:
            self.stderr.write(f"{refusal.episode}: {refusal.reason}")

    def _steer(self, action: str, options: dict[str, Any]) -> None:
        if options.get("ended"):
            raise CommandError("Expected downloads by number or --ended, not both.")
        downloads = _find_downloads(options["downloads"])
        if action == "cancel":
            outcome = services.cancel_downloads(downloads, keeps_part=options["keep"])
        elif action == "move":
            target = options["target"]
            if (target is not None) != (options["where"] == "before"):
                raise CommandError(
                    "Expected `before` and --target, or neither: like `queue move before 9 --target 1`."
                )
            before = None if target is None else _find_downloads([target]).get()
            outcome = services.move_downloads(
                downloads, options["where"], before=before
            )
        else:
            outcome = ON_DOWNLOADS[action](downloads)
        for refusal in outcome.refusals:
            self.stderr.write(refusal)
        self._tell({"done": outcome.done}, f"{outcome.done} done.", options)
        if not outcome.done:
            raise CommandError("Nothing was done.")

    def _clear(self, options: dict[str, Any]) -> None:
        if not options["ended"]:
            raise CommandError("Expected downloads by number, or --ended for all.")
        outcome = services.remove_downloads(selectors.list_ended())
        self._tell({"done": outcome.done}, f"{outcome.done} done.", options)

    def _steer_queue(self, action: str, options: dict[str, Any]) -> None:
        if action == "pause":
            queue = services.pause_queue(by=BY, minutes=options["minutes"])
        else:
            do: dict[str, Callable[..., Queue]] = {
                "start": services.start_queue,
                "stop": services.stop_queue,
                "resume": services.resume_queue,
            }
            queue = do[action](by=BY)
        said = f"The queue is {queue.get_state_display()}."
        self._tell({"state": queue.state}, said, options)

    def _tell(
        self, values: dict[str, Any], sentence: str, options: dict[str, Any]
    ) -> None:
        self.stdout.write(json.dumps(values) if options["json"] else sentence)


def _as_values(row: selectors.Row) -> dict[str, Any]:
    download = row.download
    return {
        "id": download.pk,
        "key": download.episode.season.series.key,
        "series": str(download.episode.season.series),
        "episode": str(download.episode),
        "status": download.state,
        "percent": download.percent,
        "bytes": download.bytes_done,
        "size": download.size_bytes,
        "source": str(download.source or ""),
        "reason": row.reason,
    }


def _find_downloads(ids: list[int]) -> QuerySet[Download]:
    # Others no database takes.
    downloads = Download.objects.filter(pk__in=[i for i in ids if 0 < i <= MOST])
    if missing := sorted(set(ids) - set(downloads.values_list("pk", flat=True))):
        raise CommandError(
            f"There is no download {', '.join(map(str, missing))}: `queue list` shows the numbers."
        )
    return downloads


def _find_series(key: str | None) -> Series | None:
    if key is None:
        return None
    series = Series.objects.filter(key=key).first()
    if series is None:
        raise CommandError(f"No series has the key {key!r}.")
    return series


def _find_root(name: str | None) -> RootFolder | None:
    if name is None:
        return None
    root = RootFolder.objects.filter(name=name).first()
    if root is None:
        raise CommandError(f"No root folder is called {name!r}.")
    return root
