"""The bulk door on the real pipeline and store."""

import json
from pathlib import Path

import httpx

from dothi.intake.http.door import HttpIntakeDeps, endpoints
from province import province
from serving import serve

NDJSON = {"content-type": "application/x-ndjson", "authorization": "Bearer probe-1"}


def _line(entity: str, **more: object) -> bytes:
    row = {"entity": entity, "attribute": "a", "value": 1.5, "observedAt": "2026-11-01T00:00:00Z"}
    return json.dumps(row | more).encode()


async def test_rejects_of_door_and_admission_name_the_row_of_the_message(tmp_path: Path) -> None:
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
        httpx.AsyncClient(base_url=address) as client,
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
        httpx.AsyncClient(base_url=address) as client,
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
        httpx.AsyncClient(base_url=address) as client,
    ):
        headers = NDJSON | {"idempotency-key": "k1"}
        for is_again in (False, True):
            answer = await client.post(
                "/api/v1/observations", content=_line("no uri"), headers=headers
            )
            got = answer.json()
            assert (answer.status_code, got["replayed"]) == (422, is_again)
            assert (got["received"], got["stored"], got["rejected"]) == (1, 0, 1)
