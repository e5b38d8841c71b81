from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from realtime import keys
from realtime.issuing import make_key, revoke_keys
from realtime.keys import (
    TooManyWrongKeysError,
    WrongKeys,
    authenticate,
    find_key,
    is_still_valid,
    is_within_scopes,
    make_secret,
)
from realtime.models import ApiKey
from realtime.queries import run_query
from realtime.scopes import allows

_numbers = count(1)


@pytest.fixture(autouse=True)
def _nobody_guessed(monkeypatch):
    monkeypatch.setattr(keys, "wrong_keys", WrongKeys())


def make_user(**fields) -> User:
    return User.objects.create_user(f"robot-{next(_numbers)}", **fields)


def make(user: User | None = None, *scopes: str, **fields) -> tuple[ApiKey, str]:
    return make_key(user or make_user(), "Home", scopes or ("lab",), **fields)


def bearer(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {key}".encode())]


# Finding


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Basic cnRrXzEyMw==")],
        [(b"authorization", b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.x")],
        [(b"authorization", b"Bearer")],
        [(b"cookie", b"key=rtk_1")],
    ],
)
def test_what_is_no_key_is_not_taken_for_one(headers):
    assert find_key(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer rtk_short")],
        [(b"authorization", b"bearer rtk_" + b"a" * 44)],
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"\xff\x00\r\n")],
        [(b"x-api-key", b"rtk_" + b"a" * 1_000_000)],
        [(b"x-api-key", b"rtk_" + b"'" * 43)],
        [
            (b"x-api-key", make_secret().encode()),
            (b"x-api-key", make_secret().encode()),
        ],
        [(b"x-api-key", make_secret().encode()), *bearer(make_secret())],
    ],
)
def test_garbage_is_a_wrong_key_and_costs_no_query(headers):
    assert find_key(headers) == ""
    assert authenticate(headers) is None


def test_key_is_found_in_either_header():
    key = make_secret()

    assert find_key(bearer(key)) == key
    assert find_key([(b"Authorization", f"bearer  {key} ".encode())]) == key
    assert find_key([(b"X-Api-Key", key.encode())]) == key


# Authenticating


@pytest.mark.django_db
def test_key_lets_its_user_in_by_one_query_and_a_write_a_minute():
    user = make_user()
    row, key = make(user, "lab", "bench:*")

    with CaptureQueriesContext(
        database,
    ) as first:
        grant = authenticate(bearer(key))
    with CaptureQueriesContext(database) as second:
        authenticate(bearer(key))

    assert grant == (user, ("lab", "bench:*"), row.pk)
    assert len([q for q in first if "UPDATE" in q["sql"]]) == 1
    assert len(second) == 1
    long_ago = timezone.now() - timedelta(minutes=2)
    ApiKey.objects.update(last_used_at=long_ago)
    authenticate(bearer(key))
    assert ApiKey.objects.filter(last_used_at__gt=long_ago).exists()


@pytest.mark.django_db
def test_key_itself_is_kept_nowhere():
    row, key = make()

    kept = " ".join(map(str, ApiKey.objects.values_list().get()))
    assert key not in kept
    assert key.startswith(row.prefix)
    assert len(key) - len(row.prefix) > 32
    assert key not in repr(row) + str(row)


@pytest.mark.django_db
@pytest.mark.parametrize("why", ["unknown", "revoked", "expired", "locked", "deleted"])
def test_key_that_is_not_good_lets_nobody_in(why):
    row, key = make()
    if why == "unknown":
        key = make_secret()
    elif why == "revoked":
        revoke_keys([row])
    elif why == "expired":
        ApiKey.objects.update(expires_at=timezone.now())
    elif why == "locked":
        User.objects.update(is_active=False)
    else:
        row.user.delete()
        assert not ApiKey.objects.exists()

    assert authenticate(bearer(key)) is None


@pytest.mark.django_db
def test_database_that_takes_no_writes_locks_nobody_out(monkeypatch):
    _, key = make()

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("readonly")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", refuse)

    assert authenticate(bearer(key)) is not None


@pytest.mark.django_db
def test_whoever_guesses_has_to_wait_and_asks_the_database_no_more():
    _, good = make()
    authenticate(bearer(good), address="10.0.0.1")

    def guess() -> None:
        authenticate(bearer(make_secret()), address="10.0.0.1")

    def guess_on() -> None:
        while True:
            guess()

    with pytest.raises(TooManyWrongKeysError) as caught:
        guess_on()

    with (
        CaptureQueriesContext(database) as queries,
        pytest.raises(TooManyWrongKeysError),
    ):
        authenticate(bearer(make_secret()), address="10.0.0.1")

    assert len(queries) == 0
    assert 0 < caught.value.after_ms <= 5_001
    # The same proxy may stand before both.
    assert authenticate(bearer(good), address="10.0.0.1") is not None
    assert authenticate(bearer(make_secret()), address="10.0.0.2") is None


@pytest.mark.django_db
def test_many_addresses_are_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(keys, "MAX_KNOWN", 3)
    guard = WrongKeys()

    for number in range(10):
        guard.note_right(str(number))

    assert list(guard._known) == ["7", "8", "9"]


# Scopes


@pytest.mark.parametrize(
    ("scopes", "room", "is_allowed"),
    [
        (["scan"], "scan", True),
        (["scan"], "scanner", False),
        (["series:*"], "series:mushishi", True),
        (["series:*"], "series", False),
        (["*"], "scan", True),
        (["*"], "metrics", True),
        (["metrics"], "metrics", False),
        ([], "scan", False),
    ],
)
def test_scope_is_a_room_or_a_beginning(scopes, room, is_allowed):
    assert allows(scopes, room) is is_allowed
    assert (
        is_within_scopes({"realtime_key": 1, "realtime_scopes": scopes}, room)
        is is_allowed
    )
    assert is_within_scopes({}, room)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "scopes",
    [[], ["no such room"], ["nowhere"], ["**"], ["a*b"], ["x" * 81], [7], ["lab"] * 51],
)
def test_scope_that_cannot_be_is_refused(scopes):
    with pytest.raises(ValidationError):
        make_key(make_user(), "Home", scopes)


# Staying


@pytest.mark.django_db(transaction=True)
async def test_key_is_looked_at_again():
    row, _ = await run_query(make)
    scope = {"realtime_key": row.pk, "realtime_scopes": ("lab",), "user": row.user}

    await ApiKey.objects.aupdate(scopes=["vault"])
    assert await is_still_valid(scope)
    assert scope["realtime_scopes"] == ("vault",)

    await run_query(revoke_keys, [row])
    assert not await is_still_valid(scope)
    assert await is_still_valid({})


@pytest.mark.django_db(transaction=True)
def test_revoking_is_told_once(monkeypatch):
    told: list[object] = []
    monkeypatch.setattr("realtime.issuing.recheck", told.append)
    row, _ = make()

    assert revoke_keys([row]) == 1
    assert revoke_keys([row]) == 0
    assert told == [row.user]
