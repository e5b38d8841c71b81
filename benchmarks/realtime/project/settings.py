"""Settings of the servers on Django; what they share comes by environment."""

from __future__ import annotations

import os

SECRET_KEY = "benchmark"  # noqa: S105  # It guards nothing.
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "realtime",
    "benchmarks.realtime.project",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": os.environ.get(
            "BENCH_LAYER", "channels_redis.pubsub.RedisPubSubChannelLayer"
        ),
        # Without it a quiet RedisChannelLayer of some versions loses connections, which is not what is compared here.
        "CONFIG": {
            "hosts": [{"address": os.environ["BENCH_BROKER"], "socket_timeout": None}],
            "prefix": "bench",
        },
    }
}
# All connections are one user's and come from one address.
REALTIME = {
    "FRAMES_PER_S": 1e9,
    "FRAMES_BURST": 10**9,
    "MAX_CONNECTIONS_PER_USER": 10**6,
}
CHANX = {"SEND_COMPLETION": False}
