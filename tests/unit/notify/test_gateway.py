"""Channels over HTTP gateways: SMS and Zalo-like services, by configuration alone."""

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.model.problem import Problem
from dothi.notify.gateway.channel import GatewayChannel
from dothi.notify.settings import GatewaySettings
from dothi.notify.webhook.client import HttpClient
from dothi.ports.channel import Handed
from http_sink import Got, Sunk, sinking
from notice_parts import letter

SECRET = 'k"e&y<1>'
NASTY = 'Nước "cao" & <gấp>\n{secret} 100 %'


def channel(url: str, **changes: object) -> GatewayChannel:
    settings = GatewaySettings(url=url, **changes)  # type: ignore[arg-type]
    return GatewayChannel("sms", settings, SECRET, HttpClient(egress_policy(("127.0.0.0/8",))))


async def sent(answer: Sunk | None = None, **changes: object) -> tuple[Handed, Got]:
    path = str(changes.pop("path", ""))
    async with sinking(lambda _: answer or Sunk()) as sink:
        gateway = channel(sink.url + path, **changes)
        handed = await gateway.send(letter(address="+84901", short=NASTY, text=NASTY))
        await gateway.close()
    return handed, sink.requests[0]


async def test_json_stays_json_whatever_the_text() -> None:
    body = '{"to": "{address}", "auth": {"key": "{secret}"}, "msg": "{short}", "id": "{key}"}'
    handed, got = await sent(body=body, headers={"Authorization": "Bearer {secret}"})
    assert handed.state is DeliveryState.ACCEPTED
    found = {"to": "+84901", "auth": {"key": SECRET}, "msg": NASTY, "id": letter().key}
    assert got.json() == found
    assert got.headers["authorization"] == f"Bearer {SECRET}"
    assert got.headers["idempotency-key"] == f'"{letter().key}"'


async def test_forms_and_xml_are_escaped_too() -> None:
    form = "application/x-www-form-urlencoded"
    _, got = await sent(body="to={address}&key={secret}&msg={short}", content_type=form)
    assert parse_qs(got.body.decode()) == {"to": ["+84901"], "key": [SECRET], "msg": [NASTY]}
    _, got = await sent(body='<sms to="{address}">{short}</sms>', content_type="text/xml")
    tree = ElementTree.fromstring(got.body.decode())
    assert (tree.get("to"), tree.text) == ("+84901", NASTY)


async def test_values_in_an_address_are_escaped() -> None:
    _, got = await sent(path="/{address}?text={short}&id={key}", method="GET")
    assert got.method == "GET"
    parts = urlsplit(got.target)
    assert parts.path == "/hook/%2B84901"
    assert parse_qs(parts.query) == {"text": [NASTY], "id": [letter().key]}


async def test_services_that_answer_200_to_everything() -> None:
    rules = {"success": r'"CodeResult":\s*"100"', "retry": "busy", "reference": r'"SMSID":"(\w+)"'}
    good = Sunk(200, b'{"CodeResult":"100","SMSID":"a1"}')
    handed, _ = await sent(good, **rules)
    assert (handed.state, handed.references) == (DeliveryState.ACCEPTED, ("a1",))
    handed, _ = await sent(Sunk(200, b'{"CodeResult":"103"}'), **rules)
    assert (handed.state, handed.is_reached) == (DeliveryState.FAILED, True)
    assert "103" in handed.detail
    handed, _ = await sent(Sunk(200, b"busy"), **rules)
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, True)


@pytest.mark.parametrize(
    ("status", "state"), [(500, DeliveryState.WAITING), (403, DeliveryState.FAILED)]
)
async def test_errors(status: int, state: DeliveryState) -> None:
    handed, _ = await sent(Sunk(status, b"no"))
    assert (handed.state, handed.detail) == (state, f"status {status}: no")


async def test_a_service_that_repeats_the_key_does_not_get_it_into_the_records() -> None:
    handed, _ = await sent(Sunk(401, f"bad key {SECRET}".encode()))
    assert handed.detail == "status 401: bad key ***"


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://x.example/?key={secret}"},
        {"url": "x.example"},
        {"success": "("},
        {"reference": "no group"},
        {"receipt": r"(?P<id>\w+)", "reference": "(x)", "receipt_delivered": "ok"},
        {"receipt": r"(?P<id>\w+) (?P<state>\w+)", "reference": "(x)", "receipt_delivered": "ok"},
        {"receipt_failed": "("},
    ],
)
def test_settings_that_cannot_work_stop_the_start(changes: dict[str, str]) -> None:
    with pytest.raises(Problem) as raised:
        channel(**({"url": "https://x.example"} | changes))  # type: ignore[arg-type]
    assert raised.value.where.startswith("[notices.gateways.sms]")


async def test_a_forbidden_address_waits_for_the_settings() -> None:
    settings = GatewaySettings(url="http://127.0.0.1:1/")
    client = HttpClient(egress_policy(), setting="[notices] allow")
    handed = await GatewayChannel("sms", settings, SECRET, client).send(letter())
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    assert "[notices] allow" in handed.detail
