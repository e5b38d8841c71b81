"""The schedule's page: who may see it, what it shows, and what can be run from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from celery.signals import after_task_publish
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from aniworld_site.runs import Running
from aniworld_site.timetable import TIMETABLE, Entry
from aniworld_site.worker import Heartbeat, connect_broker, is_worker_alive
from tests.downloads.factories import make_source
from tests.factories import VIEW, make_user
from tests.running import until
from tests.servers import Valkey

pytestmark = pytest.mark.django_db
HOSTILE = '<img src=x onerror="alert(1)">'
URL = "/schedule/"
MAY_LOOK = (*VIEW, "downloads.view_source")
MAY_ALL = (*MAY_LOOK, "library.scan_rootfolder", "downloads.change_source")
each_entry = pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)


@pytest.fixture
def keeper(client: Client) -> Client:
    client.force_login(make_user(MAY_ALL))
    return client


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """Names of the tasks that were given to the broker."""
    sent: list[str] = []

    def note(sender: str, **_kwargs: object) -> None:
        sent.append(sender)

    after_task_publish.connect(note)
    yield sent
    after_task_publish.disconnect(note)


def run_url(entry: Entry) -> str:
    return reverse("schedule_run", args=[entry.name])


def run(client: Client, entry: Entry) -> str:
    """Have a task run, and return what the page says to it."""
    response = client.post(run_url(entry), {"next": URL})
    assert (response.status_code, response["Location"]) == (302, URL)
    return " ".join(map(str, get_messages(response.wsgi_request)))


def get(client: Client, part: str = "") -> str:
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    return client.get(URL, headers=headers).content.decode()


def test_page_asks_strangers_to_log_in(client: Client):
    make_user()

    assert client.get(URL)["Location"] == f"/login/?next={URL}"
    assert client.post(run_url(TIMETABLE[0]))["Location"].startswith("/login/")


def test_page_is_refused_without_permission(client: Client):
    client.force_login(make_user(perms=()))

    assert client.get(URL).status_code == 403


def test_page_is_only_looked_at(keeper: Client):
    assert keeper.post(URL).status_code == 405
    assert keeper.get(run_url(TIMETABLE[0])).status_code == 405


def test_page_tells_of_each_task_and_each_source(keeper: Client):
    soon = timezone.now() + timedelta(minutes=30, seconds=5)
    make_source(name="Mine", every_minutes=120, due_at=soon, refreshed_at=soon)
    make_source(name="Bad", error="It is not there.", due_at=None)
    make_source(name="Away", is_enabled=False)
    began = timezone.now() - timedelta(minutes=1)
    make_source(name="Busy", refreshing_since=began, reader_beat_at=timezone.now())
    make_source(name="Killed", refreshing_since=began, reader_beat_at=began)

    page = get(keeper)

    for entry in TIMETABLE:
        assert entry.label in page
        assert entry.does in page
        assert run_url(entry) in page
    for words in ("every 2 hours", "30\xa0minutes from now", "It is not there."):
        assert words in page
    assert page.count("being read now") == 1
    assert page.count("switched off") == 1


def test_page_says_that_no_worker_is_there(keeper: Client):
    until(lambda: not is_worker_alive(), what="the end of earlier workers' keys")
    heartbeat = Heartbeat()

    before = get(keeper)
    heartbeat.start()
    until(is_worker_alive, what="a worker's sign of life")
    after = get(keeper)
    heartbeat.stop()

    assert "No worker answers" in before
    assert "No worker answers" not in after


@pytest.mark.parametrize("part", ["schedule-tasks", "schedule-sources"])
def test_part_of_the_page_comes_alone(keeper: Client, part: str):
    text = get(keeper, part)

    assert text.lstrip().startswith(f'<section id="{part}"')
    assert "<html" not in text


@pytest.mark.parametrize("part", ["", "schedule-sources"])
def test_sources_are_for_those_who_may_look_at_them(client: Client, part: str):
    client.force_login(make_user())
    make_source(name="Hidden source")

    assert "Hidden source" not in get(client, part)


def test_who_may_only_look_is_offered_nothing_to_press(client: Client):
    client.force_login(make_user(MAY_LOOK))
    make_source()

    page = get(client)

    assert "Run now" not in page
    assert "Read now" not in page


@pytest.mark.parametrize(
    ("is_staff", "perms", "is_there"),
    [
        (True, ["django_celery_beat.change_periodictask"], True),
        (True, [], False),
        (False, ["django_celery_beat.change_periodictask"], False),
    ],
)
def test_way_to_the_administration_is_for_those_who_may_go_it(
    client: Client, *, is_staff: bool, perms: list[str], is_there: bool
):
    client.force_login(make_user((*MAY_LOOK, *perms), is_staff=is_staff))
    row = PeriodicTask.objects.get(name="scan-roots")
    link = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])

    assert (link in get(client)) == is_there


def test_text_of_a_source_is_text(keeper: Client):
    make_source(name=HOSTILE, error=HOSTILE)

    page = get(keeper)

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_queries_do_not_grow_with_the_rows(keeper: Client):
    make_source()
    get(keeper)
    with CaptureQueriesContext(connection) as few:
        get(keeper)
    for number in range(10):
        make_source()
        rare = IntervalSchedule.objects.create(every=number + 2, period="hours")
        task = TIMETABLE[number % len(TIMETABLE)].task.name
        PeriodicTask.objects.create(name=str(number), task=task, interval=rare)

    with CaptureQueriesContext(connection) as many:
        get(keeper)

    assert len(many) == len(few)


@each_entry
def test_run_now_gives_the_task_to_a_worker(
    keeper: Client, sent: list[str], entry: Entry
):
    heartbeat = Heartbeat()
    heartbeat.start()
    until(is_worker_alive, what="a worker's sign of life")

    said = run(keeper, entry)

    heartbeat.stop()
    assert sent == [entry.task.name]
    assert said == f"{entry.label}: a worker does it now."


def test_run_now_says_when_it_waits_for_a_worker(keeper: Client, sent: list[str]):
    until(lambda: not is_worker_alive(), what="the end of earlier workers' keys")

    said = run(keeper, TIMETABLE[0])

    assert len(sent) == 1
    assert "as soon as a worker is there" in said


@each_entry
def test_run_now_is_refused_to_those_without_its_permission(
    client: Client, sent: list[str], entry: Entry
):
    client.force_login(make_user(set(MAY_ALL) - {entry.permission}))

    response = client.post(run_url(entry))

    assert (response.status_code, sent) == (403, [])
    assert "Your account may not" in response.content.decode()


def test_run_now_of_what_is_not_in_the_timetable_is_not_found(
    keeper: Client, sent: list[str]
):
    response = keeper.post(reverse("schedule_run", args=["celery-backend_cleanup"]))

    assert (response.status_code, sent) == (404, [])


def test_run_now_of_what_is_running_does_nothing(keeper: Client, sent: list[str]):
    with closing(connect_broker()) as broker:
        running = Running("scan-roots", broker)
        running.begin()
        said = run(keeper, TIMETABLE[1])
        running.end("")

    assert (said, sent) == ("Scan root folders: it is running already.", [])


@pytest.mark.fault
def test_run_now_without_a_broker_is_a_sentence(keeper: Client, valkey: Valkey):
    valkey.kill()
    try:
        said = run(keeper, TIMETABLE[1])
        status = keeper.get(URL).status_code
    finally:
        valkey.start()

    assert "since the broker is away" in said
    assert status == 200


def test_run_now_of_a_live_page_brings_its_rows_and_what_is_said(keeper: Client):
    headers = {"HX-Request": "true", "HX-Target": "schedule-tasks"}
    form = {"next": URL}

    response = keeper.post(
        run_url(TIMETABLE[1]), form, follow=True, headers=headers
    ).content.decode()

    assert response.lstrip().startswith('<section id="schedule-tasks"')
    assert "Scan root folders: " in response[response.index('id="messages"') :]


def test_read_now_leads_back_to_the_page(
    keeper: Client, sent: list[str], django_capture_on_commit_callbacks
):
    source = make_source()
    url = reverse("downloads:source_refresh", args=[source.pk])

    with django_capture_on_commit_callbacks(execute=True):
        response = keeper.post(url, {"next": URL})

    assert response["Location"] == URL
    assert [name.rpartition(".")[2] for name in sent] == ["refresh_one"]
