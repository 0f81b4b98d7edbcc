"""The bulk door on the real pipeline and store."""

import json
from pathlib import Path

import httpx

from dothi.intake.http.door import HttpIntakeDeps, endpoints
from province import province
from serving import client_of, serve

NDJSON = {"content-type": "application/x-ndjson", "authorization": "Bearer probe-1"}


def _line(entity: str, **more: object) -> bytes:
    row = {"entity": entity, "attribute": "a", "value": 1.5, "observedAt": "2026-11-01T00:00:00Z"}
    return json.dumps(row | more).encode()


async def test_rejects_of_door_and_admission_name_the_row_of_the_message(tmp_path: Path) -> None:
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
        client_of(address) as client,
    ):
        body = b"\n".join(
            [b"oops", _line("urn:x:1"), _line("no uri"), _line("urn:x:2"), _line("urn:x:2")]
        )
        answer = await client.post("/api/v1/observations", content=body, headers=NDJSON)
        got = answer.json()
        assert (got["received"], got["stored"], got["duplicates"], got["rejected"]) == (5, 2, 1, 2)
        assert sorted((r["row"], r["reason"]) for r in got["rejects"]) == [
            (0, "json_malformed"), (2, "entity_invalid"),
        ]  # fmt: skip
        (totals,) = parts.receipts.totals()
        assert (totals.source, totals.received, totals.stored) == ("probe-1", 5, 2)


async def test_the_same_key_again_changes_nothing(tmp_path: Path) -> None:
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
        client_of(address) as client,
    ):
        headers = NDJSON | {"idempotency-key": "k1"}
        first, again = [
            (await client.post("/api/v1/observations", content=_line("urn:x:1"), headers=headers))
            for _ in range(2)
        ]
        assert (first.json()["replayed"], again.json()["replayed"]) == (False, True)
        assert again.json()["stored"] == first.json()["stored"] == 1
        (totals,) = parts.receipts.totals()
        assert (totals.received, totals.stored) == (1, 1)


async def test_a_refused_message_is_refused_again_when_it_is_repeated(tmp_path: Path) -> None:
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
        client_of(address) as client,
    ):
        headers = NDJSON | {"idempotency-key": "k1"}
        for is_again in (False, True):
            answer = await client.post(
                "/api/v1/observations", content=_line("no uri"), headers=headers
            )
            got = answer.json()
            assert (answer.status_code, got["replayed"]) == (422, is_again)
            assert (got["received"], got["stored"], got["rejected"]) == (1, 0, 1)


async def test_a_stranger_is_refused_and_an_administrator_is_not(tmp_path: Path) -> None:
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
        client_of(address) as client,
    ):

        async def post(minute: int) -> httpx.Response:
            later = f"2026-11-01T00:{minute:02}:00Z"
            body = b"\n".join([b"oops", _line("urn:x:own"), _line("urn:x:1", observedAt=later)])
            return await client.post("/api/v1/observations", content=body, headers=NDJSON)

        await parts.send(source="owner", entity=["urn:x:1"], attribute=["a"], number=[1.0])
        refused = (await post(1)).json()
        assert (refused["received"], refused["stored"], refused["rejected"]) == (3, 1, 2)
        assert [(r["row"], r["reason"]) for r in refused["rejects"]] == [
            (0, "json_malformed"), (2, "series_of_another_source"),
        ]  # fmt: skip
        allowed = await client.post(
            "/api/v1/observations?source=office",
            content=_line("urn:x:1", observedAt="2026-11-01T00:05:00Z"),
            headers={"content-type": "application/x-ndjson"},
        )
        assert allowed.json()["stored"] == 1
