"""What all pages of the admin have in common, and how a test fills in one of its forms."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aniworld_site.library.models import Series
from tests.factories import make_episode, make_root, make_season, make_series, make_user

pytestmark = pytest.mark.django_db


def log_in(*permissions: str, **fields: Any) -> Client:
    """Return the browser of a member of the staff; of the superuser where no permission is named."""
    user = make_user(
        [f"library.{name}" for name in permissions],
        is_staff=True,
        is_superuser=not permissions,
        **fields,
    )
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def read_form(response: Any) -> dict[str, Any]:
    """Return what a browser would send if nothing on the page were changed."""
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    managements = [formset.management_form for formset in formsets]
    forms = [
        response.context["adminform"].form,
        *managements,
        *(form for formset in formsets for form in formset.forms),
    ]
    values = {
        bound.html_name: bound.value()
        for form in forms
        for bound in form
        if not bound.html_name.endswith("-DELETE")
    }
    return {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False
    }


def count_queries(client: Any, url: str) -> int:
    client.get(url)  # Content types are asked for once in a process.
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def make_full_series(title: str) -> Series:
    series = make_series(title=title, folder_in=make_root())
    season = make_season(series, number=1)
    make_episode(season, number=1, has_file=True)
    make_episode(season, number=2)
    return series


def read_messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_strangers_are_sent_to_the_login_of_the_site() -> None:
    response = Client().get("/admin/library/series/")

    assert response.status_code == 302
    assert response.headers["Location"] == "/login/?next=/admin/library/series/"


def test_login_of_the_admin_works() -> None:
    user = make_user(is_staff=True)
    user.set_password("correct horse battery")
    user.save()

    response = Client().post(
        "/admin/login/?next=/admin/",
        {"username": user.username, "password": "correct horse battery"},
    )

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_login_of_the_admin_is_limited() -> None:
    user = make_user(is_staff=True)
    client = Client()

    answers = [
        client.post(
            "/admin/login/", {"username": user.username, "password": "wrong"}
        ).status_code
        for _attempt in range(6)
    ]

    assert answers[0] == 200
    assert answers[-1] == 429


@pytest.mark.parametrize(
    "page", ["series", "rootfolder", "scan", "episodefile", "seriesfolder"]
)
def test_staff_without_permission_is_refused(page: str) -> None:
    client = log_in("view_season")

    response = client.get(f"/admin/library/{page}/")

    assert response.status_code == 403


@pytest.mark.parametrize(
    "page",
    [
        "series",
        "series/add",
        "rootfolder",
        "rootfolder/add",
        "scan",
        "episodefile",
        "seriesfolder",
    ],
)
def test_pages_hold_nothing_that_the_policy_refuses(page: str) -> None:
    body = log_in().get(f"/admin/library/{page}/").content.decode()

    assert "<style" not in body
    assert " style=" not in body
    assert " onclick=" not in body
    assert "<script>" not in body


def test_pages_say_where_the_socket_is() -> None:
    body = log_in().get("/admin/").content.decode()

    assert '<meta name="realtime-url" content="/ws/">' in body


@pytest.mark.parametrize("page", ["/admin/", "/admin/login/"])
def test_pages_have_the_icon_of_the_site(page: str) -> None:
    """Else browsers ask for one at the root of the host."""
    client = Client() if "login" in page else log_in()

    body = client.get(page).content.decode()

    assert 'type="image/svg+xml" href="/static/aniworld_site/icon' in body


def test_login_page_opens_no_socket() -> None:
    body = Client().get("/admin/login/").content.decode()

    assert "realtime-url" not in body
