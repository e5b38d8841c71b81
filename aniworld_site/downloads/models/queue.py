"""The queue, and the downloads that are in it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from aniworld_site.downloads.models.sources import MOST, Source, SourceEpisode
from aniworld_site.library.destinations import DEFAULT_TEMPLATE
from aniworld_site.library.models import Episode, FileOperation, RootFolder


class Queue(models.Model):
    """The one queue that all downloads are in: whether it runs, and within which limits. There is one row."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        PAUSED = "paused", "paused"
        STOPPED = "stopped", "stopped"

    state = models.CharField(
        max_length=10, choices=State.choices, default=State.RUNNING, editable=False
    )
    paused_until = models.DateTimeField(
        null=True, editable=False, help_text="None: until somebody resumes it."
    )
    changed_by = models.CharField(max_length=150, default="system", editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    concurrency = models.PositiveSmallIntegerField(
        "downloads at once",
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
    )
    limit_kib_per_s = models.PositiveIntegerField(
        "KiB per second of all together",
        default=0,
        validators=[MaxValueValidator(MOST)],
        help_text="0 is no limit.",
    )
    floor_mib = models.PositiveIntegerField(
        "MiB that stay free",
        default=1024,
        validators=[MaxValueValidator(MOST)],
        help_text="On each disk.",
    )
    template = models.CharField(
        "name of a file",
        max_length=300,
        default=DEFAULT_TEMPLATE,
        help_text="Of series, year, season, episode, absolute, title and key.",
    )
    writes_nfo = models.BooleanField("write .nfo files", default=False)

    class Meta:
        verbose_name_plural = "queue"

    def __str__(self) -> str:
        return f"Queue, {self.get_state_display()}"


class DownloadQuerySet(models.QuerySet["Download"]):
    def live(self) -> DownloadQuerySet:
        """Keep what has not ended."""
        return self.filter(state__in=LIVE_STATES)

    def running(self) -> DownloadQuerySet:
        """Keep what a worker holds."""
        return self.filter(state__in=RUNNING_STATES)


class Download(models.Model):
    """One way of an episode into the library. `transitions` is the only writer of `state`."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        ACTIVE = "active", "downloading"
        PAUSED = "paused", "paused"
        WAITING = "waiting", "waiting"
        VERIFYING = "verifying", "verifying"
        IMPORTING = "importing", "importing"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    class Wait(models.TextChoices):
        """What a waiting one waits for."""

        DISK = "disk", "disk space"
        HOST = "host", "its source"
        ROOT = "root", "its folder"
        MACHINE = "machine", "this machine"

    episode = models.ForeignKey(
        Episode, on_delete=models.CASCADE, related_name="downloads"
    )
    offer = models.ForeignKey(
        SourceEpisode,
        null=True,
        on_delete=models.SET_NULL,
        related_name="downloads",
        help_text="Where its address was listed.",
    )
    source = models.ForeignKey(
        Source, null=True, on_delete=models.SET_NULL, related_name="downloads"
    )
    root = models.ForeignKey(
        RootFolder,
        null=True,
        on_delete=models.SET_NULL,
        related_name="downloads",
        help_text="Where its file comes to.",
    )
    operation = models.ForeignKey(
        FileOperation,
        null=True,
        on_delete=models.SET_NULL,
        related_name="downloads",
        help_text="That brings its file into the library.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    position = models.BigIntegerField(
        default=0, help_text="Order in the queue, with gaps; the lowest is next."
    )
    is_forced = models.BooleanField(
        "forced", default=False, help_text="Starts whatever the limits say."
    )
    wait = models.CharField(max_length=10, choices=Wait.choices, blank=True)
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why it waits or failed, as a sentence."
    )
    due_at = models.DateTimeField(null=True, help_text="It is not tried before.")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="That failed, in a row."
    )
    starts = models.PositiveIntegerField(default=0, help_text="Times it was taken up.")
    bytes_done = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField("size", null=True)
    checksum = models.CharField(max_length=80, blank=True)
    extension = models.CharField(max_length=12, blank=True)
    bytes_at_failure = models.BigIntegerField(
        default=0, help_text="What it had when it failed last."
    )
    drops_part = models.BooleanField(
        default=False, help_text="Its partial file is to be deleted."
    )
    lease = models.CharField(max_length=32, blank=True, help_text="Who runs it.")
    heartbeat_at = models.DateTimeField(null=True)
    requested_by = models.CharField(max_length=150, default="system")
    added_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = DownloadQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        permissions = [("control_queue", "Can control the queue and its downloads")]
        constraints = [
            # A second request for an episode finds the first: the database refuses two.
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(
                    state__in=[
                        "queued",
                        "active",
                        "paused",
                        "waiting",
                        "verifying",
                        "importing",
                    ]
                ),
                name="one_live_download_per_episode",
            )
        ]
        indexes = [
            models.Index(fields=["state", "position", "id"]),
            models.Index(fields=["state", "-finished_at"]),
            models.Index(fields=["source", "state"]),
        ]

    def __str__(self) -> str:
        return f"Download {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def percent(self) -> float:
        """Of its bytes, 0 while the size is unknown."""
        if not self.size_bytes:
            return 0.0
        return round(min(100.0, 100 * self.bytes_done / self.size_bytes), 1)


RUNNING_STATES = (
    Download.State.ACTIVE,
    Download.State.VERIFYING,
    Download.State.IMPORTING,
)
LIVE_STATES = (
    *RUNNING_STATES,
    Download.State.QUEUED,
    Download.State.PAUSED,
    Download.State.WAITING,
)
