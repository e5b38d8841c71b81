"""Where episodes come from: sources, and what they list."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from aniworld_site.downloads.providers.guarding import GuardError, read_hosts
from aniworld_site.library.models import Episode, Series

LONGEST_WAIT = timedelta(hours=25)
"""No download, nor all of a source, waits for longer; a `Retry-After` is cut to a day."""
MOST = 100_000_000
"""MiB, or KiB per second: more than anybody has, and small enough for every sum."""
LONGEST_EVERY = timedelta(days=8)
"""Longer than any source is left unread."""
READER_SILENT = timedelta(seconds=20)
"""Who reads a source says so every few seconds; one that said nothing for longer was killed."""


def validate_hosts(text: str) -> None:
    """Refuse what names no hosts."""
    try:
        read_hosts(text)
    except GuardError as error:
        raise ValidationError(str(error)) from error


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self) -> SourceQuerySet:
        """Keep those that are to be read now."""
        now = timezone.now()
        # A time that is further off than any can be was written by a clock that was ahead.
        is_due = Q(due_at=None) | Q(due_at__lte=now) | Q(due_at__gt=now + LONGEST_EVERY)
        return self.filter(is_due, is_enabled=True)

    def unread(self) -> SourceQuerySet:
        """Keep those that nobody reads at this moment, or that who read them left when it was killed."""
        now = timezone.now()
        return self.filter(
            Q(refreshing_since=None)
            | Q(reader_beat_at=None)
            | Q(reader_beat_at__lt=now - READER_SILENT)
            | Q(reader_beat_at__gt=now + READER_SILENT)
        )


class Source(models.Model):
    """A place on the network that a person configured and may use."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(
        max_length=40, blank=True, help_text="Found out when it is first read."
    )
    url = models.CharField("address", max_length=2_000)
    username = models.CharField("user name", max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False)
    private_hosts = models.CharField(
        "hosts on my own network",
        max_length=1_000,
        blank=True,
        validators=[validate_hosts],
        help_text="Addresses on this machine or its network are refused, but of these hosts; with commas.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    every_minutes = models.PositiveIntegerField(
        "read every … minutes",
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(7 * 24 * 60)],
    )
    cookies = models.CharField(
        "cookies file",
        max_length=1_000,
        blank=True,
        help_text="Path of a file in Netscape's format on this machine; only yt-dlp reads it.",
    )
    format = models.CharField(
        max_length=200,
        blank=True,
        help_text="Which format yt-dlp chooses, in its own words; empty for the best.",
    )
    queues_new = models.BooleanField(
        "queue new episodes",
        default=True,
        help_text="What it lists newly of a monitored series joins the queue.",
    )
    concurrency = models.PositiveSmallIntegerField(
        "downloads at once",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
    )
    delay_s = models.PositiveIntegerField(
        "seconds between two starts",
        default=0,
        validators=[MaxValueValidator(24 * 3600)],
    )
    limit_kib_per_s = models.PositiveIntegerField(
        "KiB per second",
        default=0,
        validators=[MaxValueValidator(MOST)],
        help_text="0 is no limit.",
    )
    retries = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(100)],
        help_text="After as many failures without a byte in between a download is given up.",
    )
    next_start_at = models.DateTimeField(null=True, editable=False)
    download_failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="Of its downloads, in a row."
    )
    rests_until = models.DateTimeField(
        null=True, editable=False, help_text="No download of it starts before."
    )
    rest_reason = models.CharField(max_length=500, blank=True, editable=False)
    title = models.CharField(max_length=250, blank=True, editable=False)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    refreshing_since = models.DateTimeField(null=True, editable=False)
    reader_beat_at = models.DateTimeField(
        null=True, editable=False, help_text="When who reads it last said so."
    )
    refreshed_at = models.DateTimeField("last read", null=True, editable=False)
    failures = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="In a row."
    )
    due_at = models.DateTimeField(
        "next read", null=True, editable=False, help_text="It is not asked before."
    )
    error = models.CharField(max_length=500, blank=True, editable=False)
    problems = models.JSONField(
        default=list, editable=False, help_text="What it lists and cannot be used."
    )

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SourceSeries(models.Model):
    """A series as a source lists it, and which of the library it is."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="listed")
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=250)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    ids = models.JSONField(default=dict, blank=True)
    image_url = models.CharField(max_length=2_000, blank=True, editable=False)
    image_seen = models.CharField(
        max_length=2_000,
        blank=True,
        editable=False,
        help_text="The address that was asked last.",
    )
    series = models.ForeignKey(
        Series,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="listed",
        help_text="Of the library; none while nobody said which.",
    )
    is_locked = models.BooleanField(
        "set by a person",
        default=False,
        help_text="No look at the source changes which series it is.",
    )
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is that series."
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = "listed series"
        verbose_name_plural = "listed series"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "key"], name="one_listed_series_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class SourceEpisode(models.Model):
    """An episode as a source lists it. Its link is to the episode's row, and stays when the source renumbers."""

    listed = models.ForeignKey(
        SourceSeries, on_delete=models.CASCADE, related_name="episodes"
    )
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=250)
    season = models.PositiveIntegerField(null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    absolute_number = models.PositiveIntegerField(null=True, blank=True)
    air_date = models.DateField(null=True, blank=True)
    url = models.CharField(max_length=2_000, blank=True)
    size_bytes = models.BigIntegerField("size", null=True, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    checksum = models.CharField(max_length=80, blank=True)
    episode = models.ForeignKey(
        Episode,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="offers",
    )
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is that episode or none."
    )
    review = models.CharField(
        max_length=300, blank=True, help_text="What a person should look at."
    )
    is_new = models.BooleanField(
        default=False,
        editable=False,
        help_text="Is about to join the queue by itself, where it may.",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["season", "number", "pk"]
        verbose_name = "listed episode"
        constraints = [
            models.UniqueConstraint(
                fields=["listed", "key"], name="one_listed_episode_per_key"
            )
        ]

    def __str__(self) -> str:
        return self.title
