"""What a scan makes of a tree, and of what happens to the tree between and during scans."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aniworld_site.library import scanner
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Scan,
    Series,
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
