"""Slow, long and broken uploads: bounded, counted, and nobody else is disturbed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

NDJSON = "application/x-ndjson"
LINE = b'{"entity": "urn:x:1", "attribute": "a", "value": 1}\n'


async def _long() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield LINE * 1_000


class Upload:
    """A message of a declared length of which only a part arrives."""

    def __init__(self, door: Any, declared_bytes: int) -> None:
        self._address = (door.client.base_url.host, door.client.base_url.port)
        self._declared_bytes = declared_bytes

    async def begin(self, part: bytes) -> None:
        _, self.writer = await asyncio.open_connection(*self._address)
        self.writer.write(
            b"POST /api/v1/observations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer probe-1\r\n"
            b"content-type: application/x-ndjson\r\n"
            b"content-length: %d\r\n\r\n" % self._declared_bytes + part
        )
        await self.writer.drain()

    async def give_up(self) -> None:
        self.writer.transport.abort()


async def test_a_message_of_unknown_length_is_refused_at_the_limit(door: Any) -> None:
    answer = await door.post(_long(), NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    (batch,) = door.ingest.batches
    assert [r.reason for r in batch.rejected] == ["body_too_large"]


async def test_a_message_that_breaks_off_is_counted(door: Any) -> None:
    upload = Upload(door, 10_000)
    await upload.begin(LINE)
    await asyncio.sleep(0.05)
    assert not door.ingest.batches
    await upload.give_up()
    async with asyncio.timeout(5):
        while not door.ingest.batches:
            await asyncio.sleep(0.01)
    (batch,) = door.ingest.batches
    assert [(r.reason, r.source) for r in batch.rejected] == [("body_truncated", "probe-1")]


async def test_too_much_at_once_is_told_to_retry(door: Any) -> None:
    slow = [Upload(door, 190_000) for _ in range(2)]
    for upload in slow:
        await upload.begin(LINE * 2_500)
    async with asyncio.timeout(5):
        while (await door.post(LINE * 1_500, NDJSON)).status_code != 429:
            await asyncio.sleep(0.01)
    assert (await door.post(LINE, NDJSON)).status_code == 200, "small ones still pass"
    for upload in slow:
        await upload.give_up()
    async with asyncio.timeout(5):
        while (await door.post(LINE * 1_500, NDJSON)).status_code != 200:
            await asyncio.sleep(0.01)
