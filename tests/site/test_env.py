"""Readers of the environment: what they take, and that each refusal names its variable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from aniworld_site import env

NAME = "ANIWORLD_TRIED"


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda: env.env_str(NAME, "x"), "", "x"),
        (lambda: env.env_bool(NAME, default=True), "", True),
        (lambda: env.env_bool(NAME, default=False), "Yes", True),
        (lambda: env.env_bool(NAME, default=True), "off", False),
        (lambda: env.env_int(NAME, 5, low=1, high=9), "", 5),
        (lambda: env.env_int(NAME, 5, low=1, high=9), "9", 9),
        (lambda: env.env_list(NAME, ["d"]), "", ["d"]),
        (lambda: env.env_list(NAME, []), " a ,, b ", ["a", "b"]),
        (lambda: env.env_choice(NAME, "a", choices=("a", "b")), "b", "b"),
        (lambda: env.env_path(NAME, Path("/d")), "", Path("/d")),
        (
            lambda: env.env_path(NAME, Path("/d")),
            "not/there",
            Path.cwd() / "not" / "there",
        ),
        (
            lambda: env.env_origins(NAME),
            "https://a.example, http://b:81",
            ["https://a.example", "http://b:81"],
        ),
        (lambda: env.env_time_zone(NAME, "UTC"), "Europe/Berlin", "Europe/Berlin"),
        (lambda: env.env_url_path(NAME), "/ani/world/", "ani/world"),
        (lambda: env.env_broker(NAME), "", ""),
        (lambda: env.env_broker(NAME), "unix:///run/v.sock", "unix:///run/v.sock"),
        (
            lambda: env.env_broker(NAME),
            "redis://:secret@host/1",
            "redis://:secret@host/1",
        ),
    ],
)
def test_value_is_read(
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[], Any],
    value: str,
    expected: object,
):
    monkeypatch.setenv(NAME, value)

    assert read() == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.env_bool(NAME, default=True), "maybe"),
        (lambda: env.env_int(NAME, 5, low=1, high=9), "five"),
        (lambda: env.env_int(NAME, 5, low=1, high=9), "10"),
        (lambda: env.env_choice(NAME, "a", choices=("a", "b")), "c"),
        (lambda: env.env_path(NAME, Path("/d")), __file__),
        (lambda: env.env_origins(NAME), "nas.local"),
        (lambda: env.env_origins(NAME), "https://nas.local/"),
        (lambda: env.env_origins(NAME), "https://me@nas.local"),
        (lambda: env.env_origins(NAME), "https://nas.local:port"),
        (lambda: env.env_origins(NAME), "https://ok.example,ftp://nas.local"),
        (lambda: env.env_time_zone(NAME, "UTC"), "Mars/Phobos"),
        (lambda: env.env_time_zone(NAME, "UTC"), "../etc/passwd"),
        (lambda: env.env_url_path(NAME), 'a b"c'),
        (lambda: env.env_url_path(NAME), "a//b"),
        (lambda: env.env_broker(NAME), "host:6379"),
        (lambda: env.env_broker(NAME), "redis://"),
        (lambda: env.env_broker(NAME), "redis://host:99999"),
        (lambda: env.env_broker(NAME), "unix://"),
        (lambda: env.env_broker(NAME), "http://host"),
    ],
)
def test_refusal_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str
):
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        read()


def test_a_brokers_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NAME, "redis://:sesame@host:99999")

    with pytest.raises(ImproperlyConfigured) as caught:
        env.env_broker(NAME)

    assert "sesame" not in str(caught.value)


def test_a_value_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = tmp_path / "value"
    path.write_text("sesame\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(path))

    assert env.env_str(NAME) == "sesame"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_that_holds_no_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
):
    path = tmp_path / "value"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(f"{NAME}_FILE", str(path))

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE"):
        env.env_str(NAME)


def test_value_and_file_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv(NAME, "a")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path))

    with pytest.raises(ImproperlyConfigured, match="keep one of them"):
        env.env_str(NAME)


def test_a_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path):
    path = tmp_path / "data" / "key"

    first, second = env.env_secret(NAME, path), env.env_secret(NAME, path)

    assert first == second
    assert len(first) > 50
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_given_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(NAME, "given")

    assert env.env_secret(NAME, tmp_path / "key") == "given"
    assert not (tmp_path / "key").exists()


def test_an_empty_secret_is_refused(tmp_path: Path):
    (tmp_path / "key").touch()

    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.env_secret(NAME, tmp_path / "key")


def test_a_secret_that_cannot_be_kept_is_refused():
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.env_secret(NAME, Path("/proc/nowhere/key"))
