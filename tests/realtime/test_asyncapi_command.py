from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from realtime.management.commands.asyncapi import find_modules

DOCUMENTS = ["asyncapi.json", "messages.schema.json", "protocol-reference.md"]
FILES = sorted([*DOCUMENTS, "messages.d.ts", "wire.js"])
KITCHEN = """from realtime.messages import Message


class CakeDone(Message, type="cake_done", delivery="event"):
    \"\"\"A cake is done.\"\"\"

    cake_id: int
    layers: int
"""
CONTRACT = {
    "types": {"cake_done": {"data": {"cake_id": {"required": True, "types": ["integer"]}}}}
}  # fmt: skip


def write(folder: Path, **options: Any) -> str:
    out = StringIO()
    call_command("asyncapi", output=folder, stdout=out, **options)
    return out.getvalue()


def test_files_are_written_and_then_found_fresh(tmp_path):
    said = write(tmp_path / "new")

    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == FILES
    assert [f"Wrote {tmp_path / 'new' / name}" in said for name in FILES] == [True] * 5
    assert write(tmp_path / "new", check=True) == ""


def test_modules_may_go_elsewhere(tmp_path):
    write(tmp_path, modules=tmp_path / "static")

    assert sorted(path.name for path in (tmp_path / "static").iterdir()) == [
        "messages.d.ts",
        "wire.js",
    ]
    assert write(tmp_path, modules=tmp_path / "static", check=True) == ""


def test_check_writes_nothing_and_names_each_missing_file(tmp_path):
    with pytest.raises(CommandError) as caught:
        write(tmp_path, check=True)

    sentences = str(caught.value).splitlines()
    assert list(tmp_path.iterdir()) == []
    assert sorted(sentence.split()[0] for sentence in sentences) == [
        str(tmp_path / name) for name in FILES
    ]
    assert sentences[0] == (
        f"{tmp_path}/asyncapi.json is missing; renew it with: manage.py asyncapi --output {tmp_path}"
    )


@pytest.mark.parametrize("name", FILES)
def test_check_names_the_file_that_is_stale(tmp_path, name):
    write(tmp_path)
    with (tmp_path / name).open("a") as file:
        file.write("\n")

    with pytest.raises(CommandError, match=rf"^\S+/{name} is stale; renew it with"):
        write(tmp_path, check=True)


def test_contract_beside_the_files_is_used_by_default(tmp_path):
    write(tmp_path)
    (tmp_path / "part1.json").write_text('{"error_codes": ["bad_mood"]}')

    with pytest.raises(CommandError, match=r"^Error code bad_mood is gone\.$"):
        write(tmp_path, check=True)


def test_break_is_told_when_writing_too(tmp_path):
    contract = tmp_path / "contract.json"
    contract.write_text('{"rooms": {"attic": []}}')

    with pytest.raises(CommandError, match=r"^Room attic is gone\.$"):
        write(tmp_path, contract=contract)

    assert (tmp_path / "asyncapi.json").exists()


@pytest.mark.parametrize("content", [None, "{", b"\xff"])
def test_contract_that_cannot_be_read_is_refused(tmp_path, content):
    contract = tmp_path / "contract.json"
    if content is not None:
        contract.write_bytes(content if isinstance(content, bytes) else content.encode())  # fmt: skip

    with pytest.raises(CommandError, match=rf"Expected a contract in {contract}: "):
        write(tmp_path, contract=contract)


def test_browser_client_of_a_package_is_not_written_to(tmp_path):
    project = Path(__file__).resolve().parents[2]

    assert find_modules(tmp_path) is None
    assert find_modules(project) == project / "realtime/static/realtime"


def test_files_of_this_project_are_fresh_and_keep_part_1():
    """In a process of its own, since the tests' own messages are registered in this one."""
    project = Path(__file__).resolve().parents[2]

    run = subprocess.run(
        [sys.executable, "manage.py", "asyncapi", "--check"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stderr, run.returncode) == ("", 0)


Manage = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A project with one app beside `realtime`."""
    app = tmp_path / "kitchen"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "messages.py").write_text(KITCHEN)
    (app / "rooms.py").write_text(
        "from kitchen.messages import CakeDone\nfrom realtime.rooms import Room\n\n\nclass OvenRoom(Room):\n    pattern = 'oven:{number}'\n    messages = frozenset({CakeDone})\n"
    )
    (tmp_path / "kitchen_settings.py").write_text(
        "from tests.realtime.project import *\n\nINSTALLED_APPS += ['kitchen']\n"
    )
    return tmp_path


@pytest.fixture
def manage(kitchen: Path) -> Manage:
    def run(*arguments: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kitchen_settings",
            "PYTHONHASHSEED": seed,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(kitchen), *sys.path]),
        }
        return subprocess.run(
            [sys.executable, "-m", "django", "asyncapi", *arguments],
            cwd=kitchen,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_project_with_nothing_but_realtime_gets_its_own_documents(kitchen, manage):
    run = manage()

    docs = kitchen / "docs"
    document = json.loads((docs / "asyncapi.json").read_text())
    assert (run.stderr, run.returncode) == ("", 0)
    assert sorted(path.name for path in docs.iterdir()) == FILES
    assert document["channels"]["room_oven_number"]["address"] == "oven:{number}"
    assert "cake_done" in document["components"]["messages"]
    assert "scan_progress" not in document["components"]["messages"]
    assert "export interface CakeDoneData {" in (docs / "messages.d.ts").read_text()


def test_documents_do_not_depend_on_the_order_of_sets(manage):
    assert manage(seed="1").returncode == 0

    assert manage("--check", seed="2").stderr == ""


def test_changed_message_is_found_as_drift_and_as_a_break(kitchen, manage):
    manage()
    (kitchen / "docs/part1.json").write_text(json.dumps(CONTRACT))
    (kitchen / "kitchen/messages.py").write_text(KITCHEN.replace("cake_id", "pie_id"))

    after = manage("--check")

    sentences = after.stderr.splitlines()
    stale = [Path(sentence.split()[0]).name for sentence in sentences[1:]]
    assert after.returncode == 1
    assert sentences[0] == "CommandError: Field cake_done.cake_id is gone."
    assert sorted(stale) == [name for name in FILES if name != "wire.js"]


def test_added_field_is_drift_and_no_break(kitchen, manage):
    manage()
    (kitchen / "docs/part1.json").write_text(json.dumps(CONTRACT))
    with (kitchen / "kitchen/messages.py").open("a") as file:
        file.write("    weight_kg: float | None = None\n")

    drift = manage("--check")
    renewed = manage()

    assert "is stale" in drift.stderr
    assert "Field" not in drift.stderr
    assert (renewed.stderr, renewed.returncode) == ("", 0)
