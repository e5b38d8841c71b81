"""What runs on Django: our rooms, the stock consumer or chanx's, on Daphne or uvicorn.

python -m benchmarks.realtime.servers.django_project ours --server uvicorn --port 8000 --control 8001
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import django

from benchmarks.realtime.servers.common import (
    make_parser,
    run_daphne,
    run_uvicorn,
)


def get_daphne(name: str) -> Any:
    """Return Daphne's server, or for our rooms the one that offers them its sockets; installs Twisted's reactor."""
    module = "realtime.servers.daphne" if name == "ours" else "daphne.server"
    return import_module(module).Server


def main() -> None:
    parser = make_parser()
    parser.add_argument("application", choices=["ours", "stock", "chanx"])
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.realtime.project.settings"
    server = get_daphne(options.application) if options.server == "daphne" else None
    django.setup()
    project = import_module(
        f"benchmarks.realtime.project.serving_{options.application}"
    )
    publish = project.make_publish(options.rooms)
    if server is not None:
        run_daphne(project.application, options, publish, server=server)
    else:
        run_uvicorn(
            project.application,
            options,
            publish,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
        )


if __name__ == "__main__":
    main()
