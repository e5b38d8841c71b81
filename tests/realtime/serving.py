"""A web process for tests: `python -m tests.realtime.serving daphne|uvicorn PORT`. Each connection is a user of its own."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.realtime.project")


def serve(server: str, port: int) -> None:
    import django

    django.setup()
    from realtime.hub import drain_all
    from tests.realtime.lab import make_application, make_visitor

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await make_application(make_visitor())(scope, receive, send)

    if server == "daphne":
        from realtime.servers.daphne import Server

        Server(
            application,
            on_shutdown=drain_all,
            endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
            websocket_timeout=-1,
        ).run()
    else:
        from realtime.servers.uvicorn import make_server

        make_server(application, on_shutdown=drain_all, port=port, lifespan="off").run()


if __name__ == "__main__":
    import daphne.server  # noqa: F401  # It chooses Twisted's reactor, and has to be first.

    serve(sys.argv[1], int(sys.argv[2]))
