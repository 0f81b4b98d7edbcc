"""The live view on the real store: snapshot, deltas, resume, slow viewers, new epochs."""

import asyncio
import json
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from dothi.live.settings import LiveSettings
from dothi.model.row import Change, Kind
from dothi.model.source import Origin, Source
from province import T0, Province, province

QUICK = LiveSettings(interval_s=0.02, beat_s=0.3, sources_s=60.0, idle_s=0.2)
A, B = "urn:ngsi-ld:WaterObserved:a", "urn:ngsi-ld:WaterObserved:b"


async def _place(p: Province, entity: str, lon: float, **columns: object) -> None:
    body = json.dumps({"type": "Point", "coordinates": [lon, 11.0]})
    await p.send(
        entity=entity, attribute="location", kind=int(Kind.GEO_PROPERTY), body=body,
        observed_at=None, entity_type="WaterObserved", **columns,
    )  # fmt: skip


async def _level(p: Province, entity: str, number: float, minutes: int = 0, **more: object) -> None:
    at = T0 + timedelta(minutes=minutes)
    await p.send(entity=entity, attribute="level", number=number, observed_at=at, **more)


class Viewer:
    """Keeps what a console keeps."""

    def __init__(self, p: Province, epoch: str = "", after: int = 0) -> None:
        self.stream = p.hub.follow(epoch, after)
        self.entities: dict[str, dict[str, Any]] = {}
        self.n = after
        self.epoch = epoch
        self.kinds: list[str] = []

    async def read(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            message: dict[str, Any] = json.loads(await anext(self.stream))
        self.kinds.append(message["kind"])
        if message["kind"] == "snapshot":
            self.entities = {e["id"]: e for e in message["entities"]}
            self.epoch = message["epoch"]
        elif message["kind"] == "delta":
            assert message["after"] == self.n, "a gap"
            self.entities |= {e["id"]: e for e in message["entities"]}
            for entity, value in message["values"]:
                known = self.entities[entity]["values"]
                known[:] = [v for v in known if v["attribute"] != value["attribute"]] + [value]
            for entity in message["gone"]:
                self.entities.pop(entity, None)
        self.n = message["n"]
        return message

    async def until(self, entity: str, number: float | None) -> None:
        while self.level(entity) != number:
            await self.read()

    def level(self, entity: str) -> float | None:
        values = self.entities.get(entity, {}).get("values", [])
        return next((v["number"] for v in values if v["attribute"] == "level"), None)


async def test_snapshot_then_deltas_then_beats(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _place(p, A, 106.7)
        await _level(p, A, 1.0)
        viewer = Viewer(p)
        async with aclosing(viewer.stream):
            first = await viewer.read()
            assert first["kind"] == "snapshot"
            (card,) = first["entities"]
            assert (card["id"], card["lon"], card["types"]) == (A, 106.7, ["WaterObserved"])
            assert [v["attribute"] for v in card["values"]] == ["level"], "placed as lon, lat"
            assert [s["id"] for s in first["sources"]] == ["s1"]
            figures = {m.name: m.samples[0][1] for m in p.hub.measures()}
            assert figures["dothi_live_viewers"] == 1

            await _level(p, A, 2.0, 1)
            await viewer.until(A, 2.0)
            await _place(p, B, 106.8)
            await _level(p, B, 9.0)
            await viewer.until(B, 9.0)
            assert viewer.entities[B]["lon"] == 106.8
            await p.send(entity=B, attribute="", change=int(Change.DELETE_ENTITY))
            while B in viewer.entities:
                await viewer.read()
            while viewer.kinds[-1] != "beat":
                await viewer.read()
            assert set(viewer.kinds) == {"snapshot", "delta", "beat"}


async def test_a_late_value_does_not_become_the_current_one(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _level(p, A, 5.0, 10)
        viewer = Viewer(p)
        async with aclosing(viewer.stream):
            await viewer.read()
            await _level(p, A, 4.0, 5)
            await _level(p, B, 1.0)
            await viewer.until(B, 1.0)
            assert viewer.level(A) == 5.0
            await _level(p, A, 5.5, 10)
            await viewer.until(A, 5.5)
            # without a time of its own it wins, as in the store
            await p.send(entity=A, attribute="level", number=7.0, observed_at=None)
            await viewer.until(A, 7.0)


async def test_a_slow_viewer_gets_one_delta_with_the_newest_values(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _level(p, A, 0.0)
        slow, quick = Viewer(p), Viewer(p)
        async with aclosing(slow.stream), aclosing(quick.stream):
            await slow.read()
            await quick.read()
            for i in range(1, 6):
                await _level(p, A, float(i), i)
                await quick.until(A, float(i))
            assert quick.kinds.count("delta") >= 5
            merged = await slow.read()
            assert merged["kind"] == "delta"
            assert merged["n"] - merged["after"] >= 5
            assert [(e, v["number"]) for e, v in merged["values"]] == [(A, 5.0)]
            assert slow.n == quick.n


async def test_resume_by_number_and_fall_back_to_a_snapshot(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _level(p, A, 0.0)
        one, stays = Viewer(p), Viewer(p)
        async with aclosing(stays.stream):
            await stays.read()
            async with aclosing(one.stream):
                await one.read()
            await _level(p, A, 1.0, 1)
            await stays.until(A, 1.0)

            again = Viewer(p, one.epoch, one.n)
            again.entities = one.entities
            async with aclosing(again.stream):
                assert (await again.read())["kind"] == "delta"
                assert again.level(A) == 1.0
            for epoch, n in (("another", one.n), (one.epoch, one.n + 1000)):
                stranger = Viewer(p, epoch, n)
                async with aclosing(stranger.stream):
                    assert (await stranger.read())["kind"] == "snapshot"


async def test_without_viewers_the_memory_goes_and_the_epoch_ends(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _level(p, A, 0.0)
        first = Viewer(p)
        async with aclosing(first.stream):
            await first.read()
        assert p.hub.viewers == 0
        await asyncio.sleep(0.4)
        second = Viewer(p, first.epoch, first.n)
        async with aclosing(second.stream):
            assert (await second.read())["kind"] == "snapshot"
        assert second.epoch != first.epoch


async def test_origin_and_staleness_come_from_the_source(tmp_path: Path) -> None:
    settings = LiveSettings(interval_s=0.02, sources_s=0.05)
    async with province(tmp_path, settings) as p:
        source = Source("s1", "S", "mqtt", cadence_s=60.0)
        p.sources.put(source)
        await _level(p, A, 0.0)
        await p.send(entity=A, attribute="maker", text="x", observed_at=None)
        viewer = Viewer(p)
        async with aclosing(viewer.stream):
            await viewer.read()
            stale = {v["attribute"]: v["stale_after_s"] for v in viewer.entities[A]["values"]}
            assert stale == {"level": 180.0, "maker": None}
            assert viewer.entities[A]["origin"] == "measured"
            p.sources.put(replace(source, origin=Origin.SIMULATED, origin_note="simulated tide"))
            while viewer.entities[A]["origin"] != "simulated":
                await viewer.read()
            assert viewer.kinds.count("snapshot") == 2, "labels changed: everything anew"


async def test_far_behind_the_log_the_state_is_read_again(tmp_path: Path) -> None:
    settings = LiveSettings(interval_s=0.02, max_lag_rows=10)
    async with province(tmp_path, settings) as p:
        await _level(p, A, 0.0)
        viewer = Viewer(p)
        async with aclosing(viewer.stream):
            await viewer.read()
            times = [T0 + timedelta(seconds=i) for i in range(1, 101)]
            await p.send(
                entity=[A] * 100, attribute=["level"] * 100, observed_at=times,
                number=[float(i) for i in range(100)],
            )  # fmt: skip
            await viewer.until(A, 99.0)
            assert viewer.kinds.count("snapshot") == 1


async def test_the_end_of_the_hub_ends_the_streams(tmp_path: Path) -> None:
    async with province(tmp_path, QUICK) as p:
        await _level(p, A, 0.0)
        viewer = Viewer(p)
        await viewer.read()
        await p.hub.stop()
        left = [text async for text in viewer.stream]
        assert len(left) <= 1
        assert p.hub.viewers == 0
