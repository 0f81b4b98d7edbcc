"""Warnings of other authorities: from a real feed over HTTP into a real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from answering import Reply, Service
from cap_samples import CONTENT, NOW
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.composing import Composer, Heading
from dothi.facades.cap.documents import read_document
from dothi.facades.cap.places import place_of_shape
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.writing import write_alert
from dothi.intake.pull.build import pull_service
from dothi.intake.pull.cap_feed import CapFeedConnector, CapPorts
from dothi.intake.pull.service import Ports, PullService
from dothi.intake.pull.settings import CapFeed, PullSettings
from dothi.model.cap import Alert, CapStatus, MsgType
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from hub import Hub, open_hub
from memory_ports import FixedClock

COMPOSER = Composer(WarningSettings(sender="other@example.org"), read_catalogue())
HOUR = timedelta(hours=1)


def message(number: int, kind: MsgType = MsgType.ALERT, *earlier: Alert, **changes: Any) -> Alert:
    content = replace(CONTENT, status=CapStatus.ACTUAL, **changes)
    head = Heading(
        f"m{number}",
        NOW - HOUR + timedelta(minutes=number),
        kind,
        tuple(a.reference for a in earlier),
    )
    return COMPOSER.compose(content, [place_of_shape(s) for s in content.shapes], head)


FIRST = message(1)
UPDATE = message(2, MsgType.UPDATE, FIRST, vi=replace(CONTENT.vi, headline="Cao hơn dự báo"))
CANCEL = message(3, MsgType.CANCEL, FIRST, UPDATE)


@dataclass
class Bench:
    hub: Hub
    service: Service
    clock: FixedClock

    @property
    def kept(self) -> RelationalForeignWarnings:
        return RelationalForeignWarnings(self.hub.engine)

    def publish(self, *alerts: Alert, extra: str = "", **headers: str) -> None:
        """A feed that links to these messages."""
        entries = ""
        for alert in alerts:
            path = f"/{alert.identifier}.cap"
            self.service.reply(path, Reply(write_alert(alert).encode()))
            entries += (
                f"<entry><updated>{alert.sent_at.isoformat()}</updated>"
                f"<link type='application/cap+xml' href='{path}'/></entry>"
            )
        feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entries}{extra}</feed>"
        self.service.reply("/feed", Reply(feed.encode(), headers=headers))

    def puller(self, **settings: Any) -> PullService:
        cap = CapPorts(read_document, self.kept, self.clock)
        ports = Ports(self.hub.intake, self.hub.pull_runs, self.hub.sources, self.clock, cap)
        base_url = f"{self.service.url}/feed"
        feed = CapFeed(**{"base_url": base_url, "backoff_s": 0.01, "retries": 0, **settings})
        return pull_service(PullSettings(use_system_proxy=False, connectors={"kttv": feed}), ports)

    async def run(self, puller: PullService | None = None, **settings: Any) -> None:
        run = await (puller or self.puller(**settings)).run_once("kttv")
        assert run.last_error == ""

    def entities(self) -> dict[str, dict[str, Any]]:
        """Attributes of the alerts that are current."""
        with self.hub.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT e.uri, a.name, a.text, a.body FROM entity e JOIN attribute a "
                "ON a.entity_id = e.id WHERE e.deleted_us IS NULL AND a.deleted_us IS NULL"
            ).all()
        found: dict[str, dict[str, Any]] = {}
        for uri, name, text, body in rows:
            found.setdefault(uri, {})[name] = text or body
        return found


@pytest.fixture
async def bench(tmp_path: Path, service: Service) -> AsyncIterator[Bench]:
    async with open_hub(tmp_path) as hub:
        yield Bench(hub, service, FixedClock(NOW))


async def test_a_message_becomes_an_entity_with_a_place(bench: Bench) -> None:
    bench.publish(FIRST)
    await bench.run()
    ((uri, values),) = bench.entities().items()
    assert uri.startswith("urn:ngsi-ld:Alert:cap-")
    assert values["name"] == CONTENT.vi.headline
    assert (values["category"], values["severity"]) == ("weather", "medium")
    assert values["validTo"] == "2026-11-20T22:30:15Z"
    assert '"Polygon"' in values["location"]
    (kept,) = bench.kept.all()
    assert (kept.identifier, kept.entity, kept.connector) == ("m1", uri, "kttv")
    assert kept.document.startswith("<?xml")


async def test_an_update_changes_it_and_a_cancel_takes_it_away(bench: Bench) -> None:
    bench.publish(FIRST)
    await bench.run()
    bench.publish(UPDATE, FIRST)
    await bench.run()
    (values,) = bench.entities().values()
    assert values["name"] == "Cao hơn dự báo"
    bench.publish(CANCEL)
    await bench.run()
    assert bench.entities() == {}
    told = {one.identifier: one.replaced_by for one in bench.kept.all()}
    assert told == {"m1": MsgType.CANCEL, "m2": MsgType.CANCEL, "m3": None}


@pytest.mark.parametrize("order", [(CANCEL, UPDATE, FIRST), (CANCEL, FIRST), (UPDATE, CANCEL)])
async def test_the_order_of_arrival_does_not_matter(bench: Bench, order: tuple[Alert]) -> None:
    for alert in order:
        bench.publish(alert)
        await bench.run()
    assert bench.entities() == {}
    assert len(bench.kept.all()) == len(order)


async def test_an_update_before_its_alert_stays_in_force(bench: Bench) -> None:
    for alert in (UPDATE, FIRST):
        bench.publish(alert)
        await bench.run()
    (values,) = bench.entities().values()
    assert values["name"] == "Cao hơn dự báo"


async def test_what_is_known_is_not_asked_for_again(bench: Bench) -> None:
    bench.publish(FIRST, ETag='"1"')
    puller = bench.puller()
    await bench.run(puller)
    await bench.run(puller)
    assert [one.path for one in bench.service.asked] == ["/feed", "/m1.cap", "/feed"]
    assert bench.service.asked[-1].headers["If-None-Match"] == '"1"'
    bench.service.reply("/feed", Reply(b"", 304))
    await bench.run(puller)
    await bench.run()  # after a restart the feed is asked whole, its message is known
    assert bench.hub.rows().num_rows == len(set(bench.hub.rows()["attribute"].to_pylist()))


async def test_a_run_that_failed_asks_for_the_whole_feed_again(bench: Bench) -> None:
    bench.publish(FIRST, ETag='"1"')
    bench.service.reply("/feed", Reply(b"<html>down</html>"))
    puller = bench.puller()
    assert (await puller.run_once("kttv")).failures == 1
    bench.publish(FIRST, ETag='"1"')
    await bench.run(puller)
    assert "If-None-Match" not in bench.service.asked[-2].headers
    assert len(bench.entities()) == 1


async def test_bad_messages_are_rejected_and_others_go_on(bench: Bench) -> None:
    bad = "".join(
        f"<entry><updated>2026</updated><link type='application/cap+xml' href='{href}'/></entry>"
        for href in ("/bomb", "/gone", "http://127.0.0.2:1/elsewhere")
    )
    bench.publish(FIRST, extra=bad)
    bench.service.reply("/bomb", Reply(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'))
    await bench.run()
    assert len(bench.entities()) == 1
    reasons = bench.hub.receipts.reject_reasons("kttv", NOW - 24 * HOUR)
    assert reasons == {"payload_malformed": 1, "link_unusable": 1, "link_elsewhere": 1}


async def test_the_login_of_a_feed_is_used_and_shown_nowhere(bench: Bench) -> None:
    bad = "".join(
        f"<entry><updated>2026</updated><link type='application/cap+xml' href='{href}'/></entry>"
        for href in ("/bomb", "/gone", "http://you:s3cret@127.0.0.2:1/elsewhere")
    )
    bench.publish(FIRST, extra=bad)
    bench.service.reply("/bomb", Reply(b"<html>"))
    address = bench.service.url.replace("://", "://me:s3cret@")
    await bench.run(base_url=f"{address}/feed")
    assert len(bench.entities()) == 1
    assert all(one.headers["Authorization"].startswith("Basic ") for one in bench.service.asked)
    rejects = bench.hub.receipts.rejects("kttv", 10)
    assert len(rejects) == 3
    assert "s3cret" not in str(rejects)
    ports = CapPorts(read_document, bench.kept, bench.clock)
    connector = CapFeedConnector("kttv", CapFeed(base_url=f"{address}/feed"), ports)
    assert connector.source.owner == f"{bench.service.url}/feed"


async def test_exercises_and_what_is_over_are_shown_but_make_no_entity(bench: Bench) -> None:
    exercise = replace(message(4), status=CapStatus.EXERCISE)
    over = message(5, expires_at=NOW - timedelta(minutes=1))
    bench.publish(exercise, over)
    await bench.run()
    assert bench.entities() == {}
    assert {one.identifier for one in bench.kept.all()} == {"m4", "m5"}


async def test_a_feed_of_whole_messages_is_read_too(bench: Bench) -> None:
    inside = "".join(
        f"<entry><content>{write_alert(a).partition('?>')[2]}</content></entry>"
        for a in (UPDATE, FIRST)
    )
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{inside}</feed>"
    bench.service.reply("/feed", Reply(feed.encode()))
    await bench.run()
    await bench.run()
    (values,) = bench.entities().values()
    assert values["name"] == "Cao hơn dự báo"
    assert len(bench.kept.all()) == 2
