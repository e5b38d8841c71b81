"""Where episodes come from: sources, and what they list."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from aniworld_site.library.models import Episode, Series


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self) -> SourceQuerySet:
        """Keep those that are to be read now."""
        is_due = Q(due_at=None) | Q(due_at__lte=timezone.now())
        return self.filter(is_due, is_enabled=True)


class Source(models.Model):
    """A place on the network that a person configured and may use."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(
        max_length=40, blank=True, help_text="Found out when it is first read."
    )
    url = models.CharField("address", max_length=2_000)
    username = models.CharField("user name", max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False)
    may_be_private = models.BooleanField(
        "may be on my own network",
        default=False,
        help_text="Else an address on this machine or its network is refused.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    every_minutes = models.PositiveIntegerField(
        "read every … minutes",
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(7 * 24 * 60)],
    )
    title = models.CharField(max_length=250, blank=True, editable=False)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    refreshing_since = models.DateTimeField(null=True, editable=False)
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
