from __future__ import annotations

import os
import subprocess
import sys


def test_messages_and_rooms_of_installed_apps_are_found(tmp_path):
    app = tmp_path / "kitchen"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "messages.py").write_text(
        "from realtime.messages import Message\n\n\nclass CakeDone(Message, type='cake_done', delivery='event'):\n    pass\n"
    )
    (app / "rooms.py").write_text(
        "from realtime.rooms import Room\n\n\nclass OvenRoom(Room):\n    pattern = 'oven'\n"
    )
    (tmp_path / "kitchen_settings.py").write_text(
        "from tests.realtime.project import *\n\nINSTALLED_APPS += ['kitchen']\n"
    )
    script = "import django; django.setup()\nfrom realtime import messages, rooms\nprint(messages.get_message_types()['cake_done'], rooms.get_room('oven'))"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "kitchen_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }

    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout == "<class 'kitchen.messages.CakeDone'> <OvenRoom oven>\n"
