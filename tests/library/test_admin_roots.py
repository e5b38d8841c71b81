from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from aniworld_site.library.messages import RootUpdated, ScanStarted
from aniworld_site.library.models import Episode, RootFolder, Scan
from realtime.testing import published
from tests.factories import make_episode, make_file, make_root, make_scan
from tests.library.test_admin import count_queries, log_in, read_form, read_messages

pytestmark = pytest.mark.django_db

LIST = "/admin/library/rootfolder/"
MAY_SCAN = ("view_rootfolder", "scan_rootfolder")


def page_of(root: RootFolder) -> str:
    return f"{LIST}{root.pk}/change/"


# The list


def test_list_takes_as_many_queries_for_thirty_rows_as_for_three() -> None:
    client = log_in()
    counts = []
    for number in (3, 27):
        for _each in range(number):
            make_scan(state=Scan.State.RUNNING)
        counts.append(count_queries(client, LIST))

    assert counts[0] == counts[1]


def test_list_shows_the_scan_that_runs_with_a_live_bar() -> None:
    scan = make_scan(state=Scan.State.RUNNING, percent=37.4)

    body = log_in().get(LIST).content.decode()

    assert f'data-live-on="scan_progress" data-live-match="scan_id={scan.pk}"' in body
    assert '<progress max="100" value="37"' in body


def test_list_says_why_a_root_is_offline() -> None:
    root = make_root(is_online=False, offline_reason="The folder is not mounted.")

    body = log_in().get(LIST).content.decode()

    assert f'<span id="root-{root.pk}-state"' in body
    assert "offline: The folder is not mounted." in body


# Scan now


def test_scan_now_asks_for_a_scan_and_says_so(
    django_capture_on_commit_callbacks: Any,
) -> None:
    root = make_root(name="Anime")
    client = log_in(*MAY_SCAN, username="kim")

    with published() as sent, django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"{LIST}{root.pk}/scan/", follow=True)

    scan = Scan.objects.get()
    assert (scan.root, scan.series, scan.requested_by) == (root, None, "kim")
    assert read_messages(response) == [
        f'<a href="/admin/library/scan/{scan.pk}/change/">A scan</a> of Anime has started.'
    ]
    assert LogEntry.objects.get().change_message == "Asked for a scan."
    assert ("scan", scan.pk) in {
        (room, message.scan_id)
        for room, message in sent
        if isinstance(message, ScanStarted)
    }


def test_scan_now_joins_the_scan_that_runs() -> None:
    scan = make_scan(state=Scan.State.QUEUED)

    response = log_in().post(f"{LIST}{scan.root_id}/scan/", follow=True)

    assert "is being scanned already" in read_messages(response)[0]
    assert Scan.objects.count() == 1


def test_scan_now_for_several_roots() -> None:
    roots = [make_root(), make_root()]

    log_in().post(
        LIST, {"action": "scan_now", "_selected_action": [root.pk for root in roots]}
    )

    assert {scan.root for scan in Scan.objects.all()} == set(roots)


def test_scan_now_returns_to_the_root_that_it_came_from() -> None:
    root = make_root()

    response = log_in().post(f"{LIST}{root.pk}/scan/", {"from_root": "1"})

    assert response.headers["Location"] == page_of(root)


def test_scan_now_needs_its_permission() -> None:
    root = make_root()
    client = log_in("view_rootfolder", "change_rootfolder")

    response = client.post(f"{LIST}{root.pk}/scan/")

    assert response.status_code == 403
    assert "Scan now" not in client.get(LIST).content.decode()
    assert "Scan now" not in client.get(page_of(root)).content.decode()


def test_scan_now_is_not_done_by_a_link() -> None:
    response = log_in().get(f"{LIST}{make_root().pk}/scan/")

    assert response.status_code == 405
    assert not Scan.objects.exists()


def test_scan_now_of_a_root_that_is_gone() -> None:
    response = log_in().post(f"{LIST}999/scan/", follow=True)

    assert read_messages(response) == ["This root folder is gone."]


def test_files_held_back_are_dropped_only_by_their_own_button() -> None:
    root = make_root(held_vanished=40)
    client = log_in()

    body = client.get(page_of(root)).content.decode()
    client.post(f"{LIST}{root.pk}/scan/", {"accepts_vanished": "1"})

    assert "drop the 40 files that are gone" in body
    assert Scan.objects.get().accepts_vanished


# Adding, changing, moving


def test_root_is_added_under_the_name_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "Anime").mkdir()

    response = log_in().post(f"{LIST}add/", {"path": f"{tmp_path}/Anime/", "name": ""})

    root = RootFolder.objects.get()
    assert response.status_code == 302
    assert (root.name, root.path) == ("Anime", str((tmp_path / "Anime").resolve()))


@pytest.mark.parametrize("path", ["relative/path", "/no/such/folder", "/"])
def test_path_that_is_no_folder_is_refused_and_kept_in_the_form(path: str) -> None:
    response = log_in().post(f"{LIST}add/", {"path": path, "name": "Mine"}, follow=True)

    assert not RootFolder.objects.exists()
    assert len(read_messages(response)) == 1
    assert response.context["adminform"].form["path"].value() == path


def test_root_inside_another_is_refused(tmp_path: Path) -> None:
    make_root(path=str(tmp_path.resolve()))
    (tmp_path / "inner").mkdir()

    log_in().post(f"{LIST}add/", {"path": str(tmp_path / "inner"), "name": ""})

    assert RootFolder.objects.count() == 1


def test_rename_reaches_open_pages(django_capture_on_commit_callbacks: Any) -> None:
    root = make_root(name="Old")
    client = log_in("view_rootfolder", "change_rootfolder")
    form = read_form(client.get(page_of(root)))

    with published() as sent, django_capture_on_commit_callbacks(execute=True):
        client.post(page_of(root), {**form, "name": "New"})

    assert ("library", "New") in {
        (room, message.root)
        for room, message in sent
        if isinstance(message, RootUpdated)
    }


def test_path_is_only_the_superusers_to_change(tmp_path: Path) -> None:
    root = make_root(path="/media/old")
    client = log_in("view_rootfolder", "change_rootfolder")
    form = read_form(client.get(page_of(root)))

    client.post(page_of(root), {**form, "path": str(tmp_path)})

    assert "path" not in form
    assert RootFolder.objects.get().path == "/media/old"


def test_superuser_moves_a_root_and_its_files_stay_known(tmp_path: Path) -> None:
    root = make_root(path="/media/old")
    make_file(root=root)
    client = log_in()

    client.post(
        page_of(root), {**read_form(client.get(page_of(root))), "path": str(tmp_path)}
    )

    root.refresh_from_db()
    assert root.path == str(tmp_path.resolve())
    assert root.files.count() == 1


@pytest.mark.parametrize("inside", [True, False])
def test_root_is_not_moved_into_or_around_another(tmp_path: Path, inside: bool) -> None:  # noqa: FBT001  # A parameter of the test.
    (tmp_path / "a" / "b").mkdir(parents=True)
    make_root(
        path=str(
            (tmp_path / "a").resolve() if inside else (tmp_path / "a" / "b").resolve()
        )
    )
    root = make_root(path="/media/old")
    client = log_in()

    response = client.post(
        page_of(root),
        {
            **read_form(client.get(page_of(root))),
            "path": str(tmp_path / "a" / "b" if inside else tmp_path / "a"),
        },
    )

    assert "roots may not lie in one another" in response.content.decode()
    assert RootFolder.objects.get(pk=root.pk).path == "/media/old"


def test_path_that_is_no_text_is_shown_and_kept() -> None:
    root = make_root(path="/media/Caf\udce9")
    client = log_in()

    response = client.get(page_of(root))
    client.post(page_of(root), {**read_form(response), "name": "Renamed"})

    root.refresh_from_db()
    assert (root.name, root.path) == ("Renamed", "/media/Caf\udce9")
    assert client.get(LIST).status_code == 200


# Removing


def test_removing_a_root_asks_and_makes_its_episodes_missing(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").touch()
    file = make_file(root=make_root(path=str(tmp_path)), link=make_episode())
    client = log_in()
    url = f"{LIST}{file.root_id}/delete/"

    assert "is touched" in client.get(url).content.decode()
    client.post(url, {"post": "yes"})

    assert not RootFolder.objects.exists()
    assert not Episode.objects.get().has_file
    assert (tmp_path / "film.mkv").exists()


@pytest.mark.parametrize("by_action", [True, False])
def test_root_that_is_scanned_is_not_removed(by_action: bool) -> None:  # noqa: FBT001  # A parameter of the test.
    scan = make_scan(state=Scan.State.QUEUED)
    action = {
        "action": "delete_selected",
        "_selected_action": [scan.root_id],
        "post": "yes",
    }

    url, data = (
        (LIST, action)
        if by_action
        else (f"{LIST}{scan.root_id}/delete/", {"post": "yes"})
    )
    response = log_in().post(url, data, follow=True)

    assert any(
        "is being scanned: cancel the scan first." in message
        for message in read_messages(response)
    )
    assert RootFolder.objects.exists()
