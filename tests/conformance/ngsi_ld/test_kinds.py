"""What attributes of each kind may hold on input (clauses 4.5.1 to 4.5.24, 4.6 and 4.7)."""

from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_URL, LD_JSON, Running, problem_of

ID = "urn:ngsi-ld:Vehicle:1"
NULL = "urn:ngsi-ld:null"
POINT = {"type": "Point", "coordinates": [17.1, 48.7]}
PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "zQeV"}


_READ: list[tuple[Any, Any]] = [
    (55, {"type": "Property", "value": 55}),
    ([1, {"x": 2}], {"type": "Property", "value": [1, {"x": 2}]}),
    ({"street": "x", "no": 5}, {"type": "Property", "value": {"street": "x", "no": 5}}),
    (POINT, {"type": "GeoProperty", "value": POINT}),
    ({"value": POINT}, {"type": "GeoProperty", "value": POINT}),
    (
        {"type": "GeoProperty", "value": '{"type": "Point", "coordinates": [17.1, 48.7]}'},
        {"type": "GeoProperty", "value": POINT},
    ),
    (
        {"value": "Volvo", "observedAt": "2026-01-01T00:00:00Z", "note": 1},
        {
            "type": "Property",
            "value": "Volvo",
            "observedAt": "2026-01-01T00:00:00Z",
            "note": {"type": "Property", "value": 1},
        },
    ),
    (
        {"object": ["urn:x:1", "urn:x:2"], "objectType": "Car"},
        {"type": "Relationship", "object": ["urn:x:1", "urn:x:2"], "objectType": "Car"},
    ),
    (
        {"languageMap": {"en": ["a", "b"], "vi": "c", "@none": "d"}, "valueType": "langString"},
        {
            "type": "LanguageProperty",
            "languageMap": {"en": ["a", "b"], "vi": "c", "@none": "d"},
            "valueType": "langString",
        },
    ),
    ({"vocab": ["x", "y"]}, {"type": "VocabProperty", "vocab": ["x", "y"]}),
    ({"vocab": "non-commercial/2"}, {"type": "VocabProperty", "vocab": "non-commercial/2"}),
    (
        {"value": [{"@type": "@json", "@value": None}, {"@type": "Date", "@value": "2026"}]},
        {
            "type": "Property",
            "value": [
                {"@type": "@json", "@value": None},
                {"@type": "Date", "@value": "2026"},
            ],
        },
    ),
    (
        {"json": {"id": "no uri", "type": "raw", "null": None, "dust": 3}},
        {
            "type": "JsonProperty",
            "json": {"id": "no uri", "type": "raw", "null": None, "dust": 3},
        },
    ),
    ({"json": [{"a": None}]}, {"type": "JsonProperty", "json": [{"a": None}]}),
    ({"valueList": [1, 1]}, {"type": "ListProperty", "valueList": [1, 1]}),
    (
        {"objectList": ["urn:x:1", {"object": "urn:x:2"}]},
        {
            "type": "ListRelationship",
            "objectList": [{"object": "urn:x:1"}, {"object": "urn:x:2"}],
        },
    ),
    ({"@type": "Property", "value": 1}, {"type": "Property", "value": 1}),
    (
        {"value": 1, "createdAt": "x", "instanceId": "y", "valueType": "xsd:double"},
        {"type": "Property", "value": 1, "valueType": "xsd:double"},
    ),
    (
        {"value": 1, "s": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]},
        {
            "type": "Property",
            "value": 1,
            "s": [
                {"type": "Property", "value": 1},
                {"type": "Property", "value": 2, "datasetId": "urn:d:1"},
            ],
        },
    ),
    (
        {"value": 1, "r": {"object": "urn:x:1", "p": {"json": {"a": 1}, "q": {"vocab": "z"}}}},
        {
            "type": "Property",
            "value": 1,
            "r": {
                "type": "Relationship",
                "object": "urn:x:1",
                "p": {
                    "type": "JsonProperty",
                    "json": {"a": 1},
                    "q": {"type": "VocabProperty", "vocab": "z"},
                },
            },
        },
    ),
]


async def test_what_is_read(door: Running) -> None:
    names = [f"a{n}" for n in range(len(_READ))]
    body = dict(zip(names, (raw for raw, _ in _READ), strict=True))
    answer = await door.create({"id": ID, "type": "Vehicle", **body})
    assert answer.status_code == 201, answer.text
    found = await door.entity(ID)
    for name, (raw, normalized) in zip(names, _READ, strict=True):
        assert found[name] == normalized, raw


_WRONG: list[tuple[str, Any]] = [
    # 4.5.2.2, 4.5.3.2: members of other kinds, of answers, of proofs
    ("a", {"type": "Property", "value": 1, "object": "urn:x:1"}),
    ("a", {"type": "Property", "value": 1, "languageMap": {"en": "x"}}),
    ("a", {"value": 1, "valueList": [1]}),
    ("a", {"value": 1, "previousValue": 0}),
    ("a", {"value": 1, "entityIdSealed": ID}),
    ("a", {"value": 1, "entity": {"id": ID}}),
    ("a", {"object": "urn:x:1", "unitCode": "MTR"}),
    ("a", {"object": "urn:x:1", "previousObject": "urn:x:0"}),
    ("a", {"languageMap": {"en": "x"}, "unitCode": "MTR"}),
    ("a", {"vocab": "x", "unitCode": "MTR"}),
    ("a", {"json": {}, "unitCode": "MTR"}),
    ("a", {"objectList": ["urn:x:1"], "unitCode": "MTR"}),
    ("a", {"value": 1, "@context": {"a": "https://evil.example/a"}}),
    # 4.5.1: core terms are no names of attributes
    ("datasetId", {"type": "Property", "value": 1}),
    ("instanceId", {"type": "Property", "value": 1}),
    ("observedAt", {"type": "Property", "value": "2026-01-01T00:00:00Z"}),
    ("createdAt", {"type": "Property", "value": "2026-01-01T00:00:00Z"}),
    ("value", 1),
    ("https://uri.etsi.org/ngsi-ld/observedAt", 1),
    ("a", {"value": 1, "scope": {"value": 1}}),
    # values
    ("a", {"json": 5}),
    ("a", {"json": None}),
    ("a", {"json": {"a": NULL}}),
    ("a", {"objectList": ["not a uri"]}),
    ("a", {"objectList": [{"object": NULL}]}),
    ("a", {"object": []}),
    ("a", {"object": ["urn:x:1", NULL]}),
    ("a", {"languageMap": {}}),
    ("a", {"languageMap": {"": "x"}}),
    ("a", {"languageMap": {"en": 5}}),
    ("a", {"languageMap": {"en": ["a", 5]}}),
    ("a", {"languageMap": {"@none": NULL}}),
    ("a", {"languageMap": {"en": "x"}, "valueType": "xsd:string"}),
    ("a", {"valueList": [1, None]}),
    ("a", {"valueList": [NULL]}),
    ("a", {"vocab": 5}),
    ("a", {"vocab": ""}),
    ("a", {"vocab": "two words"}),
    ("a", {"value": {"@type": "Date", "@value": None}}),
    ("a", {"value": {"deep": {"country": NULL}}}),
    ("a", {"value": 1, "sub": {"type": "Property", "value": NULL}}),
    ("a", {"value": 1, "sub": NULL}),
    ("a", {"value": 1, "unitCode": NULL}),
    ("a", {"value": 1, "s": [{"value": 1}, {"value": 2}]}),
    ("a", [{"value": 1}, {"value": 2, "datasetId": "@none"}]),
    ("a", {"value": 1, "datasetId": NULL}),
    # 4.7: geometries
    ("location", {"type": "Property", "value": 7}),
    ("observationSpace", "here"),
    ("a", {"type": "GeoProperty", "value": "not a geometry"}),
    ("a", {"type": "GeoProperty", "value": {"type": "GeometryCollection", "geometries": [POINT]}}),
    ("a", {"type": "GeometryCollection", "geometries": [POINT]}),
    # 4.6.3: times are in UTC
    ("a", {"value": 1, "observedAt": "2026-08-10T12:00:00+02:00"}),
    ("a", {"value": 1, "observedAt": "2026-08-10T12:00:00"}),
    ("a", {"value": 1, "observedAt": {"type": "Property", "value": "2026-08-10T12:00:00Z"}}),
    # 4.5.2.2: proofs
    ("ngsildproof", {"type": "Property", "value": "no object"}),
    ("ngsildproof", {"type": "Property", "value": PROOF, "entityTypeSealed": 42}),
    ("ngsildproof", {"type": "Property", "value": PROOF, "entityIdSealed": "no uri"}),
    # 4.18: scopes
    ("scope", "9bad"),
    ("scope", "/a//b"),
    ("scope", "a-b"),
    ("scope", NULL),
    ("scope", ["/ok", "9bad"]),
    # 4.4: a keyword is no type
    ("type", "type"),
    ("type", "9Vehicle"),
]


async def test_what_is_refused(door: Running) -> None:
    for name, raw in _WRONG:
        answer = await door.send("POST", "/entities", {"id": ID, "type": "Vehicle", name: raw})
        assert answer.status_code == 400, (name, raw)
        problem_of(answer, 400, "BadRequestData")
    assert door.hub.rows().num_rows == 0


_UNSEEN = (0x202E, 0x200B, 0xFEFF, 0x2028, 0xA0, 0x3C, 0xFE0F, 0xE0100, 0xFDD0)
_UNSEEN += (0xFFFE, 0x1FFFF, 0x115F, 0x3164, 0xFFA0, 0x2800, 0x20, 0)


async def test_an_id_has_no_character_that_nobody_sees(door: Running) -> None:
    """Clause 4.5.1 and RFC 3987: such an id reads like another one."""
    for character in map(chr, _UNSEEN):
        body = {"id": f"urn:ngsi-ld:Vehicle:A{character}B", "type": "Vehicle"}
        problem_of(await door.send("POST", "/entities", body), 400, "BadRequestData")
        body = {"id": ID, "type": "Vehicle", "a": {"object": f"urn:x:{character}"}}
        problem_of(await door.send("POST", "/entities", body), 400, "BadRequestData")


async def test_ids_and_names_of_all_letters(door: Running) -> None:
    """Clauses 4.6.1 and 4.6.2."""
    body = {
        "id": "urn:x:Phường1",
        "type": "Škola",
        "výška_1": 7,
        "đường": {"object": "urn:x:Pařís"},
    }
    assert (await door.create(body)).status_code == 201
    found = await door.entity("urn:x:Phường1", params={"options": "keyValues"})
    assert found == body | {"đường": "urn:x:Pařís"}


async def test_a_proof_keeps_its_sealed_members(door: Running) -> None:
    """Clause 4.5.2.2 and annex C.11: bare strings, the type is a name of the @context."""
    proof = {
        "type": "Property",
        "value": PROOF,
        "entityIdSealed": ID,
        "entityTypeSealed": "AirStation",
    }
    body = {
        "id": ID,
        "type": "AirStation",
        "dust": {"type": "Property", "value": 1, "ngsildproof": proof},
        "ngsildproof": proof,
        "@context": CONTEXT_URL,
    }
    assert (await door.create(body)).status_code == 201
    link = {"link": f'<{CONTEXT_URL}>; rel="http://www.w3.org/ns/json-ld#context"'}
    found = await door.entity(ID, headers=link)
    assert found["ngsildproof"] == proof
    assert found["dust"]["ngsildproof"] == proof
    plain = await door.entity(ID)
    assert plain["ngsildproof"]["entityTypeSealed"] == "https://example.org/city#AirStation"


async def test_keywords_may_be_written_and_are_never_answered(door: Running) -> None:
    """Clause 4.4; a core term keeps its meaning whatever the @context says."""
    context = [{"Property": "https://evil.example/Property"}, CONTEXT_URL]
    body = {"@id": ID, "@type": "AirStation", "dust": {"@type": "Property", "value": 1}}
    answer = await door.create(body | {"@context": context})
    assert answer.status_code == 201, answer.text
    found = await door.entity(ID)
    assert (found["id"], found["type"]) == (ID, "https://example.org/city#AirStation")
    assert found["https://example.org/city#dust"] == {"type": "Property", "value": 1}
    twice = {"@id": ID, "id": ID, "type": "Vehicle"}
    problem_of(await door.send("POST", "/entities", twice), 400, "BadRequestData")


async def test_system_members_of_an_entity_are_passed_over(door: Running) -> None:
    body = {"id": ID, "type": "Vehicle", "createdAt": "2001-01-01T00:00:00Z", "modifiedAt": "x"}
    assert (await door.create(body)).status_code == 201
    found = await door.entity(ID, params={"options": "sysAttrs"})
    assert found["createdAt"] > "2026"


async def test_a_forecast_may_be_written(door: Running) -> None:
    """Only telemetry is refused when its time lies ahead."""
    raw = {"type": "Property", "value": 5, "observedAt": "2199-01-01T00:00:00Z"}
    assert (await door.create({"id": ID, "type": "Vehicle", "a": raw})).status_code == 201
    assert (await door.entity(ID))["a"] == raw


async def test_an_expanded_document_type_is_the_same_type(door: Running) -> None:
    body = {"id": ID, "type": ["AirStation", "https://example.org/city#AirStation", "Vehicle"]}
    answer = await door.send(
        "POST", "/entities", body | {"@context": CONTEXT_URL}, **{"content-type": LD_JSON}
    )
    assert answer.status_code == 201
    assert (await door.entity(ID))["type"] == ["https://example.org/city#AirStation", "Vehicle"]
