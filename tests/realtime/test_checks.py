from __future__ import annotations

import inspect
import os
import subprocess
import sys

import pytest
from redis.connection import AbstractConnection

from realtime.checks import (
    check_channel_layer,
    check_middleware,
    check_origins,
    check_settings,
)

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
HOST = {"address": "unix:///nowhere", "socket_timeout": None}


def list_ids(messages) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("backend", "ids"),
    [
        (PUBSUB, []),
        ("channels_redis.core.RedisChannelLayer", ["realtime.E003"]),
        ("channels.layers.InMemoryChannelLayer", ["realtime.E003"]),
        ("no.such.Layer", ["realtime.E003"]),
        ("os.path.join", ["realtime.E003"]),
        ("", ["realtime.E002"]),
    ],
)
def test_layers_that_lose_messages_are_refused(settings, backend, ids):
    settings.CHANNEL_LAYERS = (
        {"default": {"BACKEND": backend, "CONFIG": {"hosts": [HOST]}}}
        if backend
        else {}
    )

    assert list_ids(check_channel_layer(None)) == ids


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        ({}, []),
        ({"serializer_format": "json"}, ["realtime.E004"]),
        ({"symmetric_encryption_keys": ["x"]}, ["realtime.E005"]),
        ({"hosts": [HOST, HOST]}, ["realtime.E006"]),
        ({"hosts": "redis://127.0.0.1"}, ["realtime.E006"]),
    ],
)
def test_layer_that_history_cannot_be_kept_beside_is_refused(settings, config, ids):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [HOST], **config}}
    }

    assert list_ids(check_channel_layer(None)) == ids


@pytest.mark.parametrize(
    ("host", "ids"),
    [
        (HOST, []),
        ("redis://127.0.0.1?socket_timeout=30", []),
        ("redis://127.0.0.1", ["realtime.W001"]),
        (("127.0.0.1", 6379), ["realtime.W001"]),
        ({"address": "redis://127.0.0.1"}, ["realtime.W001"]),
    ],
)
def test_timeout_that_redis_py_would_choose_is_warned_of(
    settings, monkeypatch, host, ids
):
    def begin(self, socket_timeout: float | None = 5) -> None:
        pass

    # What redis-py 8 does; the one that is installed has no timeout of its own.
    assert (
        inspect.signature(AbstractConnection.__init__)
        .parameters["socket_timeout"]
        .default
        is None
    )
    monkeypatch.setattr(AbstractConnection, "__init__", begin)
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [host]}}
    }

    assert list_ids(check_channel_layer(None)) == ids


def test_wrong_settings_are_reported(settings):
    settings.REALTIME = {"X": 1}
    assert list_ids(check_settings(None)) == ["realtime.E001"]
    assert check_origins(None) == []

    settings.REALTIME = {}
    assert check_settings(None) == []


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"REALTIME": {"ALLOWED_ORIGINS": ["https://a.example:8443"]}}, []),
        ({"REALTIME": {"ALLOWED_ORIGINS": ["https://a.example/"]}}, ["realtime.W002"]),
        ({"REALTIME": {"ALLOWED_ORIGINS": ["a.example"]}}, ["realtime.W002"]),
        ({"CSRF_TRUSTED_ORIGINS": ["https://a.example"]}, ["realtime.W003"]),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.example"]}, []),
        (
            {
                "CSRF_TRUSTED_ORIGINS": ["https://a.example"],
                "REALTIME": {"ALLOWED_ORIGINS": ["https://a.example"]},
            },
            [],
        ),
        (
            {
                "CSRF_TRUSTED_ORIGINS": ["https://a.example"],
                "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
            },
            [],
        ),
        ({"ALLOWED_HOSTS": []}, ["realtime.W004"]),
        ({"ALLOWED_HOSTS": [], "DEBUG": True}, []),
    ],
)
def test_pages_that_could_not_connect_are_warned_of(settings, fields, ids):
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["a.example"]
    settings.REALTIME, settings.CSRF_TRUSTED_ORIGINS = {}, []
    settings.SECURE_PROXY_SSL_HEADER = None
    for name, value in fields.items():
        setattr(settings, name, value)

    assert list_ids(check_origins(None)) == ids


def test_missing_middleware_is_warned_of(settings):
    settings.MIDDLEWARE = []
    assert list_ids(check_middleware(None)) == ["realtime.W005"]

    settings.MIDDLEWARE = ["realtime.middleware.PositionsMiddleware"]
    assert check_middleware(None) == []


def test_project_with_nothing_but_realtime_and_auth_is_sound():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.realtime.project"}
    command = [sys.executable, "-m", "django", "check", "--fail-level", "WARNING"]

    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")
