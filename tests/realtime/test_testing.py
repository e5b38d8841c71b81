from __future__ import annotations

import threading

import pytest

from realtime.publishing import publish
from realtime.testing import Connection, connect, published
from tests.realtime.lab import LabDone, LabRoom, make_application, make_visitor


def test_published_collects_from_any_thread_and_sends_nothing():
    with published() as publications:
        thread = threading.Thread(target=publish, args=(LabRoom(), LabDone(lab_id=1)))
        thread.start()
        thread.join()
    publish_after = len(publications)

    assert publications == [("lab", LabDone(lab_id=1))]
    assert (publications[0].room, publications[0].message) == ("lab", LabDone(lab_id=1))
    assert publish_after == 1


async def test_published_can_look_on_while_messages_are_sent(connection):
    await connection.join("lab")

    with published(deliver=True) as publications:
        publish(LabRoom(), LabDone(lab_id=1))
        await connection.expect("lab_done")

    assert len(publications) == 1


async def test_expect_names_what_came_instead(connection, monkeypatch):
    monkeypatch.setattr("realtime.testing.TIMEOUT_S", 0.05)
    await connection.send({"action": "ping"})

    with pytest.raises(
        AssertionError, match=r"Expected lab_done \{'lab_id': 1\}, got \[.*pong"
    ):
        await connection.expect("lab_done", lab_id=1)


async def test_connect_refuses_what_was_not_welcomed(layer):
    with pytest.raises(AssertionError, match=r"Expected a frame, got .*4401"):
        await connect(make_application())


async def test_join_takes_a_room_or_its_name(layer):
    async with await connect(make_application(make_visitor())) as connection:
        assert (await connection.join(LabRoom()))["room"] == (
            await connection.join("lab")
        )["room"]


async def test_closed_connection_has_left_the_server(layer):
    connection: Connection = await connect(make_application(make_visitor()))

    await connection.close()
    await connection.close()

    assert connection._communicator.future.done()
