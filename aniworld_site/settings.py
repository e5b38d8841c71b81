"""Settings of the site: everything that differs between two homes comes from `ANIWORLD_*` variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from aniworld_site.env import (
    env_bool,
    env_broker,
    env_choice,
    env_int,
    env_list,
    env_origins,
    env_path,
    env_secret,
    env_str,
    env_time_zone,
    env_url_path,
)
from aniworld_site.logs import drop_refusals_traceback
from aniworld_site.valkey import socket_path

# Places

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env_path("ANIWORLD_DATA_DIR", BASE_DIR / "data")

# Safety

DEBUG = env_bool("ANIWORLD_DEBUG", default=False)
SECRET_KEY = env_secret("ANIWORLD_SECRET_KEY", DATA_DIR / "secret_key")
ALLOWED_HOSTS = env_list("ANIWORLD_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_origins("ANIWORLD_TRUSTED_ORIGINS")
HTTPS = env_bool("ANIWORLD_HTTPS", default=False)
BASE_PATH = env_url_path("ANIWORLD_BASE_PATH")
FORCE_SCRIPT_NAME = f"/{BASE_PATH}" if BASE_PATH else None

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "aniworld_session", "aniworld_csrf"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Applications

INSTALLED_APPS = [
    "aniworld_site.apps.SiteConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "realtime",
    "aniworld_site.library",
    "aniworld_site.downloads",
]
MIDDLEWARE = [
    "realtime.middleware.PositionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "aniworld_site.urls"
ASGI_APPLICATION = "aniworld_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database


def sqlite_database(path: Path) -> dict[str, Any]:
    """Return settings under which four writers never meet "database is locked" (IMMEDIATE), and no commit is lost (FULL)."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"ANIWORLD_DATA_DIR names {str(path.parent)!r}, which cannot be made: {error}."
        ) from error
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
        },
    }


def postgres_database(url: str) -> dict[str, Any]:
    """Return the settings that `postgresql://user:password@host:port/name` asks for; `?host=/run/postgresql` names a socket's folder."""
    try:
        parts = urlsplit(url)
        port = parts.port or ""
        host = parse_qs(parts.query, strict_parsing=bool(parts.query)).get(
            "host", [parts.hostname or ""]
        )[0]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"ANIWORLD_DATABASE_URL cannot be read: {error}."
        ) from error
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "ANIWORLD_DATABASE_URL must look like postgresql://user:password@host:5432/name."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": port,
        # Each request has a thread of its own, which would take a connection that is kept open with it: 400 requests left 79.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "connect_timeout": 5,
            # A process that froze in a transaction would keep its rows from everybody, the queue's for one.
            "options": "-c idle_in_transaction_session_timeout=30s",
        },
    }


DATABASE_URL = env_str("ANIWORLD_DATABASE_URL")
DATABASES = {
    "default": postgres_database(DATABASE_URL)
    if DATABASE_URL
    else sqlite_database(DATA_DIR / "aniworld.sqlite3")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker: one Valkey or Redis carries the channel layer and the worker's wake-ups. Without a URL it is the embedded one.

REDIS_URL = env_broker("ANIWORLD_REDIS_URL")
BROKER_URL = REDIS_URL or f"unix://{socket_path(DATA_DIR)}"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # The time-outs are explicit because redis-py's own defaults close quiet connections (django/channels_redis#422).
        "CONFIG": {
            "hosts": [
                {
                    "address": BROKER_URL,
                    "socket_timeout": None,
                    "socket_connect_timeout": 5,
                }
            ],
            "prefix": "aniworld",
        },
    }
}

# A page behind a proxy may come from another origin than the one the server sees.
REALTIME = {"ALLOWED_ORIGINS": CSRF_TRUSTED_ORIGINS}

# Worker

CELERY_BROKER_URL = BROKER_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "aniworld:",
    # Who asks for a scan while the broker is away is not kept waiting: the request is in the database.
    "socket_connect_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What is done when is in the database, where a person changes it; a schedule that stood here would be written over that at each start.
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

# Files

TRASH_DAYS = env_int("ANIWORLD_TRASH_DAYS", 30, low=0, high=3650)

# Accounts

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "dashboard", "login"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Language, time, static files

LANGUAGE_CODE = "en"
TIME_ZONE = env_time_zone("TZ", "UTC")
USE_TZ = True
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
WHITENOISE_USE_FINDERS = True

# Logs

LOG_LEVEL = env_choice(
    "ANIWORLD_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "filters": {
        "refusals": {
            "()": "django.utils.log.CallbackFilter",
            "callback": drop_refusals_traceback,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"filters": ["refusals"]},
        # These tell of every task and listener, which is of use only to whoever looks for a fault.
        **{
            name: {"level": "DEBUG" if LOG_LEVEL == "DEBUG" else "WARNING"}
            for name in (
                "axes",
                "celery",
                "daphne",
                "django_celery_beat",
                "httpx",
                "kombu",
            )
        },
    },
}

# Server

PORT = env_int("ANIWORLD_PORT", 8420, low=1, high=65535)
HOST = env_str("ANIWORLD_HOST", "127.0.0.1")
