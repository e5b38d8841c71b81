"""Forms of the pages that belong to no app."""

from __future__ import annotations

from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User


class SetupForm(BaseUserCreationForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Asks for the name and password of the first administrator."""

    class Meta:
        model = User
        fields = ["username"]
