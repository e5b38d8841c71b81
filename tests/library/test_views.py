"""The library's pages: who may see them, what they show, and how they take odd input."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aniworld_site.library.fields import to_stored
from aniworld_site.library.models import EpisodeFile, Scan
from tests.factories import (
    make_episode,
    make_file,
    make_root,
    make_scan,
    make_season,
    make_series,
    make_user,
)

pytestmark = pytest.mark.django_db
HOSTILE = '<img src=x onerror="alert(1)">'
PAGES = (
    "dashboard",
    "library:series_list",
    "library:scan_list",
    "library:unmatched",
    "library:root_list",
)
ALL = (
    "library.view_series",
    "library.view_scan",
    "library.view_rootfolder",
    "library.view_episodefile",
    "library.scan_rootfolder",
    "library.change_series",
    "library.change_rootfolder",
)


@pytest.fixture
def viewer(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def operator(client):
    client.force_login(make_user(ALL))
    return client


def fill(times):
    for _ in range(times):
        root = make_root(is_online=False, held_vanished=2)
        series = make_series(folder_in=root)
        for number in (1, 2):
            season = make_season(series, number=number)
            make_file(
                root=root,
                link=make_episode(season),
                reason="It says so.",
                facts={"title": series.title},
            )
            make_episode(season)
        make_file(root=root, folder=series.title, series=series)
        make_file(root=root, folder=f"Unknown {series.pk}")
        make_scan(root)
        make_scan(root, state=Scan.State.RUNNING)


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_strangers_to_log_in(client, name):
    make_user()

    response = client.get(reverse(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("name", PAGES)
def test_page_refuses_users_without_permission_in_a_sentence(client, name):
    client.force_login(make_user(()))

    response = client.get(reverse(name))

    assert response.status_code == 403
    assert "Your account may not look at" in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_when_the_library_is_empty(operator, name):
    response = operator.get(reverse(name))

    assert response.status_code == 200
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_page_takes_as_many_queries_for_many_rows_as_for_few(operator, name):
    fill(1)
    operator.get(reverse(name))
    with CaptureQueriesContext(connection) as few:
        operator.get(reverse(name))
    fill(6)

    with CaptureQueriesContext(connection) as many:
        operator.get(reverse(name))

    assert len(many) == len(few) < 25


def test_series_page_takes_as_many_queries_for_many_episodes_as_for_few(operator):
    series = make_series(folder_in=(root := make_root()))
    season = make_season(series)
    make_file(root=root, link=make_episode(season))
    make_file(root=root, series=series)
    operator.get(series.get_absolute_url())
    with CaptureQueriesContext(connection) as few:
        operator.get(series.get_absolute_url())
    for number in range(2, 6):
        make_file(root=root, link=make_episode(make_season(series, number=number)))
        make_file(root=root, link=make_episode(season))
        make_file(root=root, series=series)

    with CaptureQueriesContext(connection) as many:
        operator.get(series.get_absolute_url())

    assert len(many) == len(few) < 25


@pytest.mark.parametrize("name", PAGES)
def test_page_allows_no_inline_script_or_style(operator, name):
    fill(2)

    response = operator.get(reverse(name))

    policy, text = response["Content-Security-Policy"], response.content.decode()
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\bsrc=)", text
    )
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)


@pytest.mark.parametrize("number", ["0", "-1", "999999", "abc", "", "1e9", "٣"])
@pytest.mark.parametrize(
    "name", ["library:series_list", "library:scan_list", "library:unmatched"]
)
def test_list_page_takes_any_page_number(operator, name, number):
    fill(1)

    assert operator.get(reverse(name), {"page": number}).status_code == 200


def test_series_list_pages_in_the_database(viewer):
    for _ in range(61):
        make_series()

    first = viewer.get(reverse("library:series_list")).content.decode()
    last = viewer.get(
        reverse("library:series_list"), {"page": 2, "sort": "title"}
    ).content.decode()

    assert first.count('class="card"') == 60
    assert last.count('class="card"') == 1
    assert "sort=title" in last
    assert "page=1" in last


def test_series_list_says_what_to_do_when_nothing_fits(viewer):
    make_series()

    assert (
        "Nothing fits"
        in viewer.get(reverse("library:series_list"), {"q": "zzz"}).content.decode()
    )


def test_series_list_answers_htmx_with_the_part_it_replaces(viewer):
    make_series(title="Only this")

    response = viewer.get(
        reverse("library:series_list"),
        headers={"HX-Request": "true", "HX-Target": "series-results"},
    )

    text = response.content.decode()
    assert text.lstrip().startswith('<section id="series-results"')
    assert "<html" not in text
    assert "HX-Target" in response["Vary"]


def test_part_that_is_not_known_gets_the_whole_page(viewer):
    response = viewer.get(
        reverse("library:series_list"),
        headers={"HX-Request": "true", "HX-Target": "../../etc"},
    )

    assert "<html" in response.content.decode()


def test_messages_come_with_the_part_that_htmx_replaces(operator):
    series = make_series()
    headers = {"HX-Request": "true", "HX-Target": "series-head"}
    data = {"monitored": "0", "next": series.get_absolute_url()}

    response = operator.post(
        reverse("library:series_monitor", args=[series.key]),
        data,
        headers=headers,
        follow=True,
    )

    text = response.content.decode()
    assert "is no longer monitored" in text
    assert 'hx-swap-oob="morph"' in text
    assert "<html" not in text


@pytest.mark.parametrize(
    "title", [HOSTILE, "\u202eevil\u202c", "مسلسل", "進撃", "a" * 250, "&amp; {{ 7 }}"]
)
def test_titles_are_text(operator, title):
    root = make_root(name=title[:60])
    series = make_series(title=title, folder_in=root)
    make_file(
        root=root,
        folder=title,
        name=f"{title[:80]}.mkv",
        reason=title[:80],
        facts={"title": title},
    )
    make_file(
        root=root,
        link=make_episode(make_season(series)),
        name=f"{title[:80]} 2.mkv",
        facts={"title": title},
    )
    make_scan(root, error=title, problems=[title])

    for address in (*map(reverse, PAGES), series.get_absolute_url()):
        text = operator.get(address).content.decode()
        assert "<img" not in text
        assert "{{" not in text or "{{ 7 }}" in text


def test_undecodable_names_can_be_seen_and_sent_back(operator):
    root = make_root(path="/nowhere/\udcff")
    folder = "Odd \udce4 folder"
    series = make_series()
    make_file(
        root=root,
        folder=f"{folder}/a\udcff",
        name="b\udcfe.mkv",
        facts={"title": "Odd"},
    )
    make_file(
        root=root,
        folder=folder,
        name="c\udcfd.mkv",
        link=make_episode(make_season(series)),
    )

    for address in (
        *map(reverse, PAGES),
        series.get_absolute_url(),
        reverse("library:root_confirm_remove", args=[root.pk]),
    ):
        assert operator.get(address).status_code == 200
    assert (
        to_stored(folder) in operator.get(reverse("library:unmatched")).content.decode()
    )


def test_series_page_tells_each_episode_in_words(viewer):
    series = make_series()
    season = make_season(series)
    make_file(link=make_episode(season, number=1))
    make_episode(season, number=2)

    text = viewer.get(series.get_absolute_url()).content.decode()

    assert re.search(r"1\s*<span class=\"visually-hidden\"> there</span>", text)
    assert re.search(r"2\s*<span class=\"visually-hidden\"> missing</span>", text)


def test_series_page_says_why_a_file_matched(viewer):
    series = make_series()
    make_file(
        link=make_episode(make_season(series)),
        reason="The pattern SxxEyy was found.",
        facts={"group": "Some group"},
    )

    text = viewer.get(series.get_absolute_url()).content.decode()

    assert "The pattern SxxEyy was found." in text
    assert "98 % sure" in text
    assert "Some group" in text


@pytest.mark.parametrize(
    "address",
    ["/series/nobody/", "/scans/999/", "/roots/999/confirm-remove/", "/nowhere/"],
)
def test_what_is_not_there_is_a_page_that_says_so(viewer, address):
    response = viewer.get(address)

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_series_called_like_a_page_has_its_own_address(viewer):
    assert viewer.get(make_series(key="options").get_absolute_url()).status_code == 200


def test_series_options_lists_keys(viewer):
    make_series(title="Echo <b>", key="echo", year=2020)

    text = viewer.get(
        reverse("library:series_options"), {"series": "ech"}
    ).content.decode()

    assert '<option value="echo">Echo &lt;b&gt; (2020)</option>' in text


def test_scan_page_shows_a_running_scan_with_role_and_value(viewer):
    scan = make_scan(
        state=Scan.State.RUNNING, percent=41.27, current=41, total=100, folder="Show"
    )

    text = viewer.get(reverse("library:scan_detail", args=[scan.pk])).content.decode()

    assert re.search(r'<progress\s+value="41.3"\s+max="100"', text)
    assert f'data-live-match="scan_id={scan.pk}"' in text
    assert 'aria-live="polite"' in text


def test_held_files_are_told_on_dashboard_roots_and_scans_with_a_button(operator):
    root = make_root(held_vanished=214)

    for name in ("dashboard", "library:root_list", "library:scan_list"):
        text = operator.get(reverse(name)).content.decode()
        assert "214 files of" in text
        assert reverse("library:root_confirm_vanished", args=[root.pk]) in text


def test_viewers_get_no_button_that_would_refuse_them(viewer):
    fill(1)
    series = make_series()

    for address in (*map(reverse, PAGES), series.get_absolute_url()):
        forms = re.findall(
            r'<form[^>]*method="post"[^>]*action="([^"]*)"',
            viewer.get(address).content.decode(),
        )
        assert set(forms) <= {
            "/logout/",
            f"/series/{series.key}/wanted/",
            "/files/assign/",
        } - ({"/files/assign/"} if "unmatched" in address else set())


def test_scan_history_tells_the_result_in_words(viewer):
    make_scan(state=Scan.State.FAILED, error="The folder could not be read.")

    assert "failed" in viewer.get(reverse("library:scan_list")).content.decode()


def test_unmatched_shows_ignored_files_apart(operator):
    make_file(name="waiting.mkv")
    make_file(name="aside.mkv", match=EpisodeFile.Match.IGNORED)

    waiting = operator.get(reverse("library:unmatched")).content.decode()
    aside = operator.get(
        reverse("library:unmatched"), {"ignored": "1"}
    ).content.decode()

    assert "waiting.mkv" in waiting
    assert "aside.mkv" not in waiting
    assert "aside.mkv" in aside
    assert "waiting.mkv" not in aside


def test_unmatched_folder_stays_the_same_when_its_first_file_is_decided(operator):
    """Else what was typed about it is lost with the next renewal."""
    root = make_root()
    first, _second = (
        make_file(root=root, folder="Odd one/Season 1", name=name) for name in "ab"
    )

    ids = []
    for _ in range(2):
        text = operator.get(reverse("library:unmatched")).content.decode()
        ids.append(re.findall(r'<article[^>]* id="(folder-[^"]*)"', text))
        EpisodeFile.objects.filter(pk=first.pk).update(match=EpisodeFile.Match.IGNORED)

    assert ids == [[f"folder-{root.pk}-Odd%20one"]] * 2
