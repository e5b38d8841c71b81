"""`manage.py serve`, as a person and the system treat it: started twice, killed in parts, stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.running import RunningSite, until

pytestmark = pytest.mark.fault

BACK_S, END_S = 5.0, 20.0


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSite]:
    site = RunningSite()
    try:
        yield site.start()
    finally:
        site.remove()


@pytest.mark.parametrize("child", ["web", "worker", "valkey"])
def test_a_killed_child_is_back_within_five_seconds(site: RunningSite, child: str):
    until(site.is_well, what="a site that is well")

    killed = site.kill(child)

    began = time.monotonic()
    until(
        lambda: site.pids().get(child) not in (None, killed),
        timeout_s=BACK_S,
        what=f"another {child}",
    )
    until(site.is_well, timeout_s=30, what="a site that is well again")
    assert time.monotonic() - began < 30


def test_a_first_start_warns_of_nothing():
    site = RunningSite()
    try:
        site.start()
        told = site.log.read_text()
    finally:
        site.remove()

    assert "AniWorld is at" in told
    # Asked for its health before all of it is there, it says so.
    complaints = [
        line
        for line in told.splitlines()
        if (" WARNING " in line or " ERROR " in line) and "/health" not in line
    ]
    assert complaints == []


def test_a_second_start_on_the_same_data_folder_is_refused(site: RunningSite):
    done = site.manage("serve", "--port", "1")

    assert done.returncode == 1
    assert (
        f"running on {site.data} already (process {site.pids()['supervisor']})"
        in done.stderr
    )


def test_a_taken_port_is_a_sentence(site: RunningSite):
    other = RunningSite()
    try:
        done = other.manage("serve", "--port", str(site.port))
    finally:
        other.remove()

    assert done.returncode == 1
    assert f"Port {site.port} on 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_but_health_wants_a_login(site: RunningSite):
    assert site.get("/ping") == (200, '{"status": "OK"}')
    assert [
        site.get(path)[0]
        for path in ("/", "/series/", "/scans/", "/unmatched/", "/roots/", "/admin/")
    ] == [302] * 6


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_processes(server: str, number: signal.Signals):
    site = RunningSite("--server", server)
    try:
        process = site.start().process
        assert process is not None
        assert {"supervisor", "web", "worker", "valkey"} <= site.pids().keys()

        began = time.monotonic()
        process.send_signal(number)
        code = process.wait(END_S + 5)

        assert time.monotonic() - began < END_S
        assert code == 0
        assert site.pids() == {}
        site.process = None
    finally:
        site.remove()


def test_a_killed_supervisor_leaves_nobody_and_can_be_started_again():
    site = RunningSite()
    try:
        process = site.start().process
        assert process is not None
        process.kill()
        process.wait()
        until(lambda: not site.pids(), timeout_s=END_S, what="the end of its children")

        site.start()

        assert site.is_well()
    finally:
        site.remove()


def test_a_damaged_broker_file_is_set_aside():
    site = RunningSite()
    try:
        site.start().stop()
        for file in (site.data / "valkey" / "appendonlydir").glob("*.incr.aof"):
            content = file.read_bytes() or b"x" * 100
            file.write_bytes(
                content[: len(content) // 2]
                + b"garbage" * 20
                + content[len(content) // 2 :]
            )

        site.start()

        assert list((site.data / "valkey").glob("appendonlydir.damaged-*"))
        assert "starts empty" in site.log.read_text()
    finally:
        site.remove()


def test_a_command_before_the_first_start_says_what_to_do(tmp_path_factory):
    place = tmp_path_factory.mktemp("new")
    site = RunningSite(
        environment={
            "ANIWORLD_DATA_DIR": str(place / "data"),
            "ANIWORLD_SECRET_KEY": "tests",
        }
    )
    try:
        done = site.manage("add_root", str(place))
    finally:
        site.remove()

    assert done.returncode == 1
    assert "A new one is set up by `manage.py migrate`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_too_deep_for_a_socket_works(tmp_path_factory):
    deep = tmp_path_factory.mktemp("deep") / ("d" * 60) / ("e" * 60)
    site = RunningSite(environment={"ANIWORLD_DATA_DIR": str(deep)})
    site.data.rmdir()
    site.data = deep
    deep.mkdir(parents=True)
    site.log = deep / "serve.log"
    try:
        site.start()

        assert site.health() == {"database": "OK", "broker": "OK", "worker": "OK"}
    finally:
        site.remove()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"ANIWORLD_PORT": "many"},
            "ANIWORLD_PORT must be a whole number from 1 to 65535, not 'many'.",
        ),
        (
            {"ANIWORLD_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"},
            "The database cannot be used: connection failed",
        ),
        (
            {"ANIWORLD_DATABASE_URL": "mysql://x/y"},
            "ANIWORLD_DATABASE_URL must look like postgresql://",
        ),
        (
            {"ANIWORLD_ADMIN_PASSWORD": ""},
            "ANIWORLD_ADMIN_USER and ANIWORLD_ADMIN_PASSWORD make the administrator together",
        ),
        (
            {"ANIWORLD_ADMIN_PASSWORD": "short"},
            "ANIWORLD_ADMIN_PASSWORD: This password is too short.",
        ),
        (
            {"ANIWORLD_ADMIN_PASSWORD_FILE": "/nowhere", "ANIWORLD_ADMIN_PASSWORD": ""},
            "ANIWORLD_ADMIN_PASSWORD_FILE names '/nowhere', which cannot be read",
        ),
    ],
)
def test_a_wrong_value_is_named_at_the_start(
    environment: dict[str, str], sentence: str
):
    site = RunningSite(environment=environment)
    try:
        done = site.manage("serve", "--port", str(site.port))
    finally:
        site.remove()

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "99999999"), "A port is a number from 1 to 65535, not 99999999."),
        (("--port", "0"), "A port is a number from 1 to 65535, not 0."),
        (("--host", "203.0.113.9"), "cannot be listened on"),
        (
            ("--host", "no.such.host.invalid"),
            "There is no address no.such.host.invalid",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_a_sentence(
    arguments: tuple[str, ...], sentence: str
):
    site = RunningSite()
    try:
        done = site.manage("serve", *arguments)
    finally:
        site.remove()

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
