"""Whatever comes in: an answer of the specification, never a 500, never half a write."""

import asyncio
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conformance.ngsi_ld.broker import CONTEXT_URL, LD_JSON, ROOT, Running

from thorough import examples

ID = "urn:ngsi-ld:Room:1"
_texts = st.text(max_size=12) | st.sampled_from(
    [
        *(ID, "urn:ngsi-ld:null", "Room", "a", "-1", "1e999", "a==1;b", "[1,2]", "\x00", "%"),
        *("near;maxDistance==1", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "Point"),
        *("between", "true", "@none", "simplified", "aggregatedValues", "avg", "PT1S", "PT0S"),
        *("P99999999999D", "\ud7ff", 'a=="x\x00"', "a~=(a+)+$"),
    ]
)
_PARAMETERS = """id idPattern type attrs q georel geometry coordinates geoproperty limit offset
count options format timerel timeAt endTimeAt lastN aggrMethods aggrPeriodDuration timeproperty
datasetId deleteAll local foo keep drop lang observedAt"""
_MEMBERS = """id type @context value object a b scope observedAt unitCode datasetId languageMap json
vocab valueList objectList expiresAt coordinates ngsildproof entityIdSealed dataset location
objectType valueType @type"""
_parameters = st.dictionaries(st.sampled_from(tuple(_PARAMETERS.split())), _texts, max_size=4)
_members = st.sampled_from(tuple(_MEMBERS.split())) | _texts
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_members, inner, max_size=4),
    max_leaves=10,
)
_paths = st.sampled_from(
    [
        *("/entities", f"/entities/{ID}", f"/entities/{ID}/attrs", f"/entities/{ID}/attrs/a"),
        *("/entityOperations/upsert", f"/temporal/entities/{ID}", "/jsonldContexts/x"),
        *(f"/entityOperations/{name}" for name in ("create", "update", "merge", "delete")),
    ]
) | _texts.map(lambda text: f"/entities/{quote(text)}/attrs/{quote(text)}")
_LINKS = (f'<{CONTEXT_URL}>; rel="http://www.w3.org/ns/json-ld#context"', "<")
_MEDIA_TYPES = ("application/json", LD_JSON, "application/merge-patch+json")
_headers = st.fixed_dictionaries(
    {"content-type": st.sampled_from(_MEDIA_TYPES)},
    optional={
        "accept": st.sampled_from(("*/*", LD_JSON, "application/geo+json", ";;q=x", "text/html")),
        "link": st.sampled_from(_LINKS),
    },
)
_methods = st.sampled_from(("GET", "POST", "PATCH", "PUT", "DELETE"))


async def test_any_request_gets_an_answer(door: Running) -> None:
    await door.create({"id": ID, "type": "Room", "a": 1, "b": "x"})
    requests: list[tuple[Any, ...]] = []

    @given(st.tuples(_methods, _paths, _parameters, _headers, _json))
    @settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck))
    def gather(request: tuple[Any, ...]) -> None:
        requests.append(request)

    gather()
    for method, path, parameters, headers, body in requests:
        answer = await door.http.request(
            method, f"{ROOT}{path}", params=parameters, headers=headers, json=body
        )
        assert answer.status_code < 500 or answer.status_code == 504, (
            method,
            path,
            parameters,
            headers,
            body,
            answer.text,
        )


async def test_one_wrong_row_stores_none(door: Running) -> None:
    entity = {
        "id": ID,
        "type": "Room",
        "a": 1,
        "b": {"value": 2, "observedAt": "9999-01-01T00:00:00Z"},
        "c": "x" * 2_000_000,
    }
    answer = await door.create(entity)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/BadRequestData")
    assert (await door.get(f"/entities/{ID}")).status_code == 404
    items = [{"id": "urn:x:1", "type": "T", "a": 1}, entity, {"id": "urn:x:2", "type": "T"}]
    answer = await door.send("POST", "/entityOperations/upsert", items)
    assert answer.status_code == 207
    assert answer.json()["success"] == ["urn:x:1", "urn:x:2"]
    assert [error["entityId"] for error in answer.json()["errors"]] == [ID]
    assert (await door.get(f"/entities/{ID}")).status_code == 404


async def test_two_writers_of_one_entity_lose_nothing(door: Running) -> None:
    await door.create({"id": ID, "type": "Room"})
    answers = await asyncio.gather(
        *(
            door.send("POST", f"/entities/{ID}/attrs", {f"a{n}": n, "type": f"T{n}"})
            for n in range(20)
        )
    )
    assert {answer.status_code for answer in answers} == {204}
    found = await door.entity(ID, params={"options": "simplified"})
    assert [found[f"a{n}"] for n in range(20)] == list(range(20))
    assert len(found["type"]) == 21
    created = await asyncio.gather(
        *(door.create({"id": "urn:x:1", "type": "T", "a": n}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in created) == [201] + [409] * 7
