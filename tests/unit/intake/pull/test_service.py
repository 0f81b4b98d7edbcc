"""The scheduler against a real HTTP server: storing, retries, limits, egress, restarts."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from answering import Reply, Service
from dothi.intake.pull.build import pull_service
from dothi.intake.pull.service import Ports, PullService
from dothi.intake.pull.settings import (
    AnyConnector,
    OpenAq,
    OpenMeteo,
    Place,
    PullSettings,
    UsgsIv,
    UsgsOgc,
)
from dothi.model.problem import Overloaded, StoreUnavailable
from hub import open_hub
from memory_ports import FixedClock, KeptBatches, KeptPullRuns, KeptSources

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
QUICK: dict[str, Any] = {"backoff_s": 0.01, "timeout_s": 10.0, "retries": 2}


class Bench:
    def __init__(self) -> None:
        self.ingest, self.runs = KeptBatches(), KeptPullRuns()
        self.sources, self.clock = KeptSources(), FixedClock(NOW)

    def service(self, **connectors: AnyConnector) -> PullService:
        ports = Ports(self.ingest, self.runs, self.sources, self.clock)
        settings = PullSettings(use_system_proxy=False, connectors=connectors)
        return pull_service(settings, ports)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def usgs(service: Service, **settings: Any) -> UsgsIv:
    return UsgsIv(base_url=service.url, sites=("01491000",), **(QUICK | settings))


async def test_a_run_stores_rows_and_remembers_what_it_covered(
    bench: Bench, service: Service, sample: Any
) -> None:
    service.reply("/iv/", Reply(sample("usgs_iv.json")))
    run = await bench.service(nwis=usgs(service)).run_once("nwis")
    assert (run.failures, run.last_error, run.covered_to_at) == (0, "", NOW)
    assert len([r for r in bench.ingest.rows if r["observed_at"]]) == 20
    (asked,) = service.asked
    assert asked.query["startDT"] == "2026-11-19T20:00Z"
    assert asked.query["parameterCd"] == "00060,00065"
    assert asked.headers["User-Agent"].startswith("dothi/")
    assert bench.runs.kept["nwis"] == run


async def test_the_same_answer_again_stores_nothing_twice(
    bench: Bench, service: Service, sample: Any
) -> None:
    service.reply("/iv/", Reply(sample("usgs_iv.json")))
    its = bench.service(nwis=usgs(service))
    await its.run_once("nwis")
    await its.run_once("nwis")
    assert len(bench.ingest.batches) == 2


async def test_openaq_with_key_pages_and_a_used_up_quota(
    bench: Bench, service: Service, sample: Any, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("secret-key\n")
    location = json.loads(sample("openaq_locations.json"))
    location["results"][0]["datetimeLast"]["utc"] = "2026-11-20T19:00:00Z"
    empty = json.dumps({"results": []}).encode()
    service.reply("/locations/2178", Reply(json.dumps(location).encode()))
    service.reply(
        "/sensors/3920/measurements",
        Reply(b"slow down", 429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}),
        Reply(sample("openaq_measurements.json")),
        Reply(empty),
    )
    settings = OpenAq(
        base_url=service.url,
        key_file=str(key),
        locations=(2178,),
        parameters=("pm25",),
        page_size=2,
        **QUICK,
    )
    began = asyncio.get_running_loop().time()
    run = await bench.service(aq=settings).run_once("aq")
    assert run.last_error == ""
    assert asyncio.get_running_loop().time() - began >= 1
    assert [a.query.get("page") for a in service.asked] == [None, "1", "1", "2"]
    assert {a.headers["X-API-Key"] for a in service.asked} == {"secret-key"}
    assert [r["number"] for r in bench.ingest.rows if r["attribute"] == "pm25"] == [6.0, 7.5]


async def test_ogc_follows_pages_of_the_same_host_only(
    bench: Bench, service: Service, sample: Any
) -> None:
    pages = json.loads(sample("usgs_ogc.json"))
    path = "/collections/continuous/items"
    first = {**pages["continuous"], "links": [{"rel": "next", "href": f"{service.url}/next?c=1"}]}
    evil = {
        **pages["latest-continuous"],
        "links": [{"rel": "next", "href": "http://169.254.169.254/latest/meta-data"}],
    }
    places = json.dumps(pages["monitoring-locations"]).encode()
    service.reply("/collections/monitoring-locations/items", Reply(places))
    service.reply(path, Reply(json.dumps(first).encode()))
    service.reply("/next", Reply(json.dumps(evil).encode()))
    settings = UsgsOgc(
        base_url=service.url, sites=("USGS-06904500",), parameters=("00065",), **QUICK
    )
    run = await bench.service(usgs=settings).run_once("usgs")
    assert "169.254.169.254" in run.last_error
    assert "not asked" in run.last_error
    assert [a.path for a in service.asked][-1] == "/next"
    assert service.asked[-1].query == {"c": "1"}
    assert len([r for r in bench.ingest.rows if r["observed_at"]]) == 4


async def test_passing_faults_are_tried_again(bench: Bench, service: Service, sample: Any) -> None:
    service.reply("/iv/", Reply(b"", 503), Reply(b"", 500), Reply(sample("usgs_iv.json")))
    run = await bench.service(nwis=usgs(service)).run_once("nwis")
    assert run.last_error == ""
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("reply", "text", "times"),
    [
        (Reply(b"", 503), "answered 503", 3),
        (Reply(b"no such site", 404), "no such site", 1),
        (Reply(b"", 403), "key_file", 1),
        (Reply(b"", 302, {"location": "http://127.0.0.1:1/"}), "redirects are not followed", 1),
        (Reply(b"x" * 5_000), "max_bytes", 1),
        (Reply(b"{}", delay_s=0.4), "did not answer", 3),
        (Reply(b"junk", headers={"content-encoding": "gzip"}), "127.0.0.1", 1),
        (Reply(b"", 429, {"retry-after": "86400"}), "answered 429", 1),
    ],
    ids=["down", "404", "403", "redirect", "large", "slow", "gzip", "quota"],
)
async def test_failures_are_kept_and_shown(
    bench: Bench, service: Service, reply: Reply, text: str, times: int
) -> None:
    service.reply("/iv/", reply)
    timeout_s = 0.2 if reply.delay_s else 5.0
    its = bench.service(nwis=usgs(service, max_bytes=4_000, timeout_s=timeout_s))
    run = await its.run_once("nwis")
    assert text in run.last_error
    assert (run.failures, run.covered_to_at) == (1, None)
    assert run.next_run_at - NOW < timedelta(minutes=2)
    assert len(service.asked) == times
    failures = next(m for m in its.measures() if m.name == "dothi_pull_failures")
    assert list(failures.samples) == [({"connector": "nwis"}, 1)]


async def test_a_service_that_is_not_there(bench: Bench) -> None:
    its = UsgsIv(base_url="http://127.0.0.1:1", sites=("1",), **QUICK)
    run = await bench.service(nwis=its).run_once("nwis")
    assert "did not answer" in run.last_error


async def test_a_malformed_answer_is_counted_and_fails_the_run(
    bench: Bench, service: Service
) -> None:
    service.reply("/iv/", Reply(b"<html>maintenance</html>"))
    run = await bench.service(nwis=usgs(service)).run_once("nwis")
    assert run.failures == 1
    (rejection,) = bench.ingest.rejected
    assert (rejection.reason, rejection.source) == ("payload_malformed", "nwis")
    assert "maintenance" in rejection.sample


async def test_a_missing_key_file_says_so(bench: Bench, service: Service, tmp_path: Path) -> None:
    its = OpenAq(base_url=service.url, key_file=str(tmp_path / "none"), locations=(1,), **QUICK)
    run = await bench.service(aq=its).run_once("aq")
    assert "API key cannot be read" in run.last_error
    assert service.asked == []


async def test_a_store_that_is_busy_is_waited_for_and_one_that_is_gone_fails_the_run(
    bench: Bench, service: Service, sample: Any
) -> None:
    service.reply("/iv/", Reply(sample("usgs_iv.json")))
    its = bench.service(nwis=usgs(service))
    bench.ingest.errors = [Overloaded(0.01), StoreUnavailable("disk full")]
    assert (await its.run_once("nwis")).last_error == "disk full"
    assert (await its.run_once("nwis")).last_error == ""
    assert len([r for r in bench.ingest.rows if r["observed_at"]]) == 20


async def test_after_a_downtime_each_connector_runs_once(
    bench: Bench, service: Service, sample: Any
) -> None:
    service.reply("/iv/", Reply(sample("usgs_iv.json")))
    its = bench.service(nwis=usgs(service, every_s=600, overlap_s=0))
    await its.run_once("nwis")
    bench.clock.pass_(6 * 3600)
    again = bench.service(nwis=usgs(service, every_s=600, overlap_s=0))
    await again.start()
    async with asyncio.timeout(20):
        while bench.runs.kept["nwis"].covered_to_at != bench.clock.at:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    await again.stop()
    await again.wait()
    assert len(service.asked) == 2
    assert service.asked[1].query["startDT"] == "2026-11-20T20:00Z"
    assert service.asked[1].query["endDT"] == "2026-11-21T02:00Z"


async def test_a_restart_in_time_waits_for_its_turn(
    bench: Bench, service: Service, sample: Any
) -> None:
    service.reply("/iv/", Reply(sample("usgs_iv.json")))
    await bench.service(nwis=usgs(service)).run_once("nwis")
    again = bench.service(nwis=usgs(service))
    await again.start()
    await asyncio.sleep(0.1)
    await again.stop()
    assert len(service.asked) == 1


async def test_connectors_that_are_off_are_left_alone(bench: Bench, service: Service) -> None:
    its = bench.service(nwis=usgs(service, is_enabled=False))
    await its.start()
    await its.wait()
    await its.stop()
    assert bench.sources.kept == {}


async def test_open_meteo_into_the_real_store(
    service: Service, sample: Any, tmp_path: Path
) -> None:
    service.reply("/v1/forecast", Reply(sample("forecast_made_up.json")))
    place = Place(id="tdm", lon=106.65, lat=10.98, name="Thủ Dầu Một")
    settings = OpenMeteo(base_url=f"{service.url}/v1/forecast", places=(place,), **QUICK)
    clock = FixedClock(NOW)
    async with open_hub(tmp_path, clock) as hub:
        ports = Ports(hub.intake, hub.pull_runs, hub.sources, clock)
        connectors = PullSettings(use_system_proxy=False, connectors={"meteo": settings})
        its = pull_service(connectors, ports)
        await its.start()
        async with asyncio.timeout(20):
            while hub.pull_runs.get("meteo") is None:
                await asyncio.sleep(0.02)
        await its.stop()
        run = hub.pull_runs.get("meteo")
        assert run is not None
        assert run.last_error == ""
        rows = hub.rows().to_pylist()
        assert {r["attribute"] for r in rows} == {
            "name",
            "location",
            "temperature",
            "temperatureForecast",
            "precipitation",
            "precipitationForecast",
        }
        assert {r["unit"] for r in rows if r["attribute"] == "temperature"} == {"CEL"}
        source = hub.sources.get("meteo")
        assert source is not None
        assert (source.origin, source.licence) == ("simulated", "CC BY 4.0")
        (totals,) = hub.receipts.totals()
        assert totals.rejected == 0
