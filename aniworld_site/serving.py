"""Running one of the site's processes in the foreground: web by Daphne or uvicorn, worker, beat."""

from __future__ import annotations

import errno
import socket

from aniworld_site.exceptions import DomainError

LARGEST_PORT = 65535
LARGEST_FRAME_BYTES = 64 * 1024
HTTP_TIMEOUT_S = 120
CLOSE_S = 8
"""For what serves a connection to end behind it, before it is cancelled."""
REQUESTS_S = 4
"""For requests under way when uvicorn ends; the sockets had their 6 s before, and the supervisor waits for 12 in all."""
WORKER_THREADS = 4
SCHEDULE_STOP_S = 3
NEVER = -1


def check_address(host: str, port: int) -> None:
    """Find out early whether the address can be listened on.

    Raises:
        DomainError: It cannot; the sentence says what to do.
    """
    if not 0 < port <= LARGEST_PORT:
        raise DomainError(f"A port is a number from 1 to {LARGEST_PORT}, not {port}.")
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise DomainError(
            f"There is no address {host}: give one of this machine's with --host."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise DomainError(
                f"Port {port} on {host} is taken by another program: stop it, or choose another port with --port."
            ) from error
        raise DomainError(
            f"Port {port} on {host} cannot be listened on: {error.strerror}."
        ) from error


def run_daphne(host: str, port: int, *, path: str) -> None:
    # Importing Daphne installs Twisted's reactor, which no other process needs; the hub needs the settings.
    from daphne.endpoints import build_endpoint_description_strings

    from aniworld_site.asgi import application
    from realtime.hub import drain_all
    from realtime.servers.daphne import Server

    Server(
        application,
        on_shutdown=drain_all,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        http_timeout=HTTP_TIMEOUT_S,
        websocket_timeout=NEVER,
        websocket_max_message_size=LARGEST_FRAME_BYTES,
        websocket_max_frame_size=LARGEST_FRAME_BYTES,
        application_close_timeout=CLOSE_S,
        root_path=path,
        server_name="aniworld",
    ).run()


def run_uvicorn(host: str, port: int, *, path: str) -> None:
    from aniworld_site.asgi import application  # Only a web process needs these.
    from realtime.hub import drain_all
    from realtime.servers.uvicorn import make_server

    make_server(
        application,
        on_shutdown=drain_all,
        host=host,
        port=port,
        ws_max_size=LARGEST_FRAME_BYTES,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        root_path=path,
        timeout_graceful_shutdown=REQUESTS_S,
    ).run()


def run_worker(*, with_beat: bool, log_level: str) -> None:
    """Run a Celery worker of threads, which takes a fraction of the memory of one of processes, and with `with_beat` the schedule in one more."""
    from celery.signals import worker_shutting_down

    from aniworld_site.celery import app  # The web process needs none of these.
    from aniworld_site.downloads.dispatching import Dispatcher
    from aniworld_site.schedule import Schedule

    dispatcher = Dispatcher()
    # At once when the end is asked for: scans and requests may take longer.
    worker_shutting_down.connect(dispatcher.begin_to_stop, weak=False)
    dispatcher.start()
    schedule = Schedule(app) if with_beat else None
    if schedule is not None:
        schedule.start()
    try:
        app.worker_main(
            [
                "--quiet",
                "worker",
                "--pool=threads",
                f"--concurrency={WORKER_THREADS}",
                "--without-gossip",
                "--without-mingle",
                f"--loglevel={log_level}",
            ]
        )
    finally:
        dispatcher.stop()
        if schedule is not None:
            schedule.stop(timeout_s=SCHEDULE_STOP_S)


def run_beat(*, log_level: str) -> None:
    from aniworld_site.celery import app  # The web process does not need it.

    app.Beat(loglevel=log_level).run()
