"""The entry point of every command."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.running import PROJECT


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "help"],
            cwd=PROJECT,
            env=os.environ | {"ANIWORLD_DATA_DIR": str(tmp_path)},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")
