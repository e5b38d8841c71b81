"""What a scan makes of a tree, and of what happens to the tree between and during scans."""

from __future__ import annotations

import os
import time
import unicodedata
from pathlib import Path

import pytest

from aniworld_site.library import scanner, walking
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Scan,
    Series,
    SeriesFolder,
)
from aniworld_site.library.reconciling import Reconciler
from aniworld_site.library.signals import scan_progressed
from aniworld_site.library.transitions import (
    ScanRequest,
    cancel_scan,
    claim_scan,
    open_scan,
)
from tests.library.trees import add, at, counts, numbers, scan, write, write_season

pytestmark = pytest.mark.django_db


def test_a_first_scan_makes_series_seasons_episodes_and_links(tmp_path: Path):
    write_season(tmp_path, "Frieren (2023)", episodes=3)
    write(tmp_path, "Frieren (2023)/Season 02/Frieren - S02E01-E02.mkv")

    ended = scan(add(tmp_path))

    assert ended.state == Scan.State.DONE
    assert counts(ended) == {"added": 4}
    assert (ended.series_found, ended.current, ended.total, ended.percent) == (
        1,
        4,
        4,
        100,
    )
    series = Series.objects.get()
    assert (series.key, series.title, series.year, series.folder) == (
        "frieren",
        "Frieren",
        2023,
        "Frieren (2023)",
    )
    assert numbers(at("Frieren (2023)/Season 02/Frieren - S02E01-E02.mkv")) == [
        "S02E01",
        "S02E02",
    ]


def test_an_unchanged_tree_changes_nothing_and_writes_no_file_row(
    tmp_path: Path, django_assert_max_num_queries
):
    write_season(tmp_path, "Mushishi", episodes=20)
    root = add(tmp_path)
    scan(root)

    with django_assert_max_num_queries(40) as captured:
        ended = scan(root)

    assert counts(ended) == {}
    assert not [
        query["sql"]
        for query in captured
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        and "episode" in query["sql"]
    ]


def test_queries_grow_with_batches_and_not_with_files(
    tmp_path: Path, django_assert_max_num_queries
):
    for number in range(30):
        write_season(tmp_path, f"Show {number}", episodes=10)

    with django_assert_max_num_queries(80):
        ended = scan(add(tmp_path))

    assert ended.added == 300


def test_what_lies_between_known_episodes_is_missing(tmp_path: Path):
    write(
        tmp_path, "Dark/Season 01/Dark - S01E02.mkv", "Dark/Season 01/Dark - S01E05.mkv"
    )

    scan(add(tmp_path))

    assert [str(episode) for episode in Episode.objects.missing()] == [
        "S01E01",
        "S01E03",
        "S01E04",
    ]


def test_a_changed_file_keeps_its_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    link = EpisodeFileLink.objects.order_by("pk").first()
    assert link is not None
    write(tmp_path, str(link.file), size=77)

    ended = scan(root)

    assert counts(ended) == {"updated": 1}
    link.refresh_from_db()
    assert link.file.size_bytes == 77


@pytest.mark.parametrize(
    "new",
    [
        "Dark/Season 01/Dark.S01E01.1080p.mkv",
        "Dark/Season 01/DARK - S01E01.mkv",
        "Dark (2017)/Season 01/Dark - S01E01.mkv",
        "Dark/somewhere else.mkv",
    ],
)
def test_a_renamed_file_keeps_its_links(tmp_path: Path, new: str):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    before = set(EpisodeFileLink.objects.values_list("pk", "episode_id"))
    target = tmp_path / new
    target.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "Dark/Season 01/Dark - S01E01.mkv").rename(target)

    ended = scan(root)

    assert counts(ended) == {"updated": 1, "moved": 1}
    assert set(EpisodeFileLink.objects.values_list("pk", "episode_id")) == before
    assert numbers(at(new)) == ["S01E01"]


def test_a_file_copied_elsewhere_and_deleted_here_keeps_its_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    old, new = (
        tmp_path / "Dark/Season 01/Dark - S01E01.mkv",
        tmp_path / "Dark/Season 1 (remastered)/Dark - S01E01.mkv",
    )
    new.parent.mkdir()
    new.write_bytes(old.read_bytes())
    old.unlink()

    assert counts(scan(root)) == {"updated": 1, "moved": 1}


def test_a_renamed_series_folder_stays_the_same_series(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    key = Series.objects.get().key
    (tmp_path / "Dark").rename(tmp_path / "Dark (2017)")

    ended = scan(root)

    assert counts(ended) == {"updated": 10, "moved": 10}
    series = Series.objects.get()
    assert (series.key, series.folder) == (key, "Dark (2017)")


def test_a_hard_link_is_a_second_file_and_no_move(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    os.link(
        tmp_path / "Dark/Season 01/Dark - S01E01.mkv",
        tmp_path / "Dark/Season 01/Dark - S01E01 copy.mkv",
    )

    assert counts(scan(root)) == {"added": 1}


def test_an_unmatched_file_is_matched_under_its_new_name(tmp_path: Path):
    write_season(tmp_path, "Dark")
    write(tmp_path, "Dark/what is this.mkv")
    root = add(tmp_path)
    assert counts(scan(root)) == {"added": 11, "unmatched": 1}
    (tmp_path / "Dark/what is this.mkv").rename(
        tmp_path / "Dark/Season 01/Dark - S01E11.mkv"
    )

    scan(root)

    assert numbers(at("Dark/Season 01/Dark - S01E11.mkv")) == ["S01E11"]
    assert not EpisodeFile.objects.unmatched().exists()


def test_few_lost_files_vanish_and_return_with_their_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    path = tmp_path / "Dark/Season 01/Dark - S01E10.mkv"
    content, stat = path.read_bytes(), path.stat()
    path.unlink()

    gone = scan(root)
    missing = [str(episode) for episode in Episode.objects.missing()]
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    back = scan(root)

    assert (counts(gone), missing) == ({"vanished": 1}, ["S01E10"])
    assert counts(back) == {"updated": 1}
    assert not Episode.objects.missing().exists()


def test_many_lost_files_are_kept_until_a_person_confirms(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    for number in (1, 2, 3):
        (tmp_path / f"Dark/Season 01/Dark - S01E{number:02}.mkv").unlink()

    held = scan(root)
    present = EpisodeFile.objects.present().count()
    noted = root.held_vanished
    confirmed = scan(root, accepts_vanished=True)

    assert (counts(held), present, noted) == ({"held": 3}, 10, 3)
    assert counts(confirmed) == {"vanished": 3}
    assert (root.held_vanished, root.file_count) == (0, 7)
    assert Episode.objects.missing().count() == 3


@pytest.mark.parametrize("fault", ["gone", "empty", "a file"])
def test_an_offline_root_changes_nothing(tmp_path: Path, fault: str):
    place = tmp_path / "disk"
    write_season(place, "Dark")
    root = add(place)
    scan(root)
    place.rename(tmp_path / "elsewhere")
    if fault == "empty":
        place.mkdir()
    elif fault == "a file":
        place.write_text("no folder")

    ended = scan(root, accepts_vanished=True)
    was_online = root.is_online
    if fault == "empty":
        place.rmdir()
    else:
        place.unlink(missing_ok=True)
    (tmp_path / "elsewhere").rename(place)
    again = scan(root)

    assert (ended.state, was_online) == (Scan.State.FAILED, False)
    assert str(place) in ended.error
    assert EpisodeFile.objects.present().count() == 10
    assert (again.state, counts(again), root.is_online) == (Scan.State.DONE, {}, True)


def test_an_unreadable_folder_is_told_and_its_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark")
    write_season(tmp_path, "Light", episodes=30)
    root = add(tmp_path)
    scan(root)
    real = os.scandir

    def refuse(path: str):
        if "Dark" in path:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    ended = scan(root)

    assert (ended.state, counts(ended)) == (Scan.State.DONE, {})
    assert ended.problems == ["Dark could not be read: Permission denied."]


def test_a_file_that_vanishes_while_it_is_read_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    real = walking.Walk._add_file

    def vanish(self, listing, entry):
        if entry.name.endswith("E05.mkv"):
            Path(entry.path).unlink()
        real(self, listing, entry)

    monkeypatch.setattr(walking.Walk, "_add_file", vanish)
    ended = scan(root)

    assert (ended.state, counts(ended), ended.problems) == (
        Scan.State.DONE,
        {"added": 9},
        [],
    )


def test_links_that_loop_are_followed_to_an_end(tmp_path: Path):
    library, outside = tmp_path / "library", tmp_path / "outside"
    write_season(library, "Dark", episodes=3)
    write_season(outside, "Light", episodes=2)
    (library / "Dark" / "self").symlink_to(library)
    (library / "Dark" / "up").symlink_to(tmp_path)
    (library / "Light").symlink_to(outside / "Light")
    (outside / "Light" / "round").symlink_to(outside / "Light")
    (library / "nowhere").symlink_to(tmp_path / "nothing")
    (library / "Dark" / "broken.mkv").symlink_to(tmp_path / "nothing.mkv")

    ended = scan(add(library))

    assert (ended.state, ended.added, ended.problems) == (Scan.State.DONE, 5, [])


def test_odd_file_names_survive(tmp_path: Path):
    odd = [
        os.fsdecode(b"Dark/Season 01/Dark \xff\xfe - S01E01.mkv"),
        unicodedata.normalize("NFD", "Dark/Season 01/Därk - S01E02.mkv"),
        unicodedata.normalize("NFC", "Dark/Season 01/Därk - S01E02.mkv"),
        "Dark/Season 01/Dark\nnew line - S01E03.mkv",
        "Dark/Season 01/<img src=x onerror=alert(1)> - S01E04.mkv",
        f"Dark/Season 01/{'x' * 240} S01E05.mkv",
    ]
    write(tmp_path, *odd)
    root = add(tmp_path)

    first, second = scan(root), scan(root)

    assert (first.state, first.added) == (Scan.State.DONE, 6)
    assert (second.state, counts(second).get("added")) == (Scan.State.DONE, None)
    assert {str(file) for file in EpisodeFile.objects.all()} == set(odd)


def test_an_undecodable_root_works(tmp_path: Path):
    place = tmp_path / os.fsdecode(b"disk \xff")
    write_season(place, "Dark", episodes=2)

    assert scan(add(place)).added == 2


def test_special_files_are_passed_over(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=1)
    os.mkfifo(tmp_path / "Dark" / "pipe.mkv")
    (tmp_path / "Dark" / "folder.mkv").mkdir()

    assert scan(add(tmp_path)).added == 1


def test_ignored_folders_are_not_read(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=1)
    write(
        tmp_path,
        "Dark/@eaDir/Dark - S01E02.mkv",
        "Dark/Extras/Dark - S01E03.mkv",
        ".hidden/Dark - S01E04.mkv",
        "Other/Season 01/Other - S01E01.mkv",
    )
    (tmp_path / "Other" / ".ignore").touch()

    assert scan(add(tmp_path)).added == 1


def test_ids_in_tvshow_nfo_win(tmp_path: Path):
    known = Series.objects.create(
        key="attack-on-titan",
        title="Attack on Titan",
        sort_title="attack on titan",
        match_key="attack on titan",
        year=2013,
        ids={"tvdb": "267440"},
    )
    write_season(tmp_path, "Shingeki no Kyojin", episodes=2)
    (tmp_path / "Shingeki no Kyojin" / "tvshow.nfo").write_text(
        "<tvshow><title>x</title><uniqueid type='tvdb'>267440</uniqueid></tvshow>"
    )

    scan(add(tmp_path))

    assert SeriesFolder.objects.get().series == known
    assert Series.objects.count() == 1


def test_a_later_nfo_moves_the_folder_to_the_series_it_names(tmp_path: Path):
    write_season(tmp_path, "Shingeki no Kyojin", episodes=2)
    root = add(tmp_path)
    scan(root)
    known = Series.objects.create(
        key="aot",
        title="Attack on Titan",
        sort_title="a",
        match_key="attack on titan",
        ids={"tvdb": "267440"},
    )
    (tmp_path / "Shingeki no Kyojin" / "tvshow.nfo").write_text(
        "<tvshow><uniqueid type='tvdb'>267440</uniqueid></tvshow>"
    )

    scan(root)

    assert SeriesFolder.objects.get().series == known
    assert set(EpisodeFile.objects.values_list("series__key", flat=True)) == {"aot"}
    assert set(
        EpisodeFileLink.objects.values_list("episode__season__series__key", flat=True)
    ) == {"aot"}


def test_a_hostile_nfo_is_told_and_not_used(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tvshow><uniqueid type="tvdb">&b;</uniqueid></tvshow>'
    (tmp_path / "Dark" / "tvshow.nfo").write_text(bomb)

    ended = scan(add(tmp_path))

    assert ended.state == Scan.State.DONE
    assert "tvshow.nfo is not used" in ended.problems[0]


def test_series_of_one_title_and_two_years_are_two(tmp_path: Path):
    write_season(tmp_path, "Fruits Basket (2001)", episodes=2)
    write_season(tmp_path, "Fruits Basket (2019)", episodes=2)

    scan(add(tmp_path))

    assert sorted(Series.objects.values_list("key", "year")) == [
        ("fruits-basket", 2001),
        ("fruits-basket-2019", 2019),
    ]


def test_the_same_series_in_two_roots_is_one(tmp_path: Path):
    write_season(tmp_path / "a", "Dark (2017)", season=1, episodes=2)
    write_season(tmp_path / "b", "Dark (2017)", season=2, episodes=2)

    scan(add(tmp_path / "a", "a"))
    scan(add(tmp_path / "b", "b"))

    assert Series.objects.count() == 1
    assert sorted(
        str(episode) for episode in Episode.objects.select_related("season")
    ) == ["S01E01", "S01E02", "S02E01", "S02E02"]


def test_a_folder_of_several_series_is_left_to_a_person(tmp_path: Path):
    write(
        tmp_path,
        "Downloads/Dark - S01E01.mkv",
        "Downloads/Light - S01E01.mkv",
        "Downloads/Grey - S02E03.mkv",
    )

    ended = scan(add(tmp_path))

    assert counts(ended) == {"added": 3, "unmatched": 3}
    assert not Series.objects.exists()
    assert "several series" in SeriesFolder.objects.get().reason


def test_files_in_the_root_itself_are_told_apart_by_their_titles(tmp_path: Path):
    write(
        tmp_path,
        "Dark - S01E01.mkv",
        "Dark - S01E02.mkv",
        "Light - S01E01.mkv",
        "holiday.mkv",
    )

    ended = scan(add(tmp_path))

    assert counts(ended) == {"added": 4, "unmatched": 1}
    assert sorted(Series.objects.values_list("key", flat=True)) == ["dark", "light"]


def test_a_scan_of_one_series_reads_only_its_folders(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=5)
    write_season(tmp_path, "Light", episodes=5)
    root = add(tmp_path)
    scan(root)
    write(
        tmp_path,
        "Dark/Season 01/Dark - S01E06.mkv",
        "Light/Season 01/Light - S01E06.mkv",
    )

    ended = scan(root, series=Series.objects.get(key="dark"))

    assert (counts(ended), ended.current) == ({"added": 1}, 6)


def test_a_full_scan_keeps_what_a_person_linked(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=3)
    root = add(tmp_path)
    scan(root)
    link = EpisodeFileLink.objects.get(file__name="Dark - S01E03.mkv")
    EpisodeFileLink.objects.filter(pk=link.pk).update(
        episode=Episode.objects.get(number=1), is_locked=True
    )
    EpisodeFileLink.objects.filter(file__name="Dark - S01E02.mkv").delete()

    scan(root, is_full=True)

    assert numbers(at("Dark/Season 01/Dark - S01E03.mkv")) == ["S01E01"]
    assert numbers(at("Dark/Season 01/Dark - S01E02.mkv")) == ["S01E02"]


def test_percent_never_falls_and_the_last_state_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scanner, "REPORT_S", 0)
    for number in range(5):
        write_season(tmp_path, f"Show {number}", episodes=4)
    root = add(tmp_path)
    seen: list[tuple[float, int, int]] = []

    def note(scan, **_kwargs):
        seen.append((scan.percent, scan.current, scan.total))

    scan_progressed.connect(note)
    try:
        scan(root)
        write_season(tmp_path, "Show 9", episodes=40)
        first, seen[:] = list(seen), []
        scan(root)
    finally:
        scan_progressed.disconnect(note)

    for reports, total in ((first, 20), (seen, 60)):
        assert [report[0] for report in reports] == sorted(
            report[0] for report in reports
        )
        assert reports[-1] == (100, total, total)
        assert all(report[1] <= report[2] for report in reports)


def test_reports_are_at_most_five_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for number in range(20):
        write_season(tmp_path, f"Show {number}", episodes=1)
    clock = [100.0]
    sent: list[float] = []

    def tick() -> float:
        clock[0] += 0.01
        return clock[0]

    def note(**_kwargs):
        sent.append(clock[0])

    monkeypatch.setattr(time, "monotonic", tick)
    scan_progressed.connect(note)
    try:
        scan(add(tmp_path))
    finally:
        scan_progressed.disconnect(note)

    assert len(sent) > 2
    assert all(
        sum(1 for other in sent if start <= other < start + 1) <= 5 for start in sent
    )


def test_a_cancelled_scan_keeps_what_it_did_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scanner, "BEAT_S", 0)
    monkeypatch.setattr(scanner, "BATCH_FILES", 1)
    for number in range(10):
        write_season(tmp_path, f"Show {number}", episodes=2)
    root = add(tmp_path)
    request, _ = open_scan(ScanRequest(root=root, by="tests"))
    claim_scan(request)

    def cancel(scan, **_kwargs):
        if scan.current > 5:
            cancel_scan(Scan.objects.get(pk=scan.pk))

    monkeypatch.setattr(scanner, "REPORT_S", 0)
    scan_progressed.connect(cancel)
    try:
        scanner.run_scan(request)
    finally:
        scan_progressed.disconnect(cancel)
    request.refresh_from_db()

    assert (request.state, request.error) == (Scan.State.CANCELLED, "Cancelled.")
    assert 0 < EpisodeFile.objects.count() < 20
    assert scan(root).current == 20
    assert EpisodeFile.objects.count() == 20


def test_an_interrupted_scan_goes_back_to_the_queue(tmp_path: Path):
    write_season(tmp_path, "Dark")
    request, _ = open_scan(ScanRequest(root=add(tmp_path), by="tests"))
    claim_scan(request)
    scanner.shutting_down.set()
    try:
        scanner.run_scan(request)
    finally:
        scanner.shutting_down.clear()
    request.refresh_from_db()

    assert request.state == Scan.State.QUEUED


def test_a_runner_that_lost_its_lease_writes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scanner, "BEAT_S", 0)
    write_season(tmp_path, "Dark")
    request, _ = open_scan(ScanRequest(root=add(tmp_path), by="tests"))
    claim_scan(request)
    Scan.objects.filter(pk=request.pk).update(lease="another")

    scanner.run_scan(request)

    request.refresh_from_db()
    assert (request.state, request.lease) == (Scan.State.RUNNING, "another")
    assert not EpisodeFile.objects.exists()


def test_an_error_of_ours_ends_the_scan_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark")

    def fail(*_args, **_kwargs):
        raise RuntimeError("disk of the database is full")

    monkeypatch.setattr(Reconciler, "apply", fail)
    ended = scan(add(tmp_path))

    assert ended.state == Scan.State.FAILED
    assert "disk of the database is full" in ended.error


def test_a_plan_changes_nothing_and_tells_what_a_scan_would_do(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=6)
    root = add(tmp_path)
    scan(root)
    write(
        tmp_path,
        "Dark/Season 01/Dark - S01E07.mkv",
        "Light (2020)/Light - S01E01.mkv",
        "Light (2020)/what.mkv",
    )
    (tmp_path / "Dark/Season 01/Dark - S01E01.mkv").unlink()
    (tmp_path / "Dark/Season 01/Dark - S01E02.mkv").rename(
        tmp_path / "Dark/Season 01/Dark S01E02.mkv"
    )
    before = (
        list(EpisodeFile.objects.values_list("pk", "folder", "name", "vanished_at")),
        Scan.objects.count(),
        Series.objects.count(),
    )
    lines: list[str] = []

    scanner.plan_scan(Scan(root=root), lines.append)

    assert before == (
        list(EpisodeFile.objects.values_list("pk", "folder", "name", "vanished_at")),
        Scan.objects.count(),
        Series.objects.count(),
    )
    told = "\n".join(lines)
    assert "new series light: Light (2020)" in told
    assert "add Dark/Season 01/Dark - S01E07.mkv: dark S01E07" in told
    assert "moved to Dark/Season 01/Dark S01E02.mkv" in told
    assert "vanished Dark/Season 01/Dark - S01E01.mkv" in told
    assert "add Light (2020)/what.mkv: unmatched" in told
