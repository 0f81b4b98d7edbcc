"""How notifications about registrations travel, and what of failures (5.11.7, 6.3.8, 7.2)."""

import asyncio
from pathlib import Path

import aiomqtt
import msgspec
import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_URL,
    LD_JSON,
    Running,
    running,
)
from tests.conformance.ngsi_ld.peers import OPEN, Recorder, register
from tests.conformance.ngsi_ld.test_registration_subscriptions import (
    PATH,
    REGISTRATIONS,
    URI,
    subscribe,
    subscription,
    told,
)
from tests.mqtt_peers import mosquitto

from dothi.facades.ngsi_ld.notify_settings import NotifySettings

QUICK = msgspec.structs.replace(
    OPEN, notify=NotifySettings(timeout_s=0.5, retry_s=0.03, max_retry_s=0.1)
)


@pytest.fixture(autouse=True)
def accepting(source: Recorder) -> None:
    source.answer("POST", "/notify", 200)


async def test_failures_are_counted(door: Running) -> None:
    """5.11.7: status, timesSent, lastFailure."""
    await subscribe(door, subscription())
    await register(door, "http://a.example.org")
    for _ in range(50):
        await asyncio.sleep(0.01)
        notification = (await door.get(f"{PATH}/{URI}")).json()["notification"]
        if "timesSent" in notification:
            break
    assert (notification["timesSent"], notification["timesFailed"]) == (1, 1)
    assert notification["status"] == "failed"
    assert "lastFailure" in notification
    assert "lastSuccess" not in notification


async def test_headers_and_ld_json(door: Running, source: Recorder) -> None:
    endpoint = {
        "uri": f"{source.url}/notify",
        "accept": LD_JSON,
        "receiverInfo": [{"key": "X-Token", "value": "abc"}],
    }
    await subscribe(door, subscription(source, notification={"endpoint": endpoint}))
    await register(door, "http://a.example.org")
    request = (await told(source, 1))[0]
    assert request.headers["x-token"] == "abc"
    assert request.headers["content-type"] == LD_JSON
    assert "@context" in request.body["data"][0]


async def test_subscriptions_outlive_a_restart(tmp_path: Path, source: Recorder) -> None:
    async with running(tmp_path, OPEN) as door:
        await subscribe(door, subscription(source))
    async with running(tmp_path, OPEN) as door:
        await register(door, "http://a.example.org")
        await told(source, 1)
        assert len((await door.get(PATH)).json()) == 1


async def test_of_a_tenant_and_headers_of_the_connection(door: Running, source: Recorder) -> None:
    """6.3.14: the notification names the tenant. receiverInfo cannot break the request."""
    tenant = {"NGSILD-Tenant": "thuduc"}
    named = {"Content-Length": "1", "Host": "evil", "transfer-encoding": "chunked", "X-A": "1"}
    pairs = [{"key": key, "value": value} for key, value in named.items()]
    endpoint = {"uri": f"{source.url}/notify", "receiverInfo": pairs}
    await subscribe(door, subscription(notification={"endpoint": endpoint}), **tenant)
    made = {
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": "http://a.example.org",
    }
    assert (await door.send("POST", REGISTRATIONS, made, **tenant)).status_code == 201
    (request,) = await told(source, 1)
    assert request.headers["ngsild-tenant"] == "thuduc"
    assert (request.headers["x-a"], request.headers["host"] == "evil") == ("1", False)


async def test_intervals_go_on_after_a_restart(tmp_path: Path, source: Recorder) -> None:
    """5.11.7: nobody has to ask for the subscription first."""
    async with running(tmp_path, OPEN) as door:
        await register(door, "http://a.example.org")
        await subscribe(door, subscription(source, timeInterval=0.3, id="urn:s:1"))
    source.requests.clear()
    async with running(tmp_path, OPEN):
        async with asyncio.timeout(5):
            while not source.requests:
                await asyncio.sleep(0.01)
    assert source.last.body["subscriptionId"] == "urn:s:1"
    count = len(source.requests)
    await asyncio.sleep(0.4)
    assert len(source.requests) == count, "it ends with its hub"


async def test_the_first_requests_after_a_restart_see_every_subscription(
    tmp_path: Path, source: Recorder
) -> None:
    async with running(tmp_path, OPEN) as door:
        for number in range(3):
            body = subscription(source, id=f"urn:s:{number}", jsonldContext=CONTEXT_URL)
            await subscribe(door, body)
    async with running(tmp_path, OPEN) as door:
        answers = await asyncio.gather(*(door.get(f"{PATH}/urn:s:{n % 3}") for n in range(9)))
        assert {answer.status_code for answer in answers} == {200}


@pytest.mark.needs("mosquitto")
async def test_over_mqtt(door: Running, tmp_path: Path, mosquitto_path: str) -> None:
    """7.2: the headers of HTTP travel as metadata, beside the body."""
    with mosquitto(mosquitto_path, tmp_path) as broker:
        endpoint = {
            "uri": f"mqtt://127.0.0.1:{broker.port}/sources",
            "notifierInfo": [{"key": "MQTT-QoS", "value": "1"}],
            "receiverInfo": [{"key": "X-Token", "value": "abc"}],
        }
        async with aiomqtt.Client("127.0.0.1", broker.port) as client, asyncio.timeout(10):
            await client.subscribe("sources", qos=1)
            await subscribe(door, subscription(notification={"endpoint": endpoint}))
            await register(door, "http://a.example.org", uri="urn:r:1")
            message = await anext(aiter(client.messages))
    assert isinstance(message.payload, bytes)
    sent = msgspec.json.decode(message.payload)
    assert sent["metadata"]["X-Token"] == "abc"
    assert sent["metadata"]["Content-Type"] == "application/json"
    assert "json-ld#context" in sent["metadata"]["Link"]
    assert sent["body"]["subscriptionId"] == URI
    assert sent["body"]["triggerReason"] == "newlyMatching"
    assert [found["id"] for found in sent["body"]["data"]] == ["urn:r:1"]
    assert message.qos == 1
    shown = (await door.get(f"{PATH}/{URI}")).json()["notification"]["endpoint"]
    assert shown == endpoint


async def test_what_is_not_taken_is_sent_again_in_order(tmp_path: Path, source: Recorder) -> None:
    """A receiver that is away for a moment misses nothing; it counts as one notification."""
    source.answer("POST", "/notify", 503)
    async with running(tmp_path, QUICK) as door:
        await subscribe(door, subscription(source))
        await register(door, "http://a.example.org", uri="urn:r:1")
        await door.send("PATCH", f"{REGISTRATIONS}/urn:r:1", {"description": "x"})
        async with asyncio.timeout(5):
            while len(source.requests) < 3:
                await asyncio.sleep(0.01)
        shown = (await door.get(f"{PATH}/{URI}")).json()["notification"]
        assert (shown["status"], shown["timesSent"]) == ("failed", 1)
        source.requests.clear()
        source.answer("POST", "/notify", 200)
        async with asyncio.timeout(5):
            while len(source.requests) < 2:
                await asyncio.sleep(0.01)
        reasons = [request.body["triggerReason"] for request in source.requests]
        assert reasons == ["newlyMatching", "updated"]
        await asyncio.sleep(0.05)
        shown = (await door.get(f"{PATH}/{URI}")).json()["notification"]
        assert (shown["status"], shown["timesSent"]) == ("ok", 2)


async def test_who_was_not_reached_is_told_after_a_restart(
    tmp_path: Path, source: Recorder
) -> None:
    source.answer("POST", "/notify", 503)
    async with running(tmp_path, QUICK) as door:
        await subscribe(door, subscription(source))
        await register(door, "http://a.example.org", uri="urn:r:1")
        async with asyncio.timeout(5):
            while not source.requests:
                await asyncio.sleep(0.01)
            while "notification" not in (shown := (await door.get(f"{PATH}/{URI}")).json()) or (
                "timesFailed" not in shown["notification"]
            ):
                await asyncio.sleep(0.01)
    source.requests.clear()
    source.answer("POST", "/notify", 200)
    async with running(tmp_path, QUICK):
        async with asyncio.timeout(5):
            while not source.requests:
                await asyncio.sleep(0.01)
    assert [one["id"] for one in source.last.body["data"]] == ["urn:r:1"]
