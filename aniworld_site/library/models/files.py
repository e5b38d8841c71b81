"""Files, and the episodes that they hold."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from aniworld_site.library.fields import PathField
from aniworld_site.library.models.series import Episode, RootFolder, Series


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
