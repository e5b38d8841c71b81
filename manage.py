#!/usr/bin/env python
"""Entry point of every command."""

from __future__ import annotations

import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aniworld_site.settings")
    try:
        execute_from_command_line(sys.argv)
        # Here, where it can be caught, and not at exit.
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads, like `head`, has enough. What is left goes nowhere, or Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except ImproperlyConfigured as error:
        sys.exit(f"AniWorld cannot start: {error}")
    except (OperationalError, ProgrammingError) as error:
        sys.exit(
            f"The database cannot be used: {error}\n"
            "A new one is set up by `manage.py migrate`, and by each start of the site."
        )


if __name__ == "__main__":
    main()
