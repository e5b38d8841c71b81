"""Root folders, series, seasons and episodes."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from aniworld_site.library.fields import PathField

KEY_VALIDATOR = RegexValidator(
    r"\A[a-z0-9]+(?:[-_][a-z0-9]+)*\Z",
    "A key is lower-case letters, digits and single hyphens, like attack-on-titan.",
)


class RootFolder(models.Model):
    """A folder of the person's own whose sub-folders are series."""

    name = models.CharField(max_length=80, unique=True)
    path = PathField(
        unique=True, help_text="Absolute path of the folder on this machine."
    )
    is_anime = models.BooleanField(
        "anime",
        null=True,
        blank=True,
        help_text="How plain numbers such as 103 are read: as absolute numbers (yes), as season 1 episode 03 (no), or decided by name.",
    )
    is_online = models.BooleanField("online", default=True, editable=False)
    offline_reason = models.CharField(max_length=300, blank=True, editable=False)
    file_count = models.PositiveIntegerField("files", default=0, editable=False)
    held_vanished = models.PositiveIntegerField(
        "held back",
        default=0,
        editable=False,
        help_text="Not found by the last scan, and not dropped.",
    )
    scanned_at = models.DateTimeField("last scan", null=True, editable=False)
    added_at = models.DateTimeField("added", default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [("scan_rootfolder", "Can scan root folders")]

    def __str__(self) -> str:
        return self.name


class SeriesQuerySet(models.QuerySet["Series"]):
    def with_counts(self) -> SeriesQuerySet:
        """Add `episode_count`, `have_count` and `missing_count` (regular, wanted and absent), in this one query."""
        counted = {"episode_count": Q(), "have_count": HAVE, "missing_count": MISSING}
        return self.annotate(
            **{name: _count_episodes(what) for name, what in counted.items()}
        )

    def missing(self) -> SeriesQuerySet:
        """Keep series that lack at least one wanted episode."""
        return self.filter(
            Exists(Episode.objects.filter(MISSING, season__series=OuterRef("pk")))
        )

    def in_root(self, root: RootFolder) -> SeriesQuerySet:
        return self.filter(
            Exists(SeriesFolder.objects.filter(series=OuterRef("pk"), root=root))
        )


class Series(models.Model):
    """A show. `key` identifies it everywhere and never changes; `folder` is for display only."""

    key = models.CharField(
        max_length=64, unique=True, validators=[KEY_VALIDATOR], editable=False
    )
    title = models.CharField(max_length=250)
    sort_title = models.CharField(max_length=250, editable=False, db_index=True)
    match_key = models.CharField(max_length=250, editable=False, db_index=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    folder = models.CharField(max_length=300, blank=True, editable=False)
    is_monitored = models.BooleanField("monitored", default=True)
    provider = models.CharField(max_length=40, blank=True, editable=False)
    ids = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text='Identifiers at providers, like {"tvmaze": "919"}.',
    )
    poster = models.CharField(
        max_length=120, blank=True, editable=False, help_text="Its file's name."
    )
    added_at = models.DateTimeField("added", default=timezone.now, editable=False)
    changed_at = models.DateTimeField(
        "changed", default=timezone.now, editable=False, db_index=True
    )

    # Set by with_counts().
    episode_count: int
    have_count: int
    missing_count: int

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["sort_title", "pk"]
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    def get_absolute_url(self) -> str:
        return str(reverse("library:series_detail", args=[self.key]))


class SeriesFolder(models.Model):
    """What a folder directly under a root is: a series, to be ignored, or (neither) still to be decided by a person."""

    root = models.ForeignKey(
        RootFolder, on_delete=models.CASCADE, related_name="series_folders"
    )
    name = PathField(help_text="Relative to the root.")
    series = models.ForeignKey(
        Series, null=True, blank=True, on_delete=models.CASCADE, related_name="folders"
    )
    is_ignored = models.BooleanField("ignored", default=False)
    is_locked = models.BooleanField("set by a person", default=False)
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is that series or none."
    )
    nfo_mtime_ns = models.BigIntegerField(
        null=True, blank=True, help_text="Of the tvshow.nfo that was read."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "name"], name="one_row_per_folder")
        ]

    def __str__(self) -> str:
        return str(self.name)


class Season(models.Model):
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="seasons")
    number = models.PositiveIntegerField(help_text="0 holds the specials.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "number"], name="one_season_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"Season {self.number}" if self.number else "Specials"


class EpisodeQuerySet(models.QuerySet["Episode"]):
    def missing(self) -> EpisodeQuerySet:
        """Keep wanted, regular episodes without a file."""
        return self.filter(MISSING)


class Episode(models.Model):
    """One episode. `has_file` is kept by the scanner, so that lists count without joining files."""

    season = models.ForeignKey(
        Season, on_delete=models.CASCADE, related_name="episodes"
    )
    number = models.PositiveIntegerField()
    label = models.CharField(
        max_length=20,
        blank=True,
        help_text='Where the number is not enough: "12.5", or the date of a daily show.',
    )
    absolute_number = models.PositiveIntegerField(null=True, blank=True)
    title = models.CharField(max_length=250, blank=True)
    air_date = models.DateField(null=True, blank=True)
    is_wanted = models.BooleanField(
        "wanted", default=True, help_text="Off: deleted on purpose."
    )
    has_file = models.BooleanField("there", default=False, editable=False)

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        ordering = ["number", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["season", "number", "label"], name="one_episode_per_number"
            )
        ]
        indexes = [models.Index(fields=["season", "has_file"])]

    def __str__(self) -> str:
        number = self.label or f"{self.number:02}"
        return f"S{self.season.number:02}E{number}"


HAVE = Q(has_file=True)
MISSING = Q(has_file=False, is_wanted=True, season__number__gt=0)


def _count_episodes(condition: Q) -> Coalesce:
    # A correlated subquery each, since joining episodes once per count would multiply the rows.
    counted = (
        Episode.objects.filter(condition, season__series=OuterRef("pk"))
        .order_by()
        .annotate(group=Value(1))
        .values("group")
        .annotate(total=Count("pk"))
        .values("total")
    )
    return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)
