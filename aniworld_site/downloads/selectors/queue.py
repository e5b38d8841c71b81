"""The queue as its page and its command show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, F, IntegerField, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from aniworld_site.disks import METER, Disk
from aniworld_site.downloads.models import (
    LONGEST_WAIT,
    RUNNING_STATES,
    Download,
    Queue,
    Source,
)
from aniworld_site.downloads.ordering import get_queue
from aniworld_site.downloads.selectors.messages import count_downloads
from aniworld_site.downloads.states import ENDED_STATES, list_wishes
from aniworld_site.library.models import RootFolder

State = Download.State
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A download with why it does not run, where it does not."""

    download: Download
    reason: str
    """A sentence; "" for one that runs or has ended well."""
    is_settled: bool
    """Whether it has ended, and its episode has its file or is in the queue."""

    @property
    def is_running(self) -> bool:
        return self.download.state in RUNNING_STATES

    @property
    def may(self) -> frozenset[str]:
        """What a person may do with it, by the names of `states`."""
        return list_wishes(self.download.state, is_settled=self.is_settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskForecast:
    """Whether what is queued fits on a disk."""

    roots: list[RootFolder]
    """That are on it and get something."""
    needed_bytes: int
    """For what is queued and whose size is known."""
    free_bytes: int
    """Without what stays free."""

    @property
    def lacks_bytes(self) -> int:
        return max(0, self.needed_bytes - self.free_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """The queue as a whole."""

    queue: Queue
    counts: dict[str, int]
    """As in `queue_status`."""
    left_bytes: int
    """Of all that is queued and whose size is known."""
    forecasts: list[DiskForecast]
    """Disks that do not hold all of it."""


def get_queue_view() -> QueueView:
    """Return the queue's state, counts and what it needs, in four queries."""
    queue = get_queue()
    needed: dict[int | None, int] = dict(
        Download.objects.live()
        .order_by()
        .values("root")
        # Row by row: what came of one whose size is unknown makes no room for the others.
        .annotate(
            left=Coalesce(Sum(Greatest(F("size_bytes") - F("bytes_done"), Value(0))), 0)
        )
        .values_list("root", "left")
    )
    return QueueView(
        queue=queue,
        counts=count_downloads(),
        left_bytes=sum(needed.values()),
        forecasts=_forecast(queue, needed),
    )


def _forecast(queue: Queue, needed: dict[int | None, int]) -> list[DiskForecast]:
    roots = list(
        RootFolder.objects.filter(pk__in=filter(None, needed)).order_by("name")
    )
    disks = METER.measure(root.path for root in roots if root.is_online)
    shared: dict[int, tuple[Disk, list[RootFolder]]] = {}
    for root in roots:
        if (disk := disks.get(root.path)) is not None:
            shared.setdefault(disk.device, (disk, []))[1].append(root)
    forecasts = [
        DiskForecast(
            roots=those,
            needed_bytes=sum(needed[root.pk] for root in those),
            free_bytes=max(0, disk.free_bytes - queue.floor_mib * MIB),
        )
        for disk, those in shared.values()
    ]
    return [each for each in forecasts if each.lacks_bytes]


def list_live(*, text: str = "") -> QuerySet[Download]:
    """Return what has not ended: what runs first, then by place; with all that a row shows."""
    rank = Case(
        When(state__in=RUNNING_STATES, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    rows = Download.objects.live().annotate(rank=rank)
    if text:
        rows = rows.filter(episode__season__series__title__icontains=text)
    return _with_names(rows).order_by("rank", "position", "pk")


def list_ended(state: str = "") -> QuerySet[Download]:
    """Return what has ended, the newest first, all or those of one state."""
    states = [state] if state else ENDED_STATES
    rows = Download.objects.filter(state__in=states)
    return _with_names(rows).order_by("-finished_at", "-pk")


def _with_names(rows: QuerySet[Download]) -> QuerySet[Download]:
    return rows.select_related(
        "episode__season__series", "source", "root", "operation__root"
    )


def list_rows(downloads: Iterable[Download]) -> list[Row]:
    """Say of each download why it does not run. Three queries, and one more where some have ended."""
    downloads = list(downloads)
    queue, settled = get_queue(), _find_settled(downloads)
    running = list(Download.objects.running().values_list("source_id", flat=True))
    counts, now = Counter(pk or 0 for pk in running), timezone.now()
    sources = {source.pk: source for source in Source.objects.all()}
    return [
        Row(
            download=download,
            reason=_explain(
                download,
                queue,
                sources,
                counts,
                now,
                is_full=len(running) >= queue.concurrency,
            ),
            is_settled=download.pk in settled,
        )
        for download in downloads
    ]


def _find_settled(downloads: Iterable[Download]) -> set[int]:
    ended = [each for each in downloads if each.state in ENDED_STATES]
    if not ended:
        return set()
    queued = Download.objects.live().filter(
        episode__in=[each.episode_id for each in ended]
    )
    there = set(queued.values_list("episode_id", flat=True))
    return {
        each.pk for each in ended if each.episode.has_file or each.episode_id in there
    }


def _explain(
    download: Download,
    queue: Queue,
    sources: dict[int, Source],
    counts: Counter[int],
    now: datetime,
    *,
    is_full: bool,
) -> str:
    if download.state != State.QUEUED:
        return download.reason
    if queue.state != Queue.State.RUNNING:
        return f"The queue is {queue.get_state_display()}."
    source = sources.get(download.source_id or 0)
    if source is None:
        return "Its source was removed."
    if reason := explain_source(source, counts[source.pk], now):
        return reason
    return "Waits for its turn." if is_full else "Is next, where there is room for it."


def explain_source(source: Source, running: int, now: datetime) -> str:
    """Return why no download of a source starts now, as a sentence; "" where one may. `running` is how many of it run."""
    if not source.is_enabled:
        return f"{source} is switched off."
    # What lies further ahead was written by a clock that was wrong.
    if source.rests_until is not None and now < source.rests_until < now + LONGEST_WAIT:
        until = timezone.localtime(source.rests_until)
        is_today = until.date() == timezone.localtime(now).date()
        shown = until.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
        return f"{source} rests until {shown}: {source.rest_reason}"
    if running >= source.concurrency:
        return f"{source} has {running} running, as many as it may."
    pause = timedelta(seconds=source.delay_s)
    if source.next_start_at is not None and now < source.next_start_at <= now + pause:
        return f"{source} starts one at a time, with a pause in between."
    return ""
