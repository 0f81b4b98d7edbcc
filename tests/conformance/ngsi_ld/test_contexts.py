"""Storing, managing and serving @contexts (clauses 5.13, 6.29, 6.30)."""

import asyncio
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT,
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)

from dothi.facades.ngsi_ld.context.core import CORE_URL

CONTEXTS = f"{ROOT}/jsonldContexts"
OWN = {"@context": {"dust": "https://example.org/own#dust"}}


async def _host(door: Running, document: Any = OWN, **headers: str) -> str:
    """Local id of a hosted @context."""
    answer = await door.http.post(CONTEXTS, json=document, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    location: str = answer.headers["location"]
    assert location.startswith(f"{CONTEXTS}/")
    return location.rpartition("/")[2]


async def _details(door: Running, name: str, **headers: str) -> dict[str, Any]:
    answer = await door.get(
        f"/jsonldContexts/{name.replace('/', '%2F')}", params={"details": "true"}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


async def test_a_hosted_context_is_served_and_removed(door: Running) -> None:
    """5.13.2, 5.13.4, 5.13.5."""
    local = await _host(door, {**OWN, "note": "discarded"})
    answer = await door.get(f"/jsonldContexts/{local}")
    assert answer.json() == OWN
    assert answer.headers["content-type"] == "application/json"
    assert "link" not in answer.headers
    ld = await door.get(f"/jsonldContexts/{local}", headers={"accept": LD_JSON})
    assert ld.headers["content-type"] == LD_JSON
    details = await _details(door, local)
    assert details["kind"] == "Hosted"
    assert details["localId"] == local
    assert details["URL"] == f"{str(door.http.base_url).rstrip('/')}{CONTEXTS}/{local}"
    assert details["createdAt"].endswith("Z")
    assert details.keys() <= {
        *("URL", "localId", "kind", "createdAt"),
        *("lastUsage", "numberOfHits", "extraInfo"),
    }
    assert (await door.http.delete(f"{CONTEXTS}/{local}")).status_code == 204
    problem_of(await door.get(f"/jsonldContexts/{local}"), 404, "ResourceNotFound")
    problem_of(await door.http.delete(f"{CONTEXTS}/{local}"), 404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "InvalidRequest"),
        (b"[]", "InvalidRequest"),
        (b'{"a": "x:y"}', "InvalidRequest"),
        (b'{"@context": 5}', "BadRequestData"),
        (b'{"@context": true}', "BadRequestData"),
        (b'{"@context": ["https://example.org/c.jsonld", 5]}', "BadRequestData"),
        (b'{"@context": "no url"}', "BadRequestData"),
        (b'{"@context": {"a": {"@reverse": "x:y"}}}', "BadRequestData"),
        (b'{"@context": {"a": 5}}', "BadRequestData"),
    ],
)
async def test_what_is_no_context_is_not_stored(
    standing_door: Running, body: bytes, kind: str
) -> None:
    """5.13.2.4 with 5.5.4."""
    headers = {"content-type": "application/json"}
    answer = await standing_door.http.post(CONTEXTS, content=body, headers=headers)
    problem_of(answer, 400, kind)
    assert "location" not in answer.headers
    assert (await standing_door.get("/jsonldContexts", params={"kind": "Hosted"})).json() == []


async def test_a_hosted_context_is_used_without_a_fetch(door: Running) -> None:
    """Its URL here works in the body and in a Link header, and counts its uses."""
    local = await _host(door)
    url = f"https://broker.example.org{CONTEXTS}/{local}"
    assert (await _details(door, local))["numberOfHits"] == 0
    entity = {"id": "urn:ngsi-ld:A:1", "type": "A", "dust": {"value": 3}, "@context": url}
    assert (await door.create(entity)).status_code == 201
    link = {"link": f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD_JSON}"'}
    found = await door.entity("urn:ngsi-ld:A:1", headers=link)
    assert found["dust"]["value"] == 3
    plain = await door.entity("urn:ngsi-ld:A:1")
    assert "https://example.org/own#dust" in plain
    assert door.contexts.loaded == []
    details = await _details(door, local)
    assert details["numberOfHits"] == 3
    assert details["lastUsage"] >= details["createdAt"]


async def test_after_its_removal_a_hosted_context_is_not_available(door: Running) -> None:
    local = await _host(door)
    url = f"https://broker.example.org{CONTEXTS}/{local}"
    entity = {"id": "urn:ngsi-ld:A:1", "type": "A", "dust": {"value": 3}, "@context": url}
    assert (await door.create(entity)).status_code == 201
    await door.http.delete(f"{CONTEXTS}/{local}")
    answer = await door.create({**entity, "id": "urn:ngsi-ld:A:2"})
    problem_of(answer, 504, "LdContextNotAvailable")


async def test_a_cached_context(door: Running) -> None:
    """Known by its local id and its original URL; listed, not served (5.13.3, 5.13.4)."""
    room = {"id": "urn:ngsi-ld:A:1", "type": "AirStation"}
    assert (await door.create(room, **CONTEXT_LINK)).status_code == 201
    details = await _details(door, CONTEXT_URL)
    assert details["URL"] == CONTEXT_URL
    assert details["kind"] == "Cached"
    assert details["numberOfHits"] == 1
    assert (await _details(door, details["localId"]))["URL"] == CONTEXT_URL
    for name in (CONTEXT_URL.replace("/", "%2F"), details["localId"]):
        answer = await door.get(f"/jsonldContexts/{name}")
        problem_of(answer, 422, "OperationNotSupported")
    assert CONTEXT_URL in (await door.get("/jsonldContexts", params={"kind": "Cached"})).json()
    assert (await door.create({**room, "id": "urn:ngsi-ld:A:2"}, **CONTEXT_LINK)).is_success
    assert door.contexts.loaded == [CONTEXT_URL]


async def test_reload(door: Running) -> None:
    """5.13.5.4: the copy is replaced, or stays when the new one cannot be had."""
    name = CONTEXT_URL.replace("/", "%2F")
    entity = {"id": "urn:ngsi-ld:A:1", "type": "AirStation", "dust": {"value": 1}}
    assert (await door.create(entity, **CONTEXT_LINK)).status_code == 201
    moved = {"@context": {"dust": "https://example.org/moved#dust"}}
    door.contexts.documents[CONTEXT_URL] = moved
    answer = await door.http.delete(f"{CONTEXTS}/{name}", params={"reload": "true"})
    assert answer.status_code == 204
    found = await door.entity("urn:ngsi-ld:A:1", headers=CONTEXT_LINK)
    assert "https://example.org/city#dust" in found

    del door.contexts.documents[CONTEXT_URL]
    answer = await door.http.delete(f"{CONTEXTS}/{name}", params={"reload": "true"})
    problem_of(answer, 504, "LdContextNotAvailable")
    assert (await _details(door, CONTEXT_URL))["kind"] == "Cached"
    assert (await door.http.delete(f"{CONTEXTS}/{name}")).status_code == 204
    answer = await door.get(f"/jsonldContexts/{name}", params={"details": "true"})
    problem_of(answer, 404, "ResourceNotFound")
    problem_of(await door.create(entity, **CONTEXT_LINK), 504, "LdContextNotAvailable")
    door.contexts.documents[CONTEXT_URL] = CONTEXT


async def test_reload_is_for_cached_ones(door: Running) -> None:
    """5.13.5.4, and the values of the parameter."""
    local = await _host(door)
    for name, value in ((local, "true"), ("unknown", "true"), (local, "xxx")):
        answer = await door.http.delete(f"{CONTEXTS}/{name}", params={"reload": value})
        problem_of(answer, 400, "BadRequestData")
    assert (await door.get(f"/jsonldContexts/{local}")).status_code == 200
    answer = await door.http.delete(f"{CONTEXTS}/{local}", params={"reload": "false"})
    assert answer.status_code == 204


async def test_the_core_is_served_and_cannot_be_removed(door: Running) -> None:
    for name in (CORE_URL, "ngsi-ld-core-context-v1.8.jsonld"):
        answer = await door.get(f"/jsonldContexts/{name.replace('/', '%2F')}")
        assert "Property" in answer.json()["@context"]
        removed = await door.http.delete(f"{CONTEXTS}/{name.replace('/', '%2F')}")
        problem_of(removed, 400, "BadRequestData")
        # 5.13.5.4: "reload" is for cached ones, and it is one; it is never fetched here.
        path = f"{CONTEXTS}/{name.replace('/', '%2F')}"
        assert (await door.http.delete(path, params={"reload": "true"})).status_code == 204
    assert (await _details(door, CORE_URL))["kind"] == "Cached"
    assert door.contexts.loaded == []


async def test_lists(door: Running) -> None:
    """6.29.3.2."""
    first, second = await _host(door), await _host(door)
    assert first != second
    plain = (await door.get("/jsonldContexts")).json()
    assert [url.rpartition("/")[2] for url in plain[1:]] == [first, second]
    assert plain[0] == CORE_URL
    details = (await door.get("/jsonldContexts/", params={"details": "true"})).json()
    assert [one["URL"] for one in details] == plain
    hosted = (await door.get("/jsonldContexts", params={"kind": "Hosted"})).json()
    assert hosted == plain[1:]
    implicit = await door.get("/jsonldContexts", params={"kind": "ImplicitlyCreated"})
    assert implicit.json() == []
    for parameters in ({"kind": "hosted"}, {"details": "yes"}):
        problem_of(await door.get("/jsonldContexts", params=parameters), 400, "BadRequestData")
    problem_of(await door.get("/jsonldContexts", params={"x": "1"}), 400, "InvalidRequest")
    xml = await door.get("/jsonldContexts", headers={"accept": "application/xml"})
    problem_of(xml, 406, "InvalidRequest")


async def test_a_hosted_context_belongs_to_its_tenant(door: Running) -> None:
    """5.5.10; cached copies of public documents are for all."""
    local = await _host(door, **{"NGSILD-Tenant": "a"})
    for tenant in ({"ngsild-tenant": "b"}, {}):
        answer = await door.get(f"/jsonldContexts/{local}", headers=tenant)
        problem_of(answer, 404, "ResourceNotFound")
        listed = await door.get("/jsonldContexts", headers=tenant)
        assert listed.json() == [CORE_URL]
        gone = await door.http.delete(f"{CONTEXTS}/{local}", headers=tenant)
        problem_of(gone, 404, "ResourceNotFound")
    answer = await door.get(f"/jsonldContexts/{local}", headers={"ngsild-tenant": "a"})
    assert answer.json() == OWN
    assert answer.headers["ngsild-tenant"] == "a"
    entity = {"id": "urn:ngsi-ld:A:1", "type": "A", "@context": f"https://b.org{CONTEXTS}/{local}"}
    problem_of(await door.create(entity), 504, "LdContextNotAvailable")
    assert (await door.create(entity, **{"NGSILD-Tenant": "a"})).status_code == 201


async def test_one_missing_url_is_asked_for_once(door: Running) -> None:
    entity = {"type": "A", "@context": "https://nowhere.example.org/c.jsonld"}
    answers = await asyncio.gather(
        *(door.create({**entity, "id": f"urn:ngsi-ld:A:{n}"}) for n in range(8))
    )
    for answer in answers:
        problem_of(answer, 504, "LdContextNotAvailable")
    assert door.contexts.loaded == ["https://nowhere.example.org/c.jsonld"]


async def test_an_implicit_context_for_a_subscription(door: Running) -> None:
    """5.13.1: an @context that is an array gets a URL here, which the subscription names."""
    body = {
        "id": "urn:ngsi-ld:Subscription:1",
        "type": "Subscription",
        "entities": [{"type": "A"}],
        "notification": {"endpoint": {"uri": "http://192.0.2.1/n"}},
        "@context": [{"a": "https://example.org/a"}, {"b": "https://example.org/b"}],
    }
    answer = await door.http.post(
        f"{ROOT}/subscriptions", json=body, headers={"content-type": LD_JSON}
    )
    assert answer.status_code == 201, answer.text
    url = (await door.get("/subscriptions/urn:ngsi-ld:Subscription:1")).json()["jsonldContext"]
    local = url.rpartition("/")[2]
    assert (await door.http.get(url)).json() == {"@context": body["@context"]}
    details = await _details(door, local)
    # Making the subscription is no use of what was made for it.
    assert (details["kind"], details["numberOfHits"]) == ("ImplicitlyCreated", 1)
    listed = await door.get("/jsonldContexts", params={"kind": "ImplicitlyCreated"})
    assert listed.json() == [url]
    entity = {"id": "urn:ngsi-ld:A:1", "type": "A", "a": {"value": 1}, "@context": url}
    assert (await door.create(entity)).status_code == 201
    assert "https://example.org/a" in await door.entity("urn:ngsi-ld:A:1")
    assert door.contexts.loaded == []
