"""Logging in and out, and what the dashboard puts first."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import VIEW, make_file, make_root, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a lantern in the rain"


def test_log_in_leads_back_to_where_one_wanted_to_go(client):
    make_user(username="maria", password=PASSWORD)

    response = client.post(
        "/login/?next=/scans/",
        {"username": "maria", "password": PASSWORD, "next": "/scans/"},
    )

    assert response["Location"] == "/scans/"


def test_log_in_leads_to_no_other_site(client):
    make_user(username="maria", password=PASSWORD)

    response = client.post(
        "/login/",
        {"username": "maria", "password": PASSWORD, "next": "https://evil.example/"},
    )

    assert response["Location"] == "/"


def test_wrong_password_is_said_without_telling_which_was_wrong(client):
    make_user(username="maria", password=PASSWORD)

    response = client.post("/login/", {"username": "maria", "password": "wrong"})

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()


def test_too_many_wrong_passwords_are_told_to_wait(client):
    make_user(username="maria", password=PASSWORD)
    for _ in range(5):
        client.post("/login/", {"username": "maria", "password": "wrong"})

    response = client.post("/login/", {"username": "maria", "password": PASSWORD})

    assert response.status_code == 429
    assert "Wait a quarter of an hour" in response.content.decode()


def test_log_out_takes_a_post(client):
    client.force_login(make_user())

    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_part_asked_for_after_the_session_ended_reloads_the_page(client):
    make_user()

    response = client.get(
        "/", headers={"HX-Request": "true", "HX-Target": "roots"}, follow=True
    )

    assert response["HX-Refresh"] == "true"


def test_form_without_its_token_is_refused_with_a_way_out():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    response = client.post("/logout/")

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_dashboard_of_an_empty_site_asks_for_the_first_folder(client):
    client.force_login(make_user((*VIEW, "library.change_rootfolder")))

    assert 'name="path"' in client.get("/").content.decode()


def test_dashboard_tells_what_needs_attention_before_anything_else(client):
    client.force_login(make_user())
    make_root(name="Attic", is_online=False, offline_reason="It is not mounted.")
    make_file()

    text = client.get("/").content.decode()

    assert "Attic is offline" in text
    assert text.index("Attic is offline") < text.index('id="roots"')
    assert "could not be matched" in text


def test_dashboard_shows_the_disk_of_a_root_that_is_online(client, tmp_path):
    client.force_login(make_user())
    make_root(path=str(tmp_path))

    assert "free of" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("dark", 'data-theme="dark"'),
        ("light", 'data-theme="light"'),
        ('"><script>', '<html lang="en">'),
        ("", '<html lang="en">'),
    ],
)
def test_colours_are_those_that_were_chosen(client, cookie, expected):
    make_user()
    client.cookies["aniworld_theme"] = cookie

    assert expected in client.get("/login/").content.decode()


def test_page_names_the_socket_below_the_base_path(client, settings):
    client.force_login(make_user())

    assert (
        '<meta name="realtime-url" content="/ws/">' in client.get("/").content.decode()
    )


@pytest.mark.parametrize(("is_staff", "expected"), [(True, True), (False, False)])
def test_only_staff_see_the_way_to_the_administration(client, is_staff, expected):
    client.force_login(make_user(is_staff=is_staff))

    assert ("/admin/" in client.get("/").content.decode()) == expected
