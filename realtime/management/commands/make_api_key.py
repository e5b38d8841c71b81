"""Makes a key by which another program comes in."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from realtime.issuing import make_key

MAX_DAYS = 36_500


class Command(BaseCommand):
    """`manage.py make_api_key USER --name NAME --scope SCOPE [--scope SCOPE ...] [--days N]`."""

    help = (
        "Make a key for another program and print it, alone on a line; it is kept nowhere. The program sends it as "
        "`Authorization: Bearer KEY`, and may do what its user may, within the scopes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="Whose right the program has.")
        parser.add_argument("--name", required=True, help="Which program it is for.")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            dest="scopes",
            help="A room like scan, all that begin so like 'series:*', '*' for every room, metrics for the numbers; may be repeated.",
        )
        parser.add_argument(
            "--days", type=int, metavar="N", help="Until it expires; else it does not."
        )

    def handle(self, *_args: str, **options: Any) -> None:
        model = get_user_model()
        days = options["days"]
        if days is not None and not 0 < days <= MAX_DAYS:
            raise CommandError(f"Expected 1 to {MAX_DAYS} days, got {days}.")
        try:
            user = model._default_manager.get_by_natural_key(options["user"])
        except model.DoesNotExist as error:
            raise CommandError(f"There is no user {options['user']!r}.") from error
        if not user.is_active:
            raise CommandError(f"{options['user']!r} is locked, and so would the key.")
        try:
            _, secret = make_key(
                user,
                options["name"],
                options["scopes"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(secret)
        self.stderr.write("This key is shown only now.")
