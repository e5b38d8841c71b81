"""The settings as they are loaded: by a process of its own, since they are read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from aniworld_site.settings import postgres_database
from tests.running import PROJECT


def _manage(
    data_dir: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANIWORLD_", "DJANGO_"))
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=kept | {"ANIWORLD_DATA_DIR": str(data_dir)} | environment,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANIWORLD_BASE_PATH", "a b"),
        ("ANIWORLD_DEBUG", "maybe"),
        ("ANIWORLD_DATABASE_URL", "postgresql://host:port/name"),
        ("ANIWORLD_LOG_LEVEL", "LOUD"),
        ("ANIWORLD_REDIS_URL", "redis://"),
        ("ANIWORLD_SECRET_KEY_FILE", "/nowhere"),
        ("ANIWORLD_TRUSTED_ORIGINS", "nas.local"),
        ("TZ", "Mars/Phobos"),
    ],
)
def test_a_wrong_value_ends_any_command_with_one_sentence(
    tmp_path: Path, name: str, value: str
):
    done = _manage(tmp_path, "check", **{name: value})

    assert done.returncode == 1
    assert done.stderr.startswith(f"AniWorld cannot start: {name}")
    assert done.stderr.count("\n") == 1


def test_a_deployment_behind_tls_has_no_warning_of_djangos(tmp_path: Path):
    done = _manage(
        tmp_path,
        "check",
        "--deploy",
        ANIWORLD_HTTPS="yes",
        ANIWORLD_SECRET_KEY="k" * 60,
    )

    assert done.returncode == 0
    # HSTS and the way from http to https are the proxy's.
    warnings = [line for line in done.stderr.splitlines() if line.startswith("?:")]
    assert [line.split()[1] for line in warnings] == [
        "(security.W004)",
        "(security.W008)",
        "(security.W009)",
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@host:5433/name", ("u", "p@ss", "host", 5433, "name")),
        ("postgres://host/name", ("", "", "host", "", "name")),
        ("postgresql://u:@/name?host=/run/pg", ("u", "", "/run/pg", "", "name")),
    ],
)
def test_a_databases_url_is_read(url: str, expected: tuple[object, ...]):
    found = postgres_database(url)

    assert (
        tuple(found[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))
        == expected
    )


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_a_process_that_froze_in_a_transaction_is_let_go():
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")

        assert cursor.fetchone() == ("30s",)


@pytest.mark.parametrize(
    "url", ["mysql://h/n", "postgresql://h", "postgresql://h:x/n", "nonsense"]
)
def test_a_databases_url_that_is_none_is_refused(url: str):
    with pytest.raises(ImproperlyConfigured, match="ANIWORLD_DATABASE_URL"):
        postgres_database(url)
