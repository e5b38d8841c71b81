"""What the groups may do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from aniworld_site.groups import make_groups
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def groups() -> None:
    make_groups()


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        (
            "viewer",
            ["library.view_series", "library.view_scan"],
            ["library.scan_rootfolder", "library.change_series"],
        ),
        (
            "operator",
            ["library.view_series", "library.scan_rootfolder", "library.change_series"],
            [
                "library.add_rootfolder",
                "library.delete_series",
                "auth.add_user",
                "django_celery_beat.change_periodictask",
            ],
        ),
        (
            "admin",
            [
                "library.add_rootfolder",
                "library.delete_series",
                "auth.add_user",
                "django_celery_beat.change_periodictask",
            ],
            [],
        ),
    ],
)
def test_a_group_may_what_its_name_says(group: str, may: list[str], may_not: list[str]):
    user = make_user(perms=())
    user.groups.add(Group.objects.get(name=group))

    assert [perm for perm in may if not user.has_perm(perm)] == []
    assert [perm for perm in may_not if user.has_perm(perm)] == []


def test_a_group_that_a_person_changed_stays_as_it_is():
    Group.objects.get(name="viewer").permissions.clear()

    make_groups()

    assert not Group.objects.get(name="viewer").permissions.exists()
