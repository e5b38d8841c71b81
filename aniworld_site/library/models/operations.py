"""What was, is and will be done to files: written before it is done."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from aniworld_site.library.fields import PathField
from aniworld_site.library.models.files import EpisodeFile
from aniworld_site.library.models.series import RootFolder, Series


class FileOperation(models.Model):
    """One file that is brought in, moved or trashed. `journal` is the only writer of `state`."""

    class Kind(models.TextChoices):
        IMPORT = "import", "import"
        MOVE = "move", "move"
        TRASH = "trash", "trash"
        RESTORE = "restore", "restore"

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        DONE = "done", "done"
        UNDONE = "undone", "undone"
        FAILED = "failed", "failed"
        EMPTIED = "emptied", "deleted for good"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PLANNED
    )
    root = models.ForeignKey(
        RootFolder, on_delete=models.CASCADE, related_name="operations"
    )
    series = models.ForeignKey(
        Series, null=True, on_delete=models.SET_NULL, related_name="operations"
    )
    file = models.ForeignKey(
        EpisodeFile, null=True, on_delete=models.SET_NULL, related_name="operations"
    )
    undoes = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    label = models.CharField(
        max_length=300, blank=True, help_text="Series and episode, as they were called."
    )
    episodes = models.JSONField(
        default=list, help_text="Primary keys of what the file holds."
    )
    source = PathField(help_text="Where the file was; absolute.")
    target = PathField(help_text="Where it comes to; absolute.")
    original = PathField(
        blank=True,
        help_text="On another file system: what is deleted once its copy is there.",
    )
    size_bytes = models.BigIntegerField("size")
    inode = models.BigIntegerField(
        help_text="As the file system gives it, as a signed number: which file it is."
    )
    before = models.JSONField(
        default=dict, help_text="What is put back when it is undone."
    )
    # As a `PathField` stores it.
    companions = models.JSONField(
        default=list,
        help_text="What goes along from beside it: the ends of their names, after its own without extension.",
    )
    # Each with its path, as a `PathField` stores it, and the SHA-256 of what was written.
    sidecars = models.JSONField(
        default=list, help_text="What was written beside it, absolute."
    )
    by = models.CharField(max_length=150, default="system")
    reason = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=500, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "made_at"]),
            models.Index(fields=["series", "-made_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {self.pk}"

    @property
    def came_from(self) -> str:
        """Where the file was at first; `source` is its copy's place where it had to be copied."""
        return str(self.original or self.source)
