"""Subscriptions, registrations and snapshots with values that nobody sends in good faith."""

import asyncio
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_URL, LD_JSON, ROOT, Running, problem_of
from tests.conformance.ngsi_ld.peers import Recorder
from tests.conformance.ngsi_ld.subscriber import Subscribed

ENDLESS = 10**400


def registration(**members: Any) -> dict[str, Any]:
    return {
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": "http://127.0.0.1:9",
        **members,
    }


def about_registrations(uri: str = "http://127.0.0.1:9/n", **members: Any) -> dict[str, Any]:
    endpoint = {"uri": uri, **members.pop("endpoint", {})}
    return {
        "type": "Subscription",
        "entities": [{"type": "Vehicle"}],
        "notification": {"endpoint": endpoint},
        **members,
    }


def snapshot(**members: Any) -> dict[str, Any]:
    query = {"type": "Query", "entities": [{"type": "Vehicle"}]}
    return {"type": "Snapshot", "snapshotQueries": [query], **members}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/csourceRegistrations", registration(management={"timeout": ENDLESS})),
        ("/csourceRegistrations", registration(operations=[["retrieveOps"]])),
        ("/csourceRegistrations", registration(operations=[{}])),
        ("/csourceRegistrations", registration(scope={})),
        ("/csourceRegistrations", registration(tenant="a\nb: c")),
        ("/csourceRegistrations", registration(contextSourceAlias="a\r\n")),
        ("/csourceRegistrations", registration(endpoint="http://[::1")),
        ("/csourceRegistrations", registration(endpoint="http://127.0.0.1:99999")),
        ("/csourceSubscriptions", about_registrations(timeInterval=ENDLESS)),
        ("/csourceSubscriptions", about_registrations(timeInterval=1e300)),
        ("/csourceSubscriptions", about_registrations(temporalQ={"timerel": ["before"]})),
        ("/csourceSubscriptions", about_registrations(scopeQ="///")),
        ("/csourceSubscriptions", about_registrations(jsonldContext="http://[::1")),
        ("/csourceSubscriptions", about_registrations(endpoint={"timeout": ENDLESS})),
        ("/csourceSubscriptions", about_registrations("http://[::1")),
        ("/csourceSubscriptions", about_registrations("http://127.0.0.1:99999")),
        ("/snapshots", snapshot(endpoint="http://[::1")),
    ],
)
async def test_refused(standing_door: Running, path: str, body: dict[str, Any]) -> None:
    """5.5.2: wrong data is BadRequestData, and nothing of it is kept."""
    problem_of(await standing_door.send("POST", path, body), 400, "BadRequestData")
    if path != "/snapshots":
        assert (
            await standing_door.get(f"{path}?type=Vehicle" if "Reg" in path else path)
        ).json() == []


@pytest.mark.parametrize(
    "members",
    [
        {"timeInterval": 9e11},
        {"throttling": 9e11},
        {"jsonldContext": "http://[::1"},
        {"notification": {"endpoint": {"uri": "http://[::1"}}},
    ],
)
async def test_no_half_subscription(standing_desk: Subscribed, members: dict[str, Any]) -> None:
    """5.8.1: what would lead beyond the calendar is refused whole."""
    problem_of(await standing_desk.post(standing_desk.document(**members)), 400, "BadRequestData")
    assert (await standing_desk.get("/subscriptions")).json() == []


async def test_an_interval_is_never_a_flood(desk: Subscribed) -> None:
    await desk.room(a=1)
    await desk.subscribe(timeInterval=1e-9)
    await desk.receiver.until(2)
    (kept,) = (await desk.get("/subscriptions")).json()
    assert kept["timeInterval"] == 1e-9
    assert kept["notification"]["timesSent"] <= 4


async def test_jsonld_context_of_a_subscription_to_registrations(
    door: Running, source: Recorder
) -> None:
    """5.2.12: notifications have the names of jsonldContext."""
    source.answer("POST", "/notify", 200)
    body = about_registrations(f"{source.url}/notify", jsonldContext=CONTEXT_URL)
    body["entities"] = [{"type": "https://example.org/city#AirStation"}]
    assert (await door.send("POST", "/csourceSubscriptions", body)).status_code == 201
    made = registration()
    made["information"] = [{"entities": [{"type": "https://example.org/city#AirStation"}]}]
    assert (await door.send("POST", "/csourceRegistrations", made)).status_code == 201
    async with asyncio.timeout(5):
        while not source.requests:
            await asyncio.sleep(0.01)
    told = source.last
    assert CONTEXT_URL in told.headers["link"]
    assert told.body["data"][0]["information"][0]["entities"] == [{"type": ["AirStation"]}]
    refused = about_registrations(jsonldContext="https://nowhere.example/x.jsonld")
    answer = await door.http.post(f"{ROOT}/csourceSubscriptions", json=refused)
    problem_of(answer, 504, "LdContextNotAvailable")


@pytest.mark.parametrize("path", ["/subscriptions", "/csourceSubscriptions"])
async def test_an_inline_context_gets_an_address(
    door: Running, source: Recorder, path: str
) -> None:
    """5.13.1: notifications in JSON name the @context; a refused request leaves none."""
    source.answer("POST", "/notify", 200)
    inline = {"Vehicle": "https://example.org/v#Vehicle", "speed": "https://example.org/v#speed"}
    body = {**about_registrations(f"{source.url}/notify"), "@context": inline}
    media = {"content-type": LD_JSON}
    problem_of(await door.send("POST", path, {**body, "q": "(("}, **media), 400, "BadRequestData")
    assert (await door.get("/jsonldContexts?kind=ImplicitlyCreated")).json() == []
    assert (await door.send("POST", path, body, **media)).status_code == 201
    (url,) = (await door.get("/jsonldContexts?kind=ImplicitlyCreated")).json()
    assert (await door.http.get(url)).json() == {"@context": inline}
    if path == "/subscriptions":
        return
    made = registration(information=[{"entities": [{"type": inline["Vehicle"]}]}])
    assert (await door.send("POST", "/csourceRegistrations", made)).status_code == 201
    async with asyncio.timeout(5):
        while not source.requests:
            await asyncio.sleep(0.01)
    assert url in source.last.headers["link"]
    assert source.last.body["data"][0]["information"][0]["entities"] == [{"type": ["Vehicle"]}]
