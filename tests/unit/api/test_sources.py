"""Sources, tokens, receipts and rejects."""

from typing import Any

from dothi.model.batch import Rejection, rejection_only

BODY = {"id": "s1", "name": "Trạm đo", "kind": "mqtt", "cadence_s": 60}


async def test_a_source_is_registered_changed_and_gets_tokens(api: Any) -> None:
    post = api.client.post
    made = (await post("/api/v1/sources", json=BODY)).json()
    assert (made["state"], made["received"], made["per_minute"]) == ("never", 0, 0)
    await api.parts.send(entity="urn:x:1", attribute="a", number=1.0)
    changed = (await post("/api/v1/sources", json=BODY | {"name": "Trạm B"})).json()
    assert (changed["name"], changed["state"], changed["stored"]) == ("Trạm B", "live", 1)
    assert changed["last_received_at"].endswith("Z")

    token = (await post("/api/v1/sources/s1/token")).json()["token"]
    assert api.parts.sources.source_of_token(token).id == "s1"
    revoked = await api.client.delete("/api/v1/sources/s1/tokens")
    assert revoked.json() == {"revoked": 1}
    assert api.parts.sources.source_of_token(token) is None
    assert [s["id"] for s in (await api.get("/sources")).json()] == ["s1"]


async def test_the_series_of_a_source_are_released(api: Any, caplog: Any) -> None:
    caplog.set_level("INFO", logger="dothi.api.sources")
    post = api.client.post
    await post("/api/v1/sources", json=BODY)
    await api.parts.send(entity=["urn:x:1", "urn:x:2"], attribute=["a"] * 2, number=[1.0] * 2)
    refused = await api.parts.send(source="s2", entity="urn:x:1", attribute="a", number=2.0)
    assert refused.rejected_count == 1
    released = await post("/api/v1/sources/s1/release")
    assert (released.status_code, released.json()) == (200, {"released": 2})
    [line] = caplog.records
    assert (line.message, line.source, line.series) == ("series released", "s1", 2)
    assert line.by == "administrator"
    taken = await api.parts.send(source="s2", entity="urn:x:1", attribute="a", number=2.0)
    assert taken.stored == 1
    assert (await post("/api/v1/sources/none/release")).status_code == 404


async def test_the_right_to_write_for_others_is_given_taken_and_logged(
    api: Any, caplog: Any
) -> None:
    caplog.set_level("INFO", logger="dothi.api.sources")
    await api.parts.send(entity="urn:x:1", attribute="a", number=1.0)
    stored = []
    for number, may in enumerate((False, True, False)):
        body = BODY | {"id": "gw", "may_write_others": may}
        view = (await api.client.post("/api/v1/sources", json=body)).json()
        assert view["may_write_others"] is may
        sent = await api.parts.send(source="gw", entity="urn:x:1", attribute="a", number=number + 2)
        stored.append(sent.stored)
    assert stored == [0, 1, 0]
    assert [line.message for line in caplog.records] == [
        "source may write series of others",
        "source no longer writes series of others",
    ]


async def test_wrong_sources_are_refused(api: Any) -> None:
    post = api.client.post
    for body in (BODY | {"id": "a b"}, BODY | {"origin": "x"}, BODY | {"cadence": 1}, {}, [], "{"):
        kind = {"content": body} if body == "{" else {"json": body}
        answer = await post("/api/v1/sources", **kind)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid"), body
    big = await post("/api/v1/sources", content=b" " * 300_000)
    assert big.status_code == 413
    for path in ("/sources/none/receipts", "/sources/none/rejects"):
        assert (await api.get(path)).json()["code"] == "source_not_found"
    assert (await post("/api/v1/sources/none/token")).status_code == 404


async def test_receipts_add_up_and_rejects_say_why(api: Any) -> None:
    await api.parts.send(
        entity=["urn:x:1", "urn:x:2", "no uri"], attribute=["a"] * 3, number=[1.0] * 3
    )
    at = api.parts.clock.now()
    refused = Rejection("s1", "json_malformed", "not JSON", sample="<x/>", count=2)
    await api.parts.intake.submit(rejection_only("b2", at, (refused,)))
    minutes = (await api.get("/sources/s1/receipts")).json()["minutes"]
    total = {k: sum(m[k] for m in minutes) for k in ("received", "stored", "rejected")}
    assert total == {"received": 5, "stored": 2, "rejected": 3}
    rejects = (await api.get("/sources/s1/rejects", limit=10)).json()
    assert rejects["reasons"] == {"json_malformed": 2, "entity_invalid": 1}
    assert {r["sample"] for r in rejects["items"]} >= {"<x/>"}
