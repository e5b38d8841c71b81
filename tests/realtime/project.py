"""Settings of a project that has nothing but `realtime`, and its application for real servers."""

from __future__ import annotations

import os

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "realtime",
]
MIDDLEWARE = [
    "realtime.middleware.PositionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "realtime.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": os.environ.get("LAB_BROKER", "unix:///nowhere"),
                    "socket_timeout": None,
                }
            ],
            "prefix": "lab",
        },
    }
}
REALTIME = (
    {
        "HEARTBEAT_S": float(os.environ["LAB_HEARTBEAT_S"]),
        "PONG_TIMEOUT_S": float(os.environ["LAB_HEARTBEAT_S"]) / 2,
    }
    if "LAB_HEARTBEAT_S" in os.environ
    else {}
)
