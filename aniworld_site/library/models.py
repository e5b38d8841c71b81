"""What the library holds: root folders, series, seasons, episodes, files, the links between them, and scans."""

from __future__ import annotations

from django.core.validators import MinValueValidator, RegexValidator
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


class EpisodeFileQuerySet(models.QuerySet["EpisodeFile"]):
    def present(self) -> EpisodeFileQuerySet:
        return self.filter(vanished_at=None)

    def unmatched(self) -> EpisodeFileQuerySet:
        """Keep present files that a person has to look at."""
        return self.filter(vanished_at=None, match=EpisodeFile.Match.UNMATCHED)


class EpisodeFile(models.Model):
    """A video file under a root, as the last scan saw it. A file that vanished stays for a while, so that it keeps its links when it returns."""

    class Match(models.TextChoices):
        LINKED = "linked", "linked"
        UNMATCHED = "unmatched", "unmatched"
        IGNORED = "ignored", "ignored"

    root = models.ForeignKey(RootFolder, on_delete=models.CASCADE, related_name="files")
    folder = PathField(
        blank=True, help_text='Relative to the root, "" for the root itself.'
    )
    name = PathField()
    size_bytes = models.BigIntegerField("size", validators=[MinValueValidator(0)])
    mtime_ns = models.BigIntegerField(
        help_text="Last modification in nanoseconds since 1970."
    )
    inode = models.BigIntegerField(
        default=0,
        help_text="As the file system gives it, as a signed number; 0 when unknown.",
    )
    series = models.ForeignKey(
        Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="files"
    )
    episodes: models.ManyToManyField[Episode, EpisodeFileLink] = models.ManyToManyField(
        Episode, through="EpisodeFileLink", related_name="files"
    )
    match = models.CharField(
        max_length=10, choices=Match.choices, default=Match.UNMATCHED
    )
    is_locked = models.BooleanField(
        "set by a person",
        default=False,
        help_text="No scan changes what it is linked to.",
    )
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is linked or not."
    )
    facts = models.JSONField(default=dict, blank=True, help_text="What its name says.")
    added_at = models.DateTimeField("added", default=timezone.now, db_index=True)
    vanished_at = models.DateTimeField("vanished", null=True, blank=True)

    objects = EpisodeFileQuerySet.as_manager()

    class Meta:
        ordering = ["folder", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["root", "folder", "name"], name="one_row_per_file"
            )
        ]
        indexes = [
            models.Index(fields=["inode"]),
            models.Index(fields=["name", "size_bytes"]),
            models.Index(fields=["match", "series"]),
        ]

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


class EpisodeFileLink(models.Model):
    """A file holds an episode, or a part of one. The link is to the row and is never derived from a number again."""

    file = models.ForeignKey(
        EpisodeFile, on_delete=models.CASCADE, related_name="links"
    )
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="links")
    part = models.PositiveSmallIntegerField(null=True, blank=True)
    is_locked = models.BooleanField(
        "locked", default=False, help_text="No scan changes it."
    )
    how = models.CharField(
        max_length=40, help_text="Which reading of the name made it, or by hand."
    )
    confidence = models.FloatField(help_text="0 to 1.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "episode"], name="one_link_per_file_and_episode"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_id} - {self.episode_id}"


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
