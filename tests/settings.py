"""The site's own settings, on servers of the tests' own and in a folder that is deleted afterwards."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from tests.servers import Valkey, start_postgres, wants_postgres

data_dir = tempfile.mkdtemp(prefix="awt-")
atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
for name in [
    name
    for name in os.environ
    if name.startswith("ANIWORLD_") and not name.startswith("ANIWORLD_TEST_")
]:
    del os.environ[name]
os.environ["ANIWORLD_DATA_DIR"] = data_dir
os.environ["ANIWORLD_SECRET_KEY"] = "tests"
valkey = Valkey().start()
os.environ["ANIWORLD_REDIS_URL"] = valkey.url
if wants_postgres():
    os.environ["ANIWORLD_DATABASE_URL"] = start_postgres()

from aniworld_site.settings import *  # noqa: E402, F403
from aniworld_site.settings import DATABASES  # noqa: E402

if not wants_postgres():
    # A file, since SQLite in memory has other locks; what a power cut takes from it is no loss.
    DATABASES["default"]["TEST"] = {"NAME": f"{data_dir}/test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] += "; PRAGMA synchronous=OFF"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
