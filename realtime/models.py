"""Keys by which other programs come in, and what may be seen of the realtime layer in the admin."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from realtime.exceptions import UnknownRoomError
from realtime.rooms import get_room
from realtime.scopes import METRICS, find_mistake

MAX_SCOPES = 50


def validate_scopes(scopes: object) -> None:
    """Refuse what is not a list of room names, beginnings of such like `series:*`, and `metrics`.

    Raises:
        ValidationError: with a sentence for the first that is wrong.
    """
    if not isinstance(scopes, list) or not 0 < len(scopes) <= MAX_SCOPES:
        raise ValidationError(f"Expected 1 to {MAX_SCOPES} scopes.")
    for scope in scopes:
        if mistake := find_mistake(scope):
            raise ValidationError(mistake)
        if scope != METRICS and not scope.endswith("*"):
            try:
                get_room(scope)
            except UnknownRoomError as error:
                raise ValidationError(str(error)) from error


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys by what they are worth."""

    def usable(self) -> ApiKeyQuerySet:
        """Only those that let somebody in now."""
        now = timezone.now()
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now),
            revoked_at=None,
            user__is_active=True,
        )


class ApiKey(models.Model):
    """A program's way in, by the right of a user and never more than that."""

    # Said here, so that no project's DEFAULT_AUTO_FIELD asks for a migration of its own.
    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="realtime_keys",
        help_text="The key may never do more than this user.",
    )
    name = models.CharField(max_length=100, help_text="Which program has it.")
    prefix = models.CharField(max_length=16, editable=False)
    """How the key begins, to tell keys apart."""
    digest = models.CharField(max_length=64, unique=True, editable=False)
    """SHA-256 of the key, in hexadecimal. The key is as long as that and random, so no salt or slow hash is needed."""
    scopes = models.JSONField(default=list, validators=[validate_scopes])
    """Room names, beginnings of such that end in `*`, and `metrics`."""
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    """To the minute."""
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Without one it is good until it is revoked."
    )
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["name", "pk"]
        permissions = [("view_metrics", "Can read metrics")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Activity(ApiKey):
    """Gives the admin's page of connections and rooms its place and its permission; it has no rows of its own.

    It stands for a table only because an unmanaged model without one would break `dumpdata`.
    """

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "activity"
        verbose_name_plural = "activity"
