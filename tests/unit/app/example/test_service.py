"""The example as a whole on the real store: labels, history, restart, clean stop."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dothi.app.example.memory import read_memory
from dothi.model.source import Origin
from dothi.ports.state import EntityQuery

Staged = Callable[[Path], AbstractAsyncContextManager[Any]]


async def filled(folder: Path, after_us: int) -> None:
    async with asyncio.timeout(30):
        while read_memory(folder).filled_to_us < after_us:
            await asyncio.sleep(0.05)


async def test_the_first_start_brings_labelled_stations_with_history(
    staged: Staged, tmp_path: Path
) -> None:
    began_us = time.time_ns() // 1000
    async with staged(tmp_path) as stage:
        await stage.example.start()
        assert len(stage.areas.valid_on(datetime.now(UTC).date())) == 326
        await filled(tmp_path, began_us)
        assert stage.state.count(EntityQuery()) == 65
        page = stage.state.entities(EntityQuery(limit=100))
        assert page["lon"].null_count == 0 and "" not in page["name"].to_pylist()
        values = stage.state.attributes(["urn:ngsi-ld:WaterObserved:wl-thu-dau-mot"], ["level"])
        (level,) = values.to_pylist()
        assert level["unit"] == "MTR" and level["quality"] == 1
        assert datetime.now(UTC) - level["observed_at"] < timedelta(minutes=11)
        for source in stage.sources.all():
            assert source.origin is not Origin.MEASURED and source.origin_note_vi, source.id
        totals = stage.receipts.totals()
        assert len(totals) == 65
        assert all(t.received == t.stored and t.rejected == 0 for t in totals)
        assert sum(t.stored for t in totals) > 40_000
    secret = tmp_path / "secrets" / "example-tokens.json"
    assert secret.stat().st_mode & 0o777 == 0o600


async def test_a_second_start_repeats_nothing(staged: Staged, tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.example.start()
        await filled(tmp_path, 1)
    tokens = (tmp_path / "secrets" / "example-tokens.json").read_bytes()
    again_us = time.time_ns() // 1000
    async with staged(tmp_path) as stage:
        before = sum(t.received for t in stage.receipts.totals())
        disabled = stage.sources.get("wl-phu-an")
        assert disabled is not None
        stage.sources.put(replace(disabled, is_enabled=False))
        await stage.example.start()
        await filled(tmp_path, again_us)
        assert sum(t.received for t in stage.receipts.totals()) - before < 500
        kept = stage.sources.get("wl-phu-an")
        assert kept is not None and not kept.is_enabled
        await stage.example.stop()
        await stage.example.stop()
    assert b"wl-phu-an" in tokens
    assert (tmp_path / "secrets" / "example-tokens.json").read_bytes() != b""


@pytest.mark.parametrize("content", [b"", b"{", b'{"filled_to_us": "x"}'])
def test_a_broken_memory_file_starts_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "example.json").write_bytes(content)
    assert read_memory(tmp_path).filled_to_us == 0
