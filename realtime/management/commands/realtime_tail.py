"""Prints what is published, as it happens."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from realtime.exceptions import UnknownRoomError
from realtime.rooms import get_room
from realtime.tailing import Tail
from realtime.terminal import make_printer

INTERRUPTED = 130


class Command(BaseCommand):
    """`manage.py realtime_tail [ROOM ...] [--json]`."""

    help = (
        "Print what is published, in all rooms or in those that are named, until Ctrl-C. It listens at the broker and is in no room, so "
        "nobody sees it, and what happened before it began is not shown."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "rooms",
            nargs="*",
            metavar="ROOM",
            help="A room like scan, or all that begin so like 'series:*'; all rooms when none is named.",
        )
        parser.add_argument(
            "--json", action="store_true", help="Print one JSON object a line."
        )

    def handle(self, *_args: str, **options: Any) -> None:
        _check(options["rooms"])
        show = make_printer(self.stdout, is_json=options["json"])
        try:
            tail = Tail(options["rooms"], tell=self._tell)
            tail.open()
            for happening in tail.listen():
                show(happening)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read has seen enough; Python would complain once more while it ends.
            with suppress(OSError):
                sys.stdout.close()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except (RedisError, OSError) as error:
            raise CommandError(f"The broker does not answer: {error}") from error

    def _tell(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def _check(rooms: list[str]) -> None:
    for name in rooms:
        if not name.endswith("*"):
            try:
                get_room(name)
            except UnknownRoomError as error:
                raise CommandError(str(error)) from error
