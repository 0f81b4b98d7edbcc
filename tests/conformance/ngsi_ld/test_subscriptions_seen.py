"""What the console learns of subscriptions: GET /api/v1/subscriptions over a real registry."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from tests.conformance.ngsi_ld.subscriber import Subscribed
from tests.serving import client_of, serve

from dothi.api.deps import ApiDeps
from dothi.api.subscriptions import endpoints

DEAD = "http://operator:s3cret@127.0.0.1:9/x"
"""Nobody listens at the discard port."""


async def _seen(desk: Subscribed) -> dict[str, Any]:
    """By id."""
    deps = cast("ApiDeps", SimpleNamespace(deliveries=desk.service))
    async with serve(endpoints(deps)) as address, client_of(address) as client:
        answer = await client.get("/api/v1/subscriptions")
        assert answer.status_code == 200, answer.text
        return {one["id"]: one for one in answer.json()}


async def test_how_each_delivery_goes(desk: Subscribed) -> None:
    """A working one, a dead one and one that nobody needed yet, with what waits for them."""
    works = await desk.subscribe(subscriptionName="Phòng trực")
    dead = await desk.subscribe(watchedAttributes=["a"], notification={"endpoint": {"uri": DEAD}})
    idle = await desk.subscribe(entities=[{"type": "Tram"}])
    await desk.room(a=1)
    for value in (2, 3):
        await desk.patch(a=value)
    await desk.receiver.until(3)
    async with asyncio.timeout(20):
        while True:
            seen = await _seen(desk)
            if seen[dead]["is_down"] and seen[works]["times_sent"] == 3:
                break
            await asyncio.sleep(0.02)
    good, bad, silent = seen[works], seen[dead], seen[idle]
    assert (good["name"], good["about"]) == ("Phòng trực", "Room")
    assert (good["status"], good["delivery"], good["is_down"]) == ("active", "ok", False)
    assert (good["waiting"], good["times_failed"]) == (0, 0)
    assert good["last_success_at"] == good["last_notification_at"]
    assert good["last_failure_at"] is None
    assert good["last_error"] == ""
    assert bad["endpoint"] == "http://127.0.0.1:9/x", "never with user and password"
    assert bad["about"] == "Room [a]"
    assert (bad["status"], bad["delivery"], bad["waiting"]) == ("active", "failed", 3)
    assert (bad["times_sent"], bad["times_failed"]) == (1, 1), "notifications, not attempts"
    assert bad["last_success_at"] is None
    assert bad["last_failure_at"] is not None
    assert "refused" in bad["last_error"]
    assert (silent["delivery"], silent["waiting"], silent["times_sent"]) == ("", 0, 0)
    assert silent["last_notification_at"] is None
    await desk.send("PATCH", f"/subscriptions/{idle}", {"isActive": False})
    assert (await _seen(desk))[idle]["status"] == "paused"


async def test_nobody_subscribed(desk: Subscribed) -> None:
    assert await _seen(desk) == {}


async def test_what_each_is_about(desk: Subscribed) -> None:
    """Everything with an attribute, and only what meets a condition."""
    document = desk.document(id="urn:s:wide", watchedAttributes=["a"])
    del document["entities"]
    assert (await desk.post(document)).status_code == 201
    narrow = await desk.subscribe(watchedAttributes=["a"], q="a>5|b")
    seen = await _seen(desk)
    assert seen["urn:s:wide"]["about"] == "* [a]"
    assert seen[narrow]["about"] == "Room [a]; q: a>5|b"
