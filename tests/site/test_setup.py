"""The first run: one administrator, made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from aniworld_site.accounts import create_administrator
from aniworld_site.exceptions import DomainError
from tests.factories import make_user

GOOD = {
    "username": "maria",
    "password1": "a lantern in the rain",
    "password2": "a lantern in the rain",
}


@pytest.mark.django_db
def test_fresh_site_leads_to_the_first_run(client):
    response = client.get(reverse("dashboard"), follow=True)

    assert response.redirect_chain[-1][0] == reverse("setup")
    assert "no account yet" in response.content.decode()


@pytest.mark.django_db
def test_first_account_is_administrator_and_logged_in(client):
    response = client.post(reverse("setup"), GOOD, follow=True)

    user = User.objects.get()
    assert (user.is_superuser, user.is_staff) == (True, True)
    assert response.redirect_chain == [(reverse("dashboard"), 302)]
    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"username": ""},
        {"username": "no spaces"},
        {"password2": "another one altogether"},
        {"password1": "short", "password2": "short"},
        {"password1": "password1234", "password2": "password1234"},
    ],
)
def test_first_run_refuses(client, change):
    response = client.post(reverse("setup"), GOOD | change)

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_first_run_is_over_once_there_is_a_user(client, method):
    make_user()

    response = getattr(client, method)(reverse("setup"), GOOD)

    assert response["Location"] == reverse("login")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_create_administrator_refuses_a_second():
    create_administrator("maria", "a lantern in the rain")

    with pytest.raises(DomainError, match="already has an administrator"):
        create_administrator("eve", "a lantern in the rain")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_becomes_administrator():
    barrier = Barrier(4)

    def ask(number):
        client = Client()
        barrier.wait(10)
        try:
            return client.post(reverse("setup"), GOOD | {"username": f"user{number}"})[
                "Location"
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(ask, range(4)))

    assert User.objects.count() == 1
    assert sorted(places) == [reverse("dashboard"), *[reverse("login")] * 3]
