"""Create, retrieve, query, update, delete subscriptions (5.8.1 to 5.8.5, 6.10, 6.11)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, CONTEXT_URL, LD_JSON, ROOT, problem_of
from tests.conformance.ngsi_ld.subscriber import Subscribed

NULL = "urn:ngsi-ld:null"
ID = "urn:ngsi-ld:Subscription:1"
FULL: dict[str, Any] = {
    "id": ID,
    "type": "Subscription",
    "subscriptionName": "cold rooms",
    "description": "tells when a room cools down",
    "entities": [{"type": "(Room;Heated),Hall", "idPattern": "^urn:ngsi-ld:Room:.*"}],
    "watchedAttributes": ["temperature"],
    "notificationTrigger": ["entityUpdated", "entityCreated"],
    "q": "temperature<18;name",
    "geoQ": {"georel": "near;maxDistance==2000", "geometry": "Point", "coordinates": [105.8, 21.0]},
    "scopeQ": "/Hanoi/#",
    "csf": "endpoint==1",
    "datasetId": ["urn:ngsi-ld:Dataset:1", "@none"],
    "lang": "vi",
    "expiresAt": "2099-01-01T00:00:00Z",
    "throttling": 0.5,
    "isActive": True,
    "localOnly": True,
    "notification": {
        "pick": ["id", "temperature"],
        "format": "concise",
        "sysAttrs": True,
        "showChanges": True,
        "join": "inline",
        "joinLevel": 2,
        "endpoint": {
            "uri": "http://example.org/notify",
            "accept": LD_JSON,
            "timeout": 500,
            "cooldown": 1000,
            "receiverInfo": [{"key": "Authorization", "value": "Bearer x"}],
        },
    },
}


async def test_what_was_created_is_retrieved(desk: Subscribed) -> None:
    """5.8.3: the subscription as it was given, with its status; read-only members are ours."""
    answer = await desk.post({**FULL, "status": "expired", "unheardOf": 1})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ROOT}/subscriptions/{ID}"
    assert await desk.subscription(ID) == {**FULL, "status": "active"}


async def test_defaults_that_were_not_given_are_not_shown(desk: Subscribed) -> None:
    """5.2.12: but notificationTrigger, which says what the subscription is about."""
    document = desk.document(notification={"timesSent": 42})
    answer = await desk.post(document)
    made = answer.headers["location"].rpartition("/")[2]
    assert made.startswith("urn:ngsi-ld:Subscription:")
    found = await desk.subscription(made)
    assert found == {
        "id": made,
        "type": "Subscription",
        "entities": [{"type": "Room"}],
        "notificationTrigger": ["attributeCreated", "attributeUpdated"],
        "notification": {"endpoint": {"uri": desk.receiver.url}},
        "status": "active",
    }


async def test_names_are_those_of_the_context(desk: Subscribed) -> None:
    """5.5.7: expanded when they come, compacted when they go."""
    document = desk.document(
        id=ID,
        entities=[{"type": "AirStation|Mast"}],
        watchedAttributes=["dust"],
        notification={"attributes": ["dust", "operator"]},
    )
    assert (await desk.post(document, **CONTEXT_LINK)).status_code == 201
    short = await desk.subscription(ID, headers=CONTEXT_LINK)
    assert short["entities"] == [{"type": "AirStation|Mast"}]
    assert short["notification"]["attributes"] == ["dust", "operator"]
    long = await desk.subscription(ID)
    assert long["entities"] == [{"type": "https://example.org/city#AirStation|Mast"}]
    assert long["watchedAttributes"] == ["https://example.org/city#dust"]


async def test_retrieval_in_json_ld(desk: Subscribed) -> None:
    """6.3.5: ld+json has the @context in the body, json in a Link header."""
    await desk.post({**desk.document(id=ID), "@context": CONTEXT_URL})
    headers = {"accept": LD_JSON, **CONTEXT_LINK}
    answer = await desk.get(f"/subscriptions/{ID}", headers=headers)
    assert answer.headers["content-type"] == LD_JSON
    assert answer.json()["@context"] == CONTEXT_URL
    assert "link" not in answer.headers
    answer = await desk.get(f"/subscriptions/{ID}", headers=CONTEXT_LINK)
    assert answer.headers["content-type"] == "application/json"
    assert CONTEXT_URL in answer.headers["link"]


async def test_an_inactive_one_is_paused(desk: Subscribed) -> None:
    """5.8.1.4: isActive false gives status paused."""
    made = await desk.subscribe(isActive=False)
    assert (await desk.subscription(made))["status"] == "paused"


def _endpoint(**members: Any) -> dict[str, Any]:
    return {"notification": {"endpoint": {"uri": "http://example.org/", **members}}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"id": "no uri"}, "id"),
    ({"type": "Room"}, "type"),
    ({"entities": []}, "entities"),
    ({"entities": [{"id": "urn:x:1"}]}, "type"),
    ({"entities": [{"type": "A;"}]}, "entities[0].type"),
    ({"entities": [{"type": "A", "id": "x"}]}, "entities[0].id"),
    ({"entities": [{"type": "A", "idPattern": "("}]}, "idPattern"),
    ({"entities": [{"type": "A"}], "watchedAttributes": []}, "watchedAttributes"),
    ({"watchedAttributes": ["a b"]}, "watchedAttributes[0]"),
    ({"notificationTrigger": []}, "notificationTrigger"),
    ({"notificationTrigger": ["entityChanged"]}, "notificationTrigger[0]"),
    ({"timeInterval": 0}, "timeInterval"),
    ({"timeInterval": True}, "timeInterval"),
    ({"timeInterval": 5, "throttling": 5}, "throttling"),
    ({"timeInterval": 5, "watchedAttributes": ["a"]}, "watchedAttributes"),
    ({"throttling": -1}, "throttling"),
    ({"q": "temperature>"}, "q"),
    ({"q": ""}, "q"),
    ({"csf": "(("}, "csf"),
    ({"scopeQ": "/a;"}, "scopeQ"),
    ({"geoQ": {"georel": "near;maxDistance==5"}}, "geoQ"),
    ({"geoQ": {"georel": "by", "geometry": "Point", "coordinates": [1, 2]}}, "geoQ"),
    ({"geoQ": {"georel": "within", "geometry": "Point", "coordinates": "[1"}}, "geoQ"),
    ({"isActive": "yes"}, "isActive"),
    ({"expiresAt": "2000-01-01T00:00:00Z"}, "expiresAt"),
    ({"expiresAt": "soon"}, "expiresAt"),
    ({"datasetId": ["x"]}, "datasetId[0]"),
    ({"temporalQ": {"timerel": "before"}}, "temporalQ"),
    ({"lang": "not a tag"}, "lang"),
    ({"ngsildConformance": "one"}, "ngsildConformance"),
    ({"jsonldContext": "urn:x:1"}, "jsonldContext"),
    ({"notification": None}, "notification"),
    ({"notification": {}}, "endpoint"),
    ({"notification": {"endpoint": {}}}, "uri"),
    (_endpoint(uri="gopher://x/"), "uri"),
    (_endpoint(uri="mqtt://x"), "topic"),
    (_endpoint(accept="text/html"), "accept"),
    (_endpoint(timeout=0), "timeout"),
    (_endpoint(cooldown=-5), "cooldown"),
    (_endpoint(receiverInfo=[{"key": "K", "value": 42}]), "value"),
    (_endpoint(receiverInfo=[{"key": "K"}]), "value"),
    (_endpoint(receiverInfo=[{"key": 5, "value": "v"}]), "key"),
    (_endpoint(receiverInfo=[{"key": "A", "value": "x\r\nB: y"}]), "value"),
    (_endpoint(notifierInfo=[{"key": "K", "value": {"a": 1}}]), "value"),
    (_endpoint(uri="mqtt://x/y", notifierInfo=[{"key": "MQTT-QoS", "value": "3"}]), "QoS"),
    (_endpoint(uri="mqtt://x/y", accept="application/geo+json"), "accept"),
]


@pytest.mark.parametrize(("members", "place"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
async def test_wrong_members_are_refused(
    standing_desk: Subscribed, members: dict[str, Any], place: str
) -> None:
    """5.8.1.4: data types and restrictions of 5.2.12 to 5.2.15, 5.2.22, 5.2.33."""
    body = problem_of(
        await standing_desk.post({**standing_desk.document(), **members}), 400, "BadRequestData"
    )
    assert place in body["detail"], body
    assert (await standing_desk.get("/subscriptions")).json() == []


@pytest.mark.parametrize(
    "notification",
    [
        {"attributes": []},
        {"pick": []},
        {"omit": []},
        {"attributes": ["a"], "pick": ["a"]},
        {"attributes": ["a"], "omit": ["a"]},
        {"pick": ["id", "a"], "omit": ["a"]},
        {"format": "geojson"},
        {"format": "keyValues", "showChanges": True},
        {"format": "simplified", "showChanges": True},
        {"showChanges": "yes"},
        {"sysAttrs": 1},
        {"join": "deep"},
        {"join": "flat", "joinLevel": 0},
        {"join": "flat", "joinLevel": 1.5},
    ],
    ids=str,
)
async def test_wrong_notification_parameters_are_refused(
    standing_desk: Subscribed, notification: dict[str, Any]
) -> None:
    """5.2.14.1."""
    problem_of(
        await standing_desk.post(standing_desk.document(notification=notification)),
        400,
        "BadRequestData",
    )


async def test_something_to_watch_is_needed(desk: Subscribed) -> None:
    """5.2.12: entities or watchedAttributes, unless localOnly is true."""
    document = desk.document()
    del document["entities"]
    problem_of(await desk.post(document), 400, "BadRequestData")
    assert (await desk.post({**document, "watchedAttributes": ["a"]})).status_code == 201
    assert (await desk.post({**document, "localOnly": True})).status_code == 201


async def test_requests_that_cannot_be_read(desk: Subscribed) -> None:
    """6.3.2, 6.3.4: broken JSON, wrong media type, unknown parameter, no length."""
    post = desk.http.post
    json = {"content-type": "application/json"}
    path = f"{ROOT}/subscriptions"
    problem_of(await post(path, content=b"{", headers=json), 400, "InvalidRequest")
    problem_of(await post(path, content=b"[]", headers=json), 400, "BadRequestData")
    text = {"content-type": "text/plain"}
    problem_of(await post(path, content=b"{}", headers=text), 415, "InvalidRequest")
    problem_of(await post(f"{path}?x=1", json={}), 400, "InvalidRequest")
    problem_of(await desk.get("/subscriptions?page=1"), 400, "InvalidRequest")
    answer = await desk.get("/subscriptions", headers={"accept": "text/html"})
    problem_of(answer, 406, "InvalidRequest")

    async def pieces() -> Any:
        yield b"{}"

    assert (await post(path, content=pieces(), headers=json)).status_code == 411


async def test_an_id_is_used_once(desk: Subscribed) -> None:
    """5.8.1.4: AlreadyExists."""
    assert (await desk.post(desk.document(id=ID))).status_code == 201
    problem_of(await desk.post(desk.document(id=ID)), 409, "AlreadyExists")


async def test_the_context_of_notifications_must_be_there(desk: Subscribed) -> None:
    """5.8.1.4: jsonldContext that is not available, and one that is no @context."""
    missing = desk.document(jsonldContext="https://contexts.example.org/gone.jsonld")
    problem_of(await desk.post(missing), 504, "LdContextNotAvailable")
    wrong = "https://contexts.example.org/wrong.jsonld"
    desk.contexts.documents[wrong] = {"@context": {"a": 5}}
    problem_of(await desk.post(desk.document(jsonldContext=wrong)), 400, "BadRequestData")
    good = desk.document(id=ID, jsonldContext=CONTEXT_URL)
    assert (await desk.post(good)).status_code == 201
    assert (await desk.subscription(ID))["jsonldContext"] == CONTEXT_URL


async def test_listing_in_pages(desk: Subscribed) -> None:
    """5.8.4, 5.5.9: in the order of creation, with links to the pages beside."""
    ids = [await desk.subscribe(id=f"{ID}{n}") for n in range(3)]
    answer = await desk.get("/subscriptions/")
    assert [one["id"] for one in answer.json()] == ids
    answer = await desk.get("/subscriptions?limit=1&offset=1&count=true")
    assert [one["id"] for one in answer.json()] == ids[1:2]
    assert answer.headers["ngsild-results-count"] == "3"
    links = answer.headers.get_list("link")
    path = f"{ROOT}/subscriptions?count=true"
    assert f'<{path}&limit=1&offset=0>;rel="prev";type="application/json"' in links
    assert f'<{path}&limit=1&offset=2>;rel="next";type="application/json"' in links
    last = await desk.get("/subscriptions?limit=2&offset=2", headers={"accept": LD_JSON})
    only = last.headers.get_list("link")
    assert only == [f'<{ROOT}/subscriptions?limit=2&offset=0>;rel="prev";type="{LD_JSON}"']
    answer = await desk.get("/subscriptions?limit=0&count=true")
    assert (answer.json(), answer.headers["ngsild-results-count"]) == ([], "3")
    for wrong in ("limit=0", "limit=-1", "offset=-1", "limit=x"):
        problem_of(await desk.get(f"/subscriptions?{wrong}"), 400, "BadRequestData")
    problem_of(await desk.get("/subscriptions?limit=100000"), 403, "TooManyResults")


async def test_update_replaces_members(desk: Subscribed) -> None:
    """5.8.2.4, 5.5.8: given members replace, NGSI-LD null takes away, the rest stays."""
    await desk.post({**FULL})
    fragment = {
        "type": "Subscription",
        "description": "other",
        "throttling": NULL,
        "q": "name",
        "notification": {"endpoint": {"uri": "http://example.org/other"}},
    }
    answer = await desk.send("PATCH", f"/subscriptions/{ID}", fragment)
    assert (answer.status_code, answer.content) == (204, b"")
    wanted = {**FULL, **fragment, "status": "active"}
    del wanted["throttling"]
    assert await desk.subscription(ID) == wanted


async def test_update_of_notification_alone_keeps_the_endpoint(desk: Subscribed) -> None:
    await desk.subscribe(id=ID, notification={"attributes": ["a"]})
    await desk.send("PATCH", f"/subscriptions/{ID}", {"notification": {"attributes": ["b"]}})
    notification = (await desk.subscription(ID))["notification"]
    assert notification == {"attributes": ["b"], "endpoint": {"uri": desk.receiver.url}}


async def test_update_pauses_and_resumes(desk: Subscribed) -> None:
    """5.8.2.4: the status follows isActive and expiresAt."""
    await desk.subscribe(id=ID)
    path = f"/subscriptions/{ID}"
    for body, status in (
        ({"isActive": False}, "paused"),
        ({"isActive": True}, "active"),
        ({"isActive": True, "expiresAt": "2099-01-01T00:00:00Z"}, "active"),
    ):
        assert (await desk.send("PATCH", path, body)).status_code == 204
        assert (await desk.subscription(ID))["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        {"expiresAt": "2000-01-01T00:00:00Z"},
        {"type": "Other"},
        {"id": "urn:ngsi-ld:Subscription:2"},
        {"notification": {"endpoint": None}},
        {"notification": NULL},
        {"entities": NULL},
        {"q": "a=="},
        {"timeInterval": 5, "throttling": 5},
        {"throttling": None},
        [],
    ],
    ids=str,
)
async def test_wrong_updates_change_nothing(desk: Subscribed, body: Any) -> None:
    """5.8.2.4: BadRequestData."""
    await desk.subscribe(id=ID)
    before = await desk.subscription(ID)
    problem_of(await desk.send("PATCH", f"/subscriptions/{ID}", body), 400, "BadRequestData")
    assert await desk.subscription(ID) == before


async def test_what_is_not_there(desk: Subscribed) -> None:
    """5.8.2, 5.8.3, 5.8.5: ResourceNotFound; an id that is no URI is BadRequestData."""
    for method in ("GET", "PATCH", "DELETE"):
        answer = await desk.send(method, f"/subscriptions/{ID}", {"isActive": True})
        problem_of(answer, 404, "ResourceNotFound")
        answer = await desk.send(method, "/subscriptions/nouri", {"isActive": True})
        problem_of(answer, 400, "BadRequestData")


async def test_delete(desk: Subscribed) -> None:
    """5.8.5."""
    await desk.subscribe(id=ID)
    answer = await desk.http.delete(f"{ROOT}/subscriptions/{ID}")
    assert (answer.status_code, answer.content) == (204, b"")
    problem_of(await desk.get(f"/subscriptions/{ID}"), 404, "ResourceNotFound")
    assert (await desk.get("/subscriptions")).json() == []
    assert (await desk.post(desk.document(id=ID))).status_code == 201
