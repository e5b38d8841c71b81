"""Readings of root folders."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from aniworld_site.library.models.series import RootFolder, Series


class ScanQuerySet(models.QuerySet["Scan"]):
    def active(self) -> ScanQuerySet:
        return self.filter(state__in=ACTIVE_STATES)


class Scan(models.Model):
    """One reading of a root folder, from request to end. `transitions` is the only writer of `state`."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    root = models.ForeignKey(RootFolder, on_delete=models.CASCADE, related_name="scans")
    series = models.ForeignKey(
        Series,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="scans",
        help_text="Only its folders.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    is_full = models.BooleanField(
        "full", default=False, help_text="Reads every name again."
    )
    accepts_vanished = models.BooleanField(
        default=False, help_text="What is not found is gone."
    )
    requested_by = models.CharField(max_length=150, default="system")
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease = models.CharField(max_length=32, blank=True, help_text="Who runs it.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    is_again_requested = models.BooleanField(
        default=False, help_text="A wider scan follows."
    )
    again_is_full = models.BooleanField(default=False)
    again_accepts_vanished = models.BooleanField(default=False)
    current = models.PositiveIntegerField(default=0, help_text="Files read so far.")
    total = models.PositiveIntegerField(
        default=0, help_text="Files expected; may grow."
    )
    percent = models.FloatField(default=0)
    folder = models.CharField(
        max_length=300, blank=True, help_text="The one being read."
    )
    series_found = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    vanished = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0, help_text="Not found, and kept.")
    unmatched = models.PositiveIntegerField(default=0)
    problems = models.JSONField(
        default=list, blank=True, help_text="What could not be read."
    )
    error = models.CharField(max_length=500, blank=True)

    objects = ScanQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            # A second request joins the first: the database refuses a second active scan of one root.
            models.UniqueConstraint(
                fields=["root"],
                condition=Q(state__in=["queued", "running"]),
                name="one_active_scan_per_root",
            ),
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"])]

    def __str__(self) -> str:
        return f"Scan {self.pk} of {self.root.name}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


ACTIVE_STATES = (Scan.State.QUEUED, Scan.State.RUNNING)
