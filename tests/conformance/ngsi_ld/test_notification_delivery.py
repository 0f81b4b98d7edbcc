"""Delivery of notifications: counters, failures, pauses, restarts (5.2.14, 5.2.15, 5.8.6)."""

import asyncio
import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conformance.ngsi_ld.subscriber import QUICK, ROOM, Subscribed, subscribed
from tests.receiver import receiving

from dothi.ports.subscriptions import Notification
from dothi.storage.relational.outbox import RelationalOutbox

COUNTERS = ("timesSent", "timesFailed", "status")


async def counters(desk: Subscribed, number: str) -> tuple[Any, ...]:
    found = (await desk.subscription(number))["notification"]
    return tuple(found.get(name) for name in COUNTERS)


async def until(desk: Subscribed, number: str, wanted: tuple[Any, ...]) -> dict[str, Any]:
    """Wait until the counters are these; gives the notification parameters."""
    async with asyncio.timeout(20):
        while await counters(desk, number) != wanted:
            await asyncio.sleep(0.01)
    found: dict[str, Any] = (await desk.subscription(number))["notification"]
    return found


async def test_a_success_is_counted(desk: Subscribed) -> None:
    """5.2.14, 5.8.6: timesSent, lastNotification, lastSuccess, status ok."""
    number = await desk.subscribe()
    await desk.room(a=1)
    found = await until(desk, number, (1, None, "ok"))
    assert found["lastNotification"] == found["lastSuccess"]
    assert "lastFailure" not in found
    await desk.patch(a=2)
    await until(desk, number, (2, None, "ok"))


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404])
async def test_only_200_is_success(desk: Subscribed, status: int) -> None:
    """5.8.6: any other answer is a failure; what was answered is not sent again."""
    desk.receiver.answer = lambda _: status
    number = await desk.subscribe()
    await desk.room(a=1)
    found = await until(desk, number, (1, 1, "failed"))
    assert found["lastFailure"] == found["lastNotification"]
    await desk.receiver.until(1)
    await desk.receiver.nothing()


@pytest.mark.parametrize("status", [500, 503, 429, 408, 0])
async def test_what_may_work_later_is_sent_again(desk: Subscribed, status: int) -> None:
    """At least once, with the same id; counted once."""
    answers = [status, status, 200]
    desk.receiver.answer = lambda _: answers.pop(0) if answers else 200
    number = await desk.subscribe()
    await desk.room(a=1)
    found = await desk.receiver.until(3)
    assert len({one.body["id"] for one in found}) == 1
    await until(desk, number, (1, 1, "ok"))
    await desk.receiver.nothing()


async def test_a_slow_receiver_fails(desk: Subscribed) -> None:
    """5.2.15: endpoint.timeout in milliseconds."""
    desk.receiver.delay_s = 0.2
    number = await desk.subscribe(notification={"endpoint": {"timeout": 40}})
    await desk.room(a=1)
    await desk.receiver.until(1)
    await until(desk, number, (1, 1, "failed"))
    desk.receiver.delay_s = 0
    await until(desk, number, (1, 1, "ok"))


async def test_a_dead_receiver_delays_nobody(desk: Subscribed) -> None:
    """Another receiver is told at once, many notifications of the dead one wait."""
    await desk.room(a=0)
    dead = await desk.subscribe(notification={"endpoint": {"uri": "http://127.0.0.1:9/x"}})
    await desk.subscribe()
    for value in range(1, 20):
        started = time.monotonic()
        await desk.patch(a=value)
        assert (await desk.receiver.next()).data[0]["a"]["value"] == value
        assert time.monotonic() - started < 1
    service = desk.service
    number = service.registry.get(dead).number
    assert service.dispatcher.waiting(number) == 19
    assert (await desk.subscription(dead))["notification"]["status"] == "failed"


async def test_a_dead_receiver_is_tried_rarely_whoever_has_something_for_it(
    tmp_path: Path,
) -> None:
    """Eight subscriptions share one gate: three failures close it, its pauses double, and what
    waited is told as soon as it works."""
    sparing = msgspec.structs.replace(QUICK, connections=1, retry_s=0.2, max_retry_s=0.8)
    async with subscribed(tmp_path, sparing) as desk, receiving() as healthy:
        tried_s: list[float] = []

        def refuse(_: Any) -> int:
            tried_s.append(time.monotonic())
            return 503

        desk.receiver.answer = refuse
        await desk.room(a=0)
        numbers = [await desk.subscribe() for _ in range(8)]
        await desk.subscribe(notification={"endpoint": {"uri": healthy.url}})
        await desk.patch(a=1)
        await healthy.next()
        await asyncio.sleep(2.5)
        # At once three times, then after 0.2, 0.4, 0.8 and 0.8 s; eight lanes alone: 40 tries.
        assert 5 <= len(tried_s) <= 7
        pauses = [later - earlier for earlier, later in itertools.pairwise(tried_s)]
        for pause_s, least_s in zip(pauses[2:], (0.2, 0.4, 0.8, 0.8), strict=False):
            assert pause_s >= least_s - 0.02
        views = {view.id: view for view in desk.service.views()}
        assert all(views[number].is_down for number in numbers)
        assert sum(view.is_down for view in views.values()) == 8
        desk.receiver.answer = lambda _: 200
        desk.receiver.received.clear()
        told = await desk.receiver.until(8)
        assert {one.body["subscriptionId"] for one in told} == set(numbers)
        assert not any(view.is_down for view in desk.service.views())


async def test_a_receiver_that_comes_back_gets_everything_in_order(desk: Subscribed) -> None:
    answers = iter([503] * 6)
    desk.receiver.answer = lambda _: next(answers, 200)
    await desk.room(a=0)
    number = await desk.subscribe()
    for value in range(1, 6):
        await desk.patch(a=value)
    async with asyncio.timeout(30):
        while await counters(desk, number) != (5, 1, "ok"):
            await asyncio.sleep(0.01)
    accepted = [one.data[0]["a"]["value"] for one in desk.receiver.received[6:]]
    assert accepted == [1, 2, 3, 4, 5]


async def test_cooldown(desk: Subscribed) -> None:
    """5.2.15: after a failure nothing is sent until the time is over; what came then is lost."""
    desk.receiver.answer = lambda _: 404
    await desk.room(a=0)
    number = await desk.subscribe(notification={"endpoint": {"cooldown": 700}})
    await desk.patch(a=1)
    await desk.receiver.next()
    await until(desk, number, (1, 1, "failed"))
    desk.receiver.answer = lambda _: 200
    await desk.patch(a=2)
    await desk.receiver.nothing(0.1)
    await asyncio.sleep(0.7)
    await desk.patch(a=3)
    assert (await desk.receiver.next()).data[0]["a"]["value"] == 3


async def test_throttling(desk: Subscribed) -> None:
    """5.2.12: so many seconds between two notifications; the last state is told at the end."""
    await desk.room(a=0)
    await desk.room("urn:ngsi-ld:Room:2", a=0)
    await desk.subscribe(throttling=1.0)
    await desk.patch(a=1)
    first = await desk.receiver.next()
    started = time.monotonic()
    for value in (2, 3):
        await desk.patch(a=value)
        await desk.patch("urn:ngsi-ld:Room:2", a=value)
    await desk.receiver.nothing(0.15)
    second = await desk.receiver.next()
    assert time.monotonic() - started > 0.7
    assert [one["a"]["value"] for one in second.data] == [3, 3]
    assert first.body["id"] != second.body["id"]
    await desk.receiver.nothing(0.1)


async def test_time_interval(desk: Subscribed) -> None:
    """5.8.6: periodically all that match, changed or not; nothing when nothing matches."""
    await desk.room(a=1, scope="/x")
    await desk.room("urn:ngsi-ld:Room:2", a=5)
    members = {"timeInterval": 1, "q": "a<3", "notification": {"format": "keyValues"}}
    number = await desk.subscribe(**members)
    await desk.subscribe(**{**members, "q": "a>9"})
    await desk.patch(a=2)
    await desk.receiver.nothing(0.1)
    first, second = await desk.receiver.until(2)
    assert [one["id"] for one in first.data] == [ROOM]
    assert second.data[0]["a"] == 2
    assert first.body["subscriptionId"] == second.body["subscriptionId"] == number
    assert first.body["id"] != second.body["id"]
    await desk.send("PATCH", f"/subscriptions/{number}", {"isActive": False})
    await asyncio.sleep(0.05)
    desk.receiver.received.clear()
    await desk.receiver.nothing(1.2)


async def test_expiry(desk: Subscribed) -> None:
    """5.8.6: an expired subscription is silent, and says so."""
    await desk.room(a=0)
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    number = await desk.subscribe(expiresAt=soon.isoformat().replace("+00:00", "Z"))
    await desk.patch(a=1)
    await desk.receiver.next()
    await asyncio.sleep(0.35)
    assert (await desk.subscription(number))["status"] == "expired"
    await desk.patch(a=2)
    await desk.receiver.nothing()
    body = {"expiresAt": "2099-01-01T00:00:00Z"}
    assert (await desk.send("PATCH", f"/subscriptions/{number}", body)).status_code == 204
    assert (await desk.subscription(number))["status"] == "active"
    await desk.patch(a=3)
    assert (await desk.receiver.next()).data[0]["a"]["value"] == 3


async def test_a_restart_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Subscriptions, counters and undelivered notifications outlive the program."""
    async with receiving() as receiver:
        receiver.answer = lambda _: 503
        endpoint = {"endpoint": {"uri": receiver.url}}
        async with subscribed(tmp_path) as desk:
            await desk.room(a=0)
            number = await desk.subscribe(notification=endpoint)
            for value in (1, 2, 3):
                await desk.patch(a=value)
            (first,) = await receiver.until(1)
            await until(desk, number, (1, 1, "failed"))
        receiver.answer = lambda _: 200
        receiver.received.clear()
        async with subscribed(tmp_path) as desk:
            found = await receiver.until(3)
            assert [one.data[0]["a"]["value"] for one in found] == [1, 2, 3]
            assert found[0].body["id"] == first.body["id"]
            await until(desk, number, (3, 1, "ok"))
            await desk.patch(a=4)
            await receiver.until(1)
            await receiver.nothing()
        async with subscribed(tmp_path) as desk:
            await until(desk, number, (4, 1, "ok"))
            await receiver.nothing()


async def test_names_outlive_the_network(tmp_path: Path) -> None:
    """The @context of a subscription is kept: a restart without internet writes the same names."""
    url = "https://contexts.example.org/city.jsonld"
    link = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    async with receiving() as receiver:
        endpoint = {"endpoint": {"uri": receiver.url}}
        async with subscribed(tmp_path) as desk:
            document = desk.document(
                entities=[{"type": "AirStation"}], q="dust>1", notification=endpoint
            )
            assert (await desk.post(document, link=link)).status_code == 201
        async with subscribed(tmp_path) as desk:
            desk.contexts.documents.clear()
            entity = {
                "id": "urn:ngsi-ld:AirStation:1",
                "type": "https://example.org/city#AirStation",
                "https://example.org/city#dust": 5,
            }
            await desk.create(entity)
            assert (await receiver.next()).data[0]["type"] == "AirStation"


async def test_more_than_fits_into_memory(tmp_path: Path) -> None:
    """A long queue waits in the database and keeps its order."""
    settings = msgspec.structs.replace(QUICK, lane_length=5)
    async with subscribed(tmp_path, settings) as desk:
        answers = iter([503] * 4)
        desk.receiver.answer = lambda _: next(answers, 200)
        await desk.room(a=0)
        await desk.subscribe()
        for value in range(1, 31):
            await desk.patch(a=value)
        found = await desk.receiver.until(34, 15)
        assert [one.data[0]["a"]["value"] for one in found[4:]] == list(range(1, 31))
        await desk.receiver.nothing()


async def test_stored_during_a_refill_and_announced_after_it(tmp_path: Path) -> None:
    """It is delivered too: the table may show what the dispatcher has not heard of yet."""
    settings = msgspec.structs.replace(QUICK, lane_length=1)
    async with subscribed(tmp_path, settings) as desk:
        await desk.subscribe()
        desk.receiver.delay_s = 0.2
        number = desk.service.registry.all()[0].number
        at = datetime.now(UTC)
        waiting = [
            Notification(f"urn:n:{n}", number, f'[{{"id":"{n}"}}]', at, at) for n in (1, 2, 3)
        ]
        outbox, dispatcher = RelationalOutbox(desk.hub.engine), desk.service.dispatcher
        outbox.put(waiting, "test", 0)
        dispatcher.put(waiting[:2])
        await desk.receiver.until(2)
        dispatcher.put(waiting[2:])
        assert (await desk.receiver.next(5)).data == [{"id": "3"}]


async def test_old_notifications_are_given_up(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(QUICK, keep_s=0.1)
    async with subscribed(tmp_path, settings) as desk:
        desk.receiver.answer = lambda _: 503
        number = await desk.subscribe()
        await desk.room(a=1)
        async with asyncio.timeout(20):
            while desk.service.dispatcher.queued or await counters(desk, number) == (None,) * 3:
                await asyncio.sleep(0.01)
        assert desk.service.dispatcher.tally.given_up == 1


async def test_the_tenant_is_named(tmp_path: Path) -> None:
    """6.3.14: notifications of a tenant carry its header."""
    async with subscribed(tmp_path, tenant="hue") as desk:
        await desk.subscribe()
        await desk.room(a=1)
        assert (await desk.receiver.next()).headers["ngsild-tenant"] == "hue"
