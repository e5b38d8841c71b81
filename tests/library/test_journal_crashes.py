"""A process that dies at any moment of an operation: the next one finds what is left to do, and does it once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from aniworld_site.library import files, journal
from aniworld_site.library.journal import (
    abandon,
    carry_out,
    plan_move,
    plan_restore,
    plan_trash,
)
from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
)
from tests.library.shelves import (
    BY,
    CONTENT,
    PLACE,
    Shelf,
    make_shelf,
    put_on_another_disk,
)

pytestmark = pytest.mark.django_db

WRITES = ("INSERT", "UPDATE", "DELETE")
MOST_EDGES = 200
MOVED = "Other/Season 01/1.mkv"


class KilledError(BaseException):
    """The process ends here."""


class Killer:
    """Lets the process die at the n-th edge: before or after a call of the system, or a write of the database."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.has_killed = False

    def pass_edge(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.has_killed = True
            raise KilledError

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.pass_edge()
            result = call(*arguments, **options)
            self.pass_edge()
            return result

        return wrapped

    def execute(self, execute: Any, sql: str, *arguments: Any) -> Any:
        if not sql.startswith(WRITES):
            return execute(sql, *arguments)
        self.pass_edge()
        result = execute(sql, *arguments)
        self.pass_edge()
        return result

    @contextmanager
    def watching(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("mkdir", "unlink", "rmdir", "link", "fsync"):
                patch.setattr(os, name, self.wrap(getattr(os, name)))
            renamed = self.wrap(files._rename_exclusively)
            patch.setattr(files, "_rename_exclusively", renamed)
            with connection.execute_wrapper(self.execute):
                yield


def plan_an_import(shelf: Shelf) -> tuple[FileOperation, str]:
    return shelf.plan_import(), PLACE


def plan_a_move(shelf: Shelf) -> tuple[FileOperation, str]:
    shelf.bring()
    return plan_move(shelf.file, MOVED, by=BY), MOVED


def plan_a_trash(shelf: Shelf) -> tuple[FileOperation, str]:
    shelf.bring()
    operation = plan_trash(shelf.file, by=BY)
    return operation, f".aniworld/trash/{operation.pk}/Dark - S01E01.mkv"


def plan_a_restore(shelf: Shelf) -> tuple[FileOperation, str]:
    shelf.bring()
    return plan_restore(shelf.trash(), by=BY), PLACE


@pytest.fixture(params=["one disk", "two disks", "no exclusive renames"])
def disks(request, monkeypatch) -> str:
    if request.param == "no exclusive renames":
        monkeypatch.setattr(files, "_libc", None)
    elif request.param == "two disks":
        put_on_another_disk(monkeypatch)
    return str(request.param)


def die_and_go_on(operation: FileOperation, number: int) -> bool:
    """Carry out an operation by a process that dies at an edge, then by another; tell whether the first one died."""
    killer = Killer(number)
    with killer.watching(), suppress(KilledError):
        carry_out(FileOperation.objects.get(pk=operation.pk))
    carry_out(FileOperation.objects.get(pk=operation.pk))
    return killer.has_killed


@pytest.mark.fault
@pytest.mark.parametrize(
    "plan", [plan_an_import, plan_a_move, plan_a_trash, plan_a_restore]
)
def test_an_operation_that_dies_anywhere_is_finished_by_the_next(
    tmp_path: Path, disks: str, plan: Callable[[Shelf], tuple[FileOperation, str]]
):
    for number in range(1, MOST_EDGES):
        shelf = make_shelf(tmp_path / str(number))
        operation, place = plan(shelf)

        has_died = die_and_go_on(operation, number)

        at = f"edge {number}"
        operation.refresh_from_db()
        assert operation.state == FileOperation.State.DONE, at
        assert shelf.list_files() == {place: CONTENT}, at
        assert EpisodeFile.objects.filter(root=shelf.root).count() == 1, at
        assert EpisodeFileLink.objects.filter(episode=shelf.episode).count() == 1, at
        shelf.episode.refresh_from_db()
        is_there = operation.kind != FileOperation.Kind.TRASH
        assert shelf.episode.has_file == is_there, at
        assert shelf.episode.is_wanted == is_there, at
        if is_there:
            assert str(shelf.file) == place, at
        if not has_died:
            assert number > 5
            return
    raise AssertionError(f"It has more than {MOST_EDGES} edges.")


@pytest.mark.fault
@pytest.mark.parametrize("disks", ["one disk", "no exclusive renames"], indirect=True)
@pytest.mark.parametrize("plan", [plan_a_move, plan_a_trash, plan_a_restore])
def test_companions_of_what_dies_anywhere_are_taken_by_the_next(
    tmp_path: Path, disks: str, plan: Callable[[Shelf], tuple[FileOperation, str]]
):
    for number in range(1, MOST_EDGES):
        shelf = make_shelf(tmp_path / str(number))
        shelf.write(PLACE.replace(".mkv", ".nfo"), b"nfo")
        shelf.write(PLACE.replace(".mkv", ".de.srt"), b"srt")
        operation, place = plan(shelf)

        has_died = die_and_go_on(operation, number)

        operation.refresh_from_db()
        assert (operation.state, operation.companions) == (
            FileOperation.State.DONE,
            [".de.srt", ".nfo"],
        ), number
        assert shelf.list_files() == {
            place: CONTENT,
            place.replace(".mkv", ".nfo"): b"nfo",
            place.replace(".mkv", ".de.srt"): b"srt",
        }, number
        if not has_died:
            return
    raise AssertionError(f"It has more than {MOST_EDGES} edges.")


@pytest.mark.fault
def test_a_move_that_dies_before_its_companions_goes_on_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shelf = make_shelf(tmp_path)
    shelf.write(PLACE.replace(".mkv", ".nfo"), b"nfo")
    operation, place = plan_a_move(shelf)
    with monkeypatch.context() as patch, suppress(KilledError):
        patch.setattr(journal, "take_companions", Killer(1).wrap(list))
        carry_out(operation)
    between = shelf.list_files()

    carry_out(FileOperation.objects.get(pk=operation.pk))

    assert between == {place: CONTENT, PLACE.replace(".mkv", ".nfo"): b"nfo"}
    assert shelf.list_files() == {
        place: CONTENT,
        place.replace(".mkv", ".nfo"): b"nfo",
    }


@pytest.mark.fault
def test_an_import_that_dies_beside_another_file_finds_its_own_name(
    tmp_path: Path, disks: str
):
    for number in range(1, MOST_EDGES):
        shelf = make_shelf(tmp_path / str(number))
        shelf.write(PLACE, b"another")

        has_died = die_and_go_on(shelf.plan_import(), number)

        second = "Dark/Season 01/Dark - S01E01 (2).mkv"
        assert shelf.list_files() == {PLACE: b"another", second: CONTENT}, number
        assert str(shelf.file) == second, number
        if not has_died:
            return
    raise AssertionError(f"It has more than {MOST_EDGES} edges.")


@pytest.mark.fault
def test_an_import_that_dies_anywhere_can_be_abandoned(tmp_path: Path, disks: str):
    ends = set()
    for number in range(1, MOST_EDGES):
        shelf = make_shelf(tmp_path / str(number))
        killer, operation = Killer(number), shelf.plan_import()
        with killer.watching(), suppress(KilledError):
            carry_out(FileOperation.objects.get(pk=operation.pk))

        abandoned = abandon(operation, "Nobody wants it.")

        is_there = abandoned.state == FileOperation.State.DONE
        place = PLACE if is_there else ".aniworld/partial/1.part"
        assert shelf.list_files() == {place: CONTENT}, number
        assert EpisodeFile.objects.filter(root=shelf.root).exists() == is_there, number
        ends.add(abandoned.state)
        if not killer.has_killed:
            assert ends == {FileOperation.State.DONE, FileOperation.State.FAILED}
            return
    raise AssertionError(f"It has more than {MOST_EDGES} edges.")
