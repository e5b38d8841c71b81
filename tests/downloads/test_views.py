"""The pages of downloads: who may see them, what they show, what they do, and how they take odd input."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from aniworld_site.downloads.models import (
    Download,
    Queue,
    Source,
    SourceEpisode,
    SourceSeries,
)
from aniworld_site.downloads.services import queue_episodes
from aniworld_site.library.models import Episode, Series
from aniworld_site.library.naming import match_key
from tests.downloads.factories import (
    catalogue,
    episode,
    make_listed,
    make_offer,
    make_source,
    series,
)
from tests.factories import (
    make_episode,
    make_root,
    make_season,
    make_series,
    make_user,
)

pytestmark = pytest.mark.django_db
HOSTILE = '<img src=x onerror="alert(1)">'
PAGES = ("queue", "missing", "sources", "add")
State = Download.State


def make_offered(count: int = 1, **fields: object) -> list[Episode]:
    """Make missing episodes of a monitored series that a source has."""
    make_root()
    season = make_season(make_series(title="Night Show"))
    listed = make_listed(series=season.series)
    episodes = [make_episode(season, number=number) for number in range(1, count + 1)]
    for each in episodes:
        make_offer(listed, episode=each, url="https://a.example/1.mkv", **fields)
    return episodes


def make_queue(count: int = 1) -> list[Download]:
    return list(queue_episodes(make_offered(count), by="somebody").downloads)


def post(client, name: str, data: dict[str, object] | None = None, *arguments: object):
    return client.post(
        reverse(f"downloads:{name}", args=arguments), data or {}, follow=True
    )


def list_places() -> list[int]:
    return list(
        Download.objects.order_by("position", "pk").values_list("pk", flat=True)
    )


@pytest.mark.parametrize("page", PAGES)
def test_page_is_shown_to_who_may_look(viewer, page):
    make_queue(2)

    response = viewer.get(reverse(f"downloads:{page}"))

    assert response.status_code == 200
    assert b"Traceback" not in response.content


@pytest.mark.parametrize("page", PAGES)
def test_page_is_refused_without_permission(client, page):
    client.force_login(make_user(perms=()))

    assert client.get(reverse(f"downloads:{page}")).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_text_of_a_source_is_text(keeper, page):
    make_root()
    season = make_season(make_series(title=HOSTILE))
    source = make_source(name=HOSTILE, error=HOSTILE, problems=[HOSTILE])
    listed = make_listed(source, series=season.series, title=HOSTILE)
    make_listed(source, title=HOSTILE)
    row = make_episode(season, title=HOSTILE)
    make_offer(listed, episode=row, url="https://a.example/1.mkv", review=HOSTILE)
    queue_episodes([row], by=HOSTILE)
    Download.objects.update(reason=HOSTILE)

    content = keeper.get(reverse(f"downloads:{page}")).content.decode()

    assert "<img src=x" not in content
    assert "&lt;img src=x" in content


@pytest.mark.parametrize("page", ["queue", "missing", "sources"])
def test_queries_do_not_grow_with_the_rows(keeper, page):
    make_queue(2)
    url = reverse(f"downloads:{page}")
    keeper.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        keeper.get(url)
    episodes = make_more(30)
    queue_episodes(episodes, by="somebody")

    with CaptureQueriesContext(connection) as many:
        keeper.get(url)

    assert len(many) == len(few)


def make_more(count: int) -> list[Episode]:
    season = make_season(make_series(title="Another"))
    listed = make_listed(series=season.series)
    episodes = [make_episode(season, number=number) for number in range(1, count + 1)]
    for each in episodes:
        make_offer(listed, episode=each, url="https://a.example/1.mkv")
    return episodes


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("pause", State.PAUSED),
        ("cancel", State.CANCELLED),
        ("drop", State.CANCELLED),
        ("force", State.QUEUED),
    ],
)
def test_ticked_downloads_are_steered(keeper, what, state):
    ids = [each.pk for each in make_queue(2)]

    response = post(keeper, "queue_do", {"do": what, "downloads": ids})

    assert response.status_code == 200
    assert set(Download.objects.values_list("state", flat=True)) == {state}


def test_a_rows_own_button_means_that_row(keeper):
    first, second = make_queue(2)

    post(keeper, "queue_do", {"one": f"pause:{second.pk}", "downloads": [first.pk]})

    states = dict(Download.objects.values_list("pk", "state"))
    assert states == {first.pk: State.QUEUED, second.pk: State.PAUSED}


def test_what_cannot_be_done_is_said(keeper):
    [download] = make_queue()

    response = post(keeper, "queue_do", {"one": f"resume:{download.pk}"})

    assert b"This download is queued: it cannot be resumed." in response.content


@pytest.mark.parametrize(
    "data", [{}, {"do": "pause"}, {"do": "explode", "downloads": ["1"]}, {"one": "x:y"}]
)
def test_odd_wishes_are_refused_with_a_sentence(keeper, data):
    make_queue()

    response = post(keeper, "queue_do", data)

    assert response.status_code == 200
    assert b"message-error" in response.content


@pytest.mark.parametrize(
    ("what", "order"),
    [("top", [2, 0, 1]), ("bottom", [0, 1, 2]), ("up", [0, 2, 1])],
)
def test_a_row_is_moved_by_its_buttons(keeper, what, order):
    ids = [each.pk for each in make_queue(3)]

    post(keeper, "queue_do", {"one": f"{what}:{ids[2]}"})

    assert list_places() == [ids[at] for at in order]


@pytest.mark.parametrize("what", ["pause", "cancel", "drop"])
def test_all_that_is_listed_is_steered_together(keeper, what):
    make_queue(3)
    other = make_episode(make_season(make_series(title="Day Show")))
    make_offer(
        make_listed(series=other.season.series),
        episode=other,
        url="https://a.example/1.mkv",
    )
    queue_episodes([other], by="somebody")

    post(keeper, "queue_do", {"do": what, "all": "1", "q": "night"})

    changed = Download.objects.exclude(state=State.QUEUED)
    assert changed.count() == 3
    assert Download.objects.get(state=State.QUEUED).episode == other


@pytest.mark.parametrize("what", ["force", "up", "remove", "nonsense"])
def test_what_makes_no_sense_for_all_is_refused(keeper, what):
    make_queue(2)

    response = post(keeper, "queue_do", {"do": what, "all": "1"})

    assert b"Expected one of pause, resume" in response.content
    assert Download.objects.filter(state=State.QUEUED, is_forced=False).count() == 2


def test_the_queue_is_searched_by_series(viewer):
    make_queue(1)

    found = viewer.get(reverse("downloads:queue"), {"q": "night"}).content.decode()
    none = viewer.get(reverse("downloads:queue"), {"q": "day"}).content.decode()

    assert "Night Show" in found
    assert "Nothing fits" in none


def test_a_row_is_dropped_before_another(keeper):
    ids = [each.pk for each in make_queue(3)]

    post(keeper, "queue_move", {"downloads": [ids[2]], "before": ids[1]})

    assert list_places() == [ids[0], ids[2], ids[1]]


def test_queue_is_stopped_started_paused_and_resumed(keeper):
    states = []
    for wish in ("stop", "start", "pause", "resume"):
        post(keeper, "queue_set", {"do": wish, "minutes": ""})
        states.append(Queue.objects.get().state)

    assert states == ["stopped", "running", "paused", "running"]
    assert Queue.objects.get().changed_by == "keeper"


def test_queue_is_paused_for_a_time(keeper):
    post(keeper, "queue_set", {"do": "pause", "minutes": "15"})

    assert Queue.objects.get().paused_until is not None
    assert b"until" in keeper.get(reverse("downloads:queue")).content


def test_a_pause_that_ends_on_another_day_says_on_which(keeper):
    noon = timezone.localtime().replace(hour=12, minute=47)
    Queue.objects.update_or_create(
        pk=1, defaults={"state": "paused", "paused_until": noon}
    )
    url = reverse("downloads:queue")

    today = keeper.get(url).content.decode()
    later = noon + timedelta(days=7)
    Queue.objects.update(paused_until=later)
    another = keeper.get(url).content.decode()

    assert "until 12:47<" in today
    assert f"until {later:%Y-%m-%d} 12:47<" in another


@pytest.mark.parametrize("minutes", ["-1", "0", "x", "99999999"])
def test_a_pause_of_no_time_is_refused(keeper, minutes):
    response = post(keeper, "queue_set", {"do": "pause", "minutes": minutes})

    assert b"message-error" in response.content
    assert not Queue.objects.filter(state="paused").exists()


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{series}/S{season:02}E{episode:02}", "Night Show/S01E03.mkv"),
        ("../{series} {episode}", 'class="bad"'),
        ("{nonsense} {episode}", 'class="bad"'),
        ("<b>{episode}", "<code>b3.mkv</code>"),
        ("{series}/{episode:02}", "files of two seasons would want one name"),
        ("", 'class="bad"'),
        ("x" * 400, 'class="bad"'),
    ],
)
def test_a_template_shows_what_it_would_call_a_file(viewer, template, shown):
    url = reverse("downloads:template_preview")

    content = viewer.get(url, {"template": template}).content.decode()

    assert shown in content
    assert "<b>" not in content


@pytest.mark.parametrize("template", ["{season} {episode}", "{absolute}"])
def test_a_template_that_tells_seasons_apart_warns_of_nothing(viewer, template):
    url = reverse("downloads:template_preview")

    assert b"two seasons" not in viewer.get(url, {"template": template}).content


def test_limits_and_settings_are_kept(keeper):
    post(keeper, "queue_limits", {"concurrency": 3, "limit_kib_per_s": 500})
    post(
        keeper,
        "queue_settings",
        {"template": "{series}/{episode:02}", "floor_mib": 5, "writes_nfo": "on"},
    )

    queue = Queue.objects.get()
    assert (queue.concurrency, queue.limit_kib_per_s, queue.floor_mib) == (3, 500, 5)
    assert (queue.template, queue.writes_nfo) == ("{series}/{episode:02}", True)


@pytest.mark.parametrize("template", ["../{episode}", "{series}", "{x}{episode}", ""])
def test_a_template_that_names_no_place_is_refused(keeper, template):
    response = post(keeper, "queue_settings", {"template": template, "floor_mib": 5})

    assert b"message-error" in response.content
    assert not Queue.objects.exclude(template=Queue().template).exists()


def test_viewer_sees_no_buttons_and_may_not_use_them(viewer):
    [download] = make_queue()

    content = viewer.get(reverse("downloads:queue")).content
    response = post(viewer, "queue_do", {"one": f"pause:{download.pk}"})

    assert b'name="one"' not in content
    assert response.status_code == 403


def test_missing_episodes_are_queued_once(keeper):
    episodes = make_offered(2)
    ids = [each.pk for each in episodes]

    post(keeper, "missing_queue", {"episodes": ids})
    again = post(keeper, "missing_queue", {"episodes": ids})

    assert Download.objects.count() == 2
    said = "Night Show S01E01, Night Show S01E02: It is in the queue already."
    assert said in again.content.decode()


def test_all_missing_are_queued_but_not_what_was_deleted_on_purpose(keeper):
    _wanted, unwanted = make_offered(2)
    Episode.objects.filter(pk=unwanted.pk).update(is_wanted=False)

    post(keeper, "missing_all")

    assert Download.objects.exclude(episode=unwanted).count() == 1
    assert not Download.objects.filter(episode=unwanted).exists()


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ({"q": "anoth"}, [1, 2]),
        ({"q": "anoth", "only": "all"}, [1, 2, 3, 4]),
        ({"q": "nobody"}, []),
        ({"only": "offered"}, [1, 1, 2]),
    ],
)
def test_of_all_missing_only_what_is_found_is_queued(keeper, search, numbers):
    make_offered()
    make_more(2)
    ignored = make_more(4)[0].season.series
    Series.objects.filter(pk=ignored.pk).update(is_monitored=False)
    Episode.objects.filter(season__series=ignored, number__lt=3).update(is_wanted=False)

    post(keeper, "missing_all", search)

    queued = Download.objects.values_list("episode__number", flat=True)
    assert sorted(queued) == numbers


def test_the_button_says_what_it_queues_and_sends_what_was_looked_for(keeper):
    make_offered()
    url = reverse("downloads:missing")

    whole = keeper.get(url).content.decode()
    found = keeper.get(url, {"q": "show", "only": "all"}).content.decode()
    nothing = keeper.get(url, {"q": "nobody"}).content.decode()

    assert "Queue all missing" in whole
    assert "Queue all that is found" in found
    assert '<input type="hidden" name="q" value="show">' in found
    assert '<input type="hidden" name="only" value="all">' in found
    assert "Queue all" not in nothing


def test_ignored_episodes_are_missing_no_more(keeper):
    [ignored] = make_offered()

    post(keeper, "missing_ignore", {"episodes": [ignored.pk]})

    content = keeper.get(reverse("downloads:missing")).content
    assert b"Nothing is missing" in content


def test_what_no_source_lists_can_be_ignored_and_says_so_when_queued(keeper):
    unlisted = make_episode(make_offered()[0].season, number=9)
    box = f'<input type="checkbox" name="episodes" value="{unlisted.pk}">'

    page = keeper.get(reverse("downloads:missing")).content.decode()
    queued = post(keeper, "missing_queue", {"episodes": [unlisted.pk]})
    post(keeper, "missing_ignore", {"episodes": [unlisted.pk]})

    assert box in page
    assert b"No source lists it with an address." in queued.content
    unlisted.refresh_from_db()
    assert not unlisted.is_wanted


def test_missing_says_why_nothing_comes(viewer):
    [announced] = make_offered()
    SourceEpisode.objects.update(url="")
    make_episode(announced.season, number=9)

    content = viewer.get(reverse("downloads:missing")).content.decode()

    assert "announces it; it is not there yet." in content
    assert "No source lists it." in content


def test_a_series_page_queues_its_episodes(keeper):
    first, second = make_offered(2)
    key = first.season.series.key

    post(keeper, "series_queue", {"episodes": [first.pk]}, key)
    post(keeper, "series_queue", {"missing": "1"}, key)

    assert {each.episode_id for each in Download.objects.all()} == {first.pk, second.pk}


def test_a_whole_season_is_queued(keeper):
    episodes = make_offered(3)
    key = episodes[0].season.series.key

    post(keeper, "series_queue", {"whole": "1", "season": "1"}, key)

    assert Download.objects.count() == 3


def test_without_a_root_folder_it_says_what_is_needed(keeper):
    season = make_season()
    row = make_episode(season)
    make_offer(
        make_listed(series=season.series), episode=row, url="https://a.example/1.mkv"
    )

    response = post(keeper, "missing_queue", {"episodes": [row.pk]})

    assert b"There is no root folder to put files into" in response.content


def test_source_is_tested_without_being_saved(keeper, source):
    url = source.put("/c.json", catalogue(series("night-show", episode(1))))

    response = post(keeper, "source_add", {"url": url, "is_private": "on", "test": "1"})

    assert b"Found a JSON catalogue:" in response.content
    assert b"Nothing was saved" in response.content
    assert b"1 episode, the first" in response.content
    assert b"Night Show" in response.content
    assert not Source.objects.exists()


def test_source_is_added_from_its_page(keeper, source):
    url = source.put("/c.json", catalogue(series("night-show", episode(1))))

    post(keeper, "source_add", {"url": url, "is_private": "on"})

    assert SourceSeries.objects.get().title == "Night Show"


def test_private_address_is_refused_at_entry(keeper, source):
    url = source.put("/c.json", catalogue())

    response = post(keeper, "source_add", {"url": url, "test": "1"})

    assert response.status_code == 422
    assert b"on this machine or its own network" in response.content
    assert source.requests == []


def test_password_is_not_sent_back(keeper):
    response = post(
        keeper,
        "source_add",
        {"url": "ftp://a.example", "username": "me", "password": "hush-hush"},
    )

    assert b"hush-hush" not in response.content


def test_source_is_edited_switched_off_and_removed(keeper):
    source = make_source()
    data: dict[str, object] = {
        "every_minutes": 30,
        "concurrency": 2,
        "delay_s": 1,
        "limit_kib_per_s": 100,
        "retries": 3,
    }

    post(keeper, "source_edit", data, source.pk)
    source.refresh_from_db()
    assert (source.is_enabled, source.concurrency, source.retries) == (False, 2, 3)

    post(keeper, "source_remove", {}, source.pk)
    assert not Source.objects.exists()


def test_a_source_that_rests_says_until_when_and_goes_on_when_told(keeper):
    later = timezone.now() + timedelta(hours=30)
    source = make_source(rests_until=later, rest_reason="It wants a login.")

    page = keeper.get(reverse("downloads:sources")).content.decode()
    post(keeper, "source_wake", {}, source.pk)

    assert f"rest until {later:%Y-%m-%d %H:%M}: It wants a login." in page
    after = keeper.get(reverse("downloads:sources")).content.decode()
    assert "It wants a login." not in after


def test_an_address_is_shown_to_those_who_may_change_it_alone(viewer):
    make_source(url="https://a.example/feed?key=hush-hush")

    page = viewer.get(reverse("downloads:sources")).content.decode()

    assert "a.example" in page
    assert "hush-hush" not in page


@pytest.mark.parametrize("value", [10**14, 2**63, -1])
def test_a_floor_that_no_sum_can_hold_is_refused(keeper, value):
    Queue.objects.create(pk=1)
    data = {"floor_mib": value, "template": "{series}/{episode}"}

    response = post(keeper, "queue_settings", data)

    assert b"message-error" in response.content
    assert Queue.objects.get().floor_mib == 1024


def test_a_rest_that_is_over_is_not_spoken_of(keeper):
    past = timezone.now() - timedelta(hours=1)
    make_source(rests_until=past, rest_reason="It wants a login.")

    page = keeper.get(reverse("downloads:sources")).content.decode()

    assert "It wants a login." not in page


def test_a_source_may_be_given_hosts_of_the_own_network(keeper):
    source = make_source(private_hosts="")
    data: dict[str, object] = {
        "every_minutes": 30,
        "concurrency": 2,
        "delay_s": 1,
        "limit_kib_per_s": 100,
        "retries": 3,
    }

    post(keeper, "source_edit", {**data, "private_hosts": "nas.home"}, source.pk)
    refused = post(
        keeper, "source_edit", {**data, "private_hosts": "http://x/"}, source.pk
    )

    source.refresh_from_db()
    assert source.private_hosts == "nas.home"
    assert b"Expected the name or address of a host" in refused.content


def test_listed_series_is_added_with_all_of_it_queued(keeper):
    make_root()
    listed = make_listed(title="Quiet Harbour")
    make_offer(listed, season=1, number=1, url="https://a.example/1.mkv")

    response = post(keeper, "add_series", {"queue": "1"}, listed.pk)

    assert Series.objects.get().title == "Quiet Harbour"
    assert Download.objects.count() == 1
    assert b"1 joined the queue." in response.content


def test_what_may_be_there_is_shown_with_a_score_and_not_guessed(keeper):
    ours = make_series(title="Night Show", match_key=match_key("Night Show"), year=2013)
    listed = make_listed(title="Night Show", year=2013)

    content = keeper.get(reverse("downloads:add")).content.decode()
    refused = post(keeper, "add_series", {}, listed.pk)

    assert "90 %" in content
    assert "None of these: add and queue all" in content
    assert listed.series is None
    assert b"Link it, or rename one of them." in refused.content
    post(keeper, "link_series", {"listed": listed.pk, "series": ours.key})
    listed.refresh_from_db()
    assert listed.series == ours


def test_dismissed_series_is_not_offered_again(keeper):
    listed = make_listed(title="Quiet Harbour")

    post(keeper, "dismiss_series", {}, listed.pk)

    assert b"Quiet Harbour" not in keeper.get(reverse("downloads:add")).content


@pytest.mark.parametrize(("take", "number"), [("old", 1), ("new", 2)])
def test_renumbered_episode_is_settled_by_a_person(keeper, take, number):
    season = make_season()
    first = make_episode(season, number=1)
    listed = make_listed(series=season.series)
    offer = make_offer(
        listed, episode=first, season=1, number=2, review="It is S01E02 now."
    )

    post(keeper, "review_settle", {"take": take}, offer.pk)

    offer.refresh_from_db()
    assert (offer.review, offer.episode and offer.episode.number) == ("", number)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("queue_do", ()),
        ("queue_move", ()),
        ("queue_set", ()),
        ("queue_limits", ()),
        ("missing_all", ()),
        ("source_add", ()),
        ("source_remove", (1,)),
    ],
)
def test_looking_changes_nothing(keeper, name, arguments):
    assert keeper.get(reverse(f"downloads:{name}", args=arguments)).status_code == 405
