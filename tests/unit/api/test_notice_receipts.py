"""Gateways tell what became of a message: with their secret, in their own words."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dothi.access.egress import egress_policy
from dothi.access.principal import ANONYMOUS
from dothi.api import notice_receipts
from dothi.api.notice_deps import NoticeDeps
from dothi.notify.gateway.channel import GatewayChannel
from dothi.notify.settings import GatewaySettings
from dothi.notify.webhook.client import HttpClient
from dothi.ports.clock import SystemClock
from http_sink import HttpSink, Sunk, sinking
from notice_parts import Desk, Sink, notice, person, telling
from serving import client_of, serve

PATH = "/api/v1/notices/receipts/zalo"
SECRET = {"x-receipt-secret": "tell-me"}


def report(state: str, reference: str = "m1") -> str:
    return f'{{"event": {{"message_id": "{reference}", "status": "{state}"}}}}'


@dataclass
class Api:
    client: httpx.AsyncClient
    desk: Desk
    mail: Sink

    async def post(self, text: str, path: str = PATH, **headers: str) -> httpx.Response:
        return await self.client.post(path, content=text, headers=headers or SECRET)

    async def told(self) -> None:
        self.desk.put(notice())
        await self.desk.until(lambda: self.states()["zalo"] == "accepted")

    def states(self) -> dict[str, str]:
        """Channel -> state."""
        records = self.desk.notices.deliveries([1])
        found = {one.delivery.channel: str(one.delivery.state) for one in records}
        return {"zalo": "", "email": "", **found}


def gateway(sink: HttpSink, per_second: float) -> GatewayChannel:
    settings = GatewaySettings(
        url=sink.url,
        body='{"to": "{address}"}',
        reference=r'"id": "(\w+)"',
        receipt=r'"message_id": "(?P<id>\w+)", "status": "(?P<state>\w+)"',
        receipt_delivered="delivered|seen",
        receipt_failed="failed",
        receipt_secret_file="env:IT",
        receipts_per_second=per_second,
    )
    client = HttpClient(egress_policy(("127.0.0.0/8",)))
    return GatewayChannel("zalo", settings, "", client, SECRET["x-receipt-secret"])


@pytest.fixture
def per_second() -> float:
    return 50.0


@pytest.fixture
async def api(tmp_path: Path, per_second: float) -> AsyncIterator[Api]:
    mail, people = Sink(), [person("lan", email="lan@example.org", zalo="84901")]
    async with sinking(lambda _: Sunk(200, b'{"id": "m1"}')) as sink:
        zalo = gateway(sink, per_second)
        async with telling(tmp_path, people, {"zalo": zalo, "email": mail}) as desk:
            assert zalo.receipts is not None
            ports = (desk.notices, desk.preferences, desk.people, desk.service, SystemClock())
            deps = NoticeDeps(*ports, {"zalo": zalo.receipts})
            routes = notice_receipts.endpoints(deps)
            async with serve(routes, ANONYMOUS) as address, client_of(address) as client:
                yield Api(client, desk, mail)


async def test_what_arrived_is_delivered(api: Api) -> None:
    await api.told()
    answer = await api.post(report("sent"))
    assert answer.json() == {"taken": 0, "unknown": 0, "ignored": 1}
    assert api.states()["zalo"] == "accepted", "on its way says nothing new"
    answer = await api.post(f"[{report('seen')}, {report('delivered', 'other')}]")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"taken": 1, "unknown": 1, "ignored": 0}
    assert api.states() == {"zalo": "delivered", "email": "spared"}
    assert api.mail.letters == []


async def test_what_will_not_arrive_goes_by_the_next_channel(api: Api) -> None:
    await api.told()
    assert (await api.post(report("failed"))).json()["taken"] == 1
    await api.mail.until(1)
    assert api.states()["zalo"] == "failed"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {"x-receipt-secret": "tell-m"}),
        (PATH, {"x-receipt-secret": ""}),
        (PATH, {"accept": "*/*"}),
        (PATH.replace("zalo", "sms"), SECRET),
    ],
)
async def test_nobody_else_reports(api: Api, path: str, headers: dict[str, str]) -> None:
    await api.told()
    answer = await api.post(report("failed"), path, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "receipt_forbidden")
    assert "tell" not in answer.text
    assert api.states()["zalo"] == "accepted"


async def test_what_cannot_be_read_is_said(api: Api) -> None:
    answer = await api.post('{"hello": 1}')
    assert (answer.status_code, answer.json()["code"]) == (422, "receipt_unreadable")
    assert (await api.post("x" * 65_537)).status_code == 413
    assert (await api.post(report("\xff"))).status_code == 200


@pytest.mark.parametrize("per_second", [0.5])
async def test_more_calls_than_agreed_wait(api: Api) -> None:
    answers = [await api.post(report("sent")) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert 0 < float(answers[-1].headers["retry-after"]) <= 2
    refused = await api.post(report("sent"), **{"x-receipt-secret": "guess"})
    assert refused.status_code == 403, "guesses use up nothing and learn nothing"
