"""Members and headers that are told once, or twice, or that have run out (clauses 4.5, 4.9, 4.22,
5.2.9 and 6.3.5)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, ROOT, Running, problem_of

ID = "urn:ngsi-ld:Vehicle:1"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
LINK = CONTEXT_LINK["link"]


def _body(**attributes: Any) -> dict[str, Any]:
    return {"id": ID, "type": "Vehicle", **attributes}


@pytest.mark.parametrize("lang", [{"en": "x"}, ["vi"], 7, True, "", None])
async def test_a_language_that_is_no_tag(standing_door: Running, lang: Any) -> None:
    """4.15: `lang` is the tag itself, no sub-attribute."""
    answer = await standing_door.send("POST", "/entities", _body(a={"value": "x", "lang": lang}))
    problem_of(answer, 400, "BadRequestData")


async def test_the_language_of_a_text_stays(door: Running) -> None:
    told = {"type": "Property", "value": "Chợ Lớn", "lang": "vi"}
    assert (await door.create(_body(name=told))).status_code == 201
    assert (await door.entity(ID))["name"] == told
    change = {"name": {"value": "Market", "lang": "en"}}
    assert (await door.send("PATCH", f"/entities/{ID}", change)).status_code == 204
    assert (await door.entity(ID))["name"] == told | change["name"]
    both = {"type": "LanguageProperty", "languageMap": {"vi": "x"}, "lang": "vi"}
    answer = await door.send("POST", f"/entities/{ID}/attrs", {"b": both})
    problem_of(answer, 400, "BadRequestData")
    answer = await door.send("POST", f"/entities/{ID}/attrs", {"lang": {"value": "vi"}})
    problem_of(answer, 400, "BadRequestData")
    value = {"text": "x", "lang": "vi"}
    answer = await door.send("POST", f"/entities/{ID}/attrs", {"c": value})
    assert answer.status_code == 204
    assert (await door.entity(ID))["c"] == {"type": "Property", "value": value}


OF_ANOTHER_KIND = [
    ({"object": "urn:x:1"}, {"unitCode": "MTR"}),
    ({"objectList": ["urn:x:1"]}, {"unitCode": "MTR"}),
    ({"languageMap": {"vi": "x"}}, {"unitCode": "MTR"}),
    ({"languageMap": {"vi": "x"}}, {"lang": "vi"}),
    ({"languageMap": {"vi": "x"}}, {"valueType": "xsd:string"}),
    ({"vocab": "x"}, {"unitCode": "MTR"}),
    ({"json": {"x": 1}}, {"unitCode": "MTR"}),
]


@pytest.mark.parametrize(("told", "change"), OF_ANOTHER_KIND)
async def test_a_change_without_type_adds_no_member_of_another_kind(
    door: Running, told: dict[str, Any], change: dict[str, Any]
) -> None:
    """4.5.3.2, 4.5.18.2, 4.5.20.2, 4.5.22.2 and 4.5.24.2 hold for what is stored, whoever wrote."""
    assert (await door.create(_body(a=told, b={"value": 1, "c": told}))).status_code == 201
    before = await door.entity(ID)
    for path, body in (
        (f"/entities/{ID}/attrs/a", change),
        (f"/entities/{ID}", {"a": change}),
        (f"/entities/{ID}", {"b": {"c": change}}),
    ):
        problem_of(await door.send("PATCH", path, body), 400, "BadRequestData")
    assert await door.entity(ID) == before


async def test_a_change_without_type_of_members_that_a_kind_has(door: Running) -> None:
    words = {"type": "LanguageProperty", "languageMap": {"vi": "x"}}
    assert (await door.create(_body(a=words, b={"object": "urn:x:1"}))).status_code == 201
    changes = (("a", {"valueType": "langString"}), ("b", {"unitCode": "urn:ngsi-ld:null"}))
    for name, change in changes:
        answer = await door.send("PATCH", f"/entities/{ID}/attrs/{name}", change)
        assert answer.status_code == 204, answer.text
    found = await door.entity(ID)
    assert found["a"] == words | {"valueType": "langString"}
    assert found["b"] == {"type": "Relationship", "object": "urn:x:1"}


async def test_vocab_is_a_name_like_others(door: Running) -> None:
    told = {"type": "VocabProperty", "vocab": "stopped"}
    assert (await door.create(_body(vocab=told))).status_code == 201
    assert (await door.entity(ID))["vocab"] == told
    assert (await door.entity(ID, params={"attrs": "vocab"})).keys() == {"id", "type", "vocab"}
    found = (
        await door.get("/entities", params={"q": "vocab==stopped", "expandValues": "vocab"})
    ).json()
    assert [one["id"] for one in found] == [ID]
    assert (await door.http.delete(f"{ROOT}/entities/{ID}/attrs/vocab")).status_code == 204
    inside = {"value": 1, "sub": {"value": 1, "vocab": "x"}}
    answer = await door.send("POST", f"/entities/{ID}/attrs", {"a": inside})
    problem_of(answer, 400, "BadRequestData")


async def test_a_sub_attribute_is_gone_when_its_time_has_come(door: Running) -> None:
    """4.22: it may be of any Property or Relationship; what else is there stays."""
    soon = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat().replace("+00:00", "Z")
    speed = {
        "type": "Property",
        "value": 10,
        "accuracy": {"type": "Property", "value": 1, "expiresAt": soon},
        "note": [
            {"type": "Property", "value": "x"},
            {"type": "Property", "value": "y", "datasetId": "urn:d:1", "expiresAt": soon},
        ],
    }
    assert (await door.create(_body(speed=speed))).status_code == 201
    assert "accuracy" in (await door.entity(ID))["speed"]
    await asyncio.sleep(0.5)
    left = {"type": "Property", "value": 10, "note": [{"type": "Property", "value": "x"}]}
    assert (await door.entity(ID))["speed"] == left


async def test_values_of_json_keys_are_not_expanded(door: Running) -> None:
    """4.9: what is said to be no JSON-LD is compared as it was sent."""
    await door.create(_body(use={"type": "VocabProperty", "vocab": "office"}))
    at = {"type": "Vehicle", "q": "use==office"}
    past = at | {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z", "timeproperty": "createdAt"}
    for path, params in (("/entities", at), ("/temporal/entities", past)):
        for lists, count in (
            ({"expandValues": "use"}, 1),
            ({"expandValues": "use", "jsonKeys": "use"}, 0),
            ({"expandValues": "use", "jsonKeys": "other"}, 1),
        ):
            found = (await door.get(path, params=params | lists)).json()
            assert len(found) == count, (path, lists)


async def test_several_context_links(door: Running) -> None:
    """6.3.5: two say nothing; the same one twice, or one beside links of other kinds, does."""
    other = LINK.replace(LINK.partition(">")[0], f"<{CORE}")
    for links, status in (
        (f"{LINK}, {LINK}", 200),
        (f"{LINK}, <{CORE}>; rel=alternate", 200),
        (f"<{CORE}>; rel=self, {LINK}", 200),
        (f"{LINK}, {other}", 400),
        (f"{other}, {LINK}", 400),
    ):
        answer = await door.get("/entities?type=AirStation", headers={"link": links})
        assert answer.status_code == status, links
        if status == 400:
            problem_of(answer, 400, "BadRequestData")


async def test_a_change_of_what_only_the_broker_makes(door: Running) -> None:
    """5.2.9: read-only members are passed over, also when there is nothing else."""
    source = {
        "id": "urn:r:1",
        "type": "ContextSourceRegistration",
        "endpoint": "http://peer.example.org",
        "information": [{"entities": [{"type": "Building"}]}],
    }
    assert (await door.send("POST", "/csourceRegistrations", source)).status_code == 201
    before = (await door.get("/csourceRegistrations/urn:r:1")).json()
    told = {"status": "ok", "timesSent": 9000, "lastSuccess": "2035-01-01T00:00:00Z"}
    answer = await door.send("PATCH", "/csourceRegistrations/urn:r:1", told)
    assert answer.status_code == 204
    assert (await door.get("/csourceRegistrations/urn:r:1")).json() == before
    answer = await door.send("PATCH", "/csourceRegistrations/urn:r:1", {})
    problem_of(answer, 400, "BadRequestData")


async def test_who_names_a_core_is_told_that_one(door: Running) -> None:
    """6.3.5: the answer names the @context that was used; nothing is fetched for that."""
    old = CORE.replace("v1.9", "v1.8")
    await door.create(_body(speed=1))
    path = f"/entities/{ID}"
    for url in (old, CORE):
        sent = {"link": LINK.replace(LINK[1 : LINK.index(">")], url)}
        assert (await door.get(path, headers=sent)).headers["link"] == sent["link"]
        answer = await door.get(path, headers=sent | {"accept": "application/ld+json"})
        assert answer.json()["@context"] == url
        assert answer.json()["speed"]["value"] == 1
    answer = await door.get(path, headers={"accept": "application/ld+json"})
    assert answer.json()["@context"] == CORE
    assert door.contexts.loaded == []


async def test_a_body_of_no_media_type(standing_door: Running) -> None:
    """6.3.4: another media type is 415, none at all a wrong request."""
    door = standing_door
    for method, path in (("POST", "/entities"), ("PATCH", f"/subscriptions/{ID}")):
        for path_of in (path, path.replace("subscriptions", "csourceSubscriptions")):
            answer = await door.http.request(method, ROOT + path_of, content=b"{")
            assert "Content-Type" in problem_of(answer, 400, "InvalidRequest")["detail"]
