"""Channel `webhook`: what a receiver gets, and can check."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.model.problem import Problem
from dothi.notify.webhook.channel import WebhookChannel, signature, signing_key
from dothi.notify.webhook.client import HttpClient
from http_sink import Sunk, sinking
from notice_parts import letter

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@asynccontextmanager
async def channel(now_s: float = 1_700_000_000.0) -> AsyncIterator[WebhookChannel]:
    client = HttpClient(egress_policy(("127.0.0.0/8",)), setting="[notices] allow")
    made = WebhookChannel(client, signing_key(SECRET), 1.0, lambda: now_s)
    yield made
    await made.close()


async def test_a_receiver_can_check_who_sent_it() -> None:
    async with sinking() as sink, channel() as webhook:
        handed = await webhook.send(letter(address=sink.url))
    assert handed.state is DeliveryState.DELIVERED
    [got] = sink.requests
    assert (got.method, got.headers["content-type"]) == ("POST", "application/json")
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert got.headers["webhook-timestamp"] == "1700000000"
    signed = f"{got.headers['webhook-id']}.1700000000.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.headers["idempotency-key"] == f'"{got.headers["webhook-id"]}"'
    body = got.json()
    assert body["type"] == "alarm.raised"
    assert body["timestamp"] == "2026-11-27T14:05:00Z"
    assert body["data"]["id"] == got.headers["webhook-id"] == letter().key
    assert body["data"]["title"] == "Cảnh báo mức 2: mực nước cao"
    assert SECRET not in got.body.decode()


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification and of its reference libraries.
    found = signature(
        signing_key(SECRET),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "kurz", base64.b64encode(b"x" * 65).decode()])
def test_a_key_that_cannot_be_one_is_refused(secret: str) -> None:
    with pytest.raises(Problem, match="24 to 64 bytes"):
        signing_key(secret)


@pytest.mark.parametrize(
    ("status", "state", "is_reached"),
    [
        (204, DeliveryState.DELIVERED, True),
        (400, DeliveryState.FAILED, True),
        (410, DeliveryState.FAILED, True),
        (301, DeliveryState.FAILED, True),
        (409, DeliveryState.WAITING, True),
        (429, DeliveryState.WAITING, True),
        (503, DeliveryState.WAITING, False),
    ],
)
async def test_what_an_answer_means(status: int, state: DeliveryState, is_reached: bool) -> None:
    async with sinking(lambda _: Sunk(status)) as sink, channel() as webhook:
        handed = await webhook.send(letter(address=sink.url))
    assert (handed.state, handed.is_reached) == (state, is_reached)


async def test_nobody_there_and_no_answer() -> None:
    async with channel() as webhook, sinking(delay_s=3.0) as slow:
        for url in ("http://127.0.0.1:1/", slow.url):
            handed = await webhook.send(letter(address=url))
            assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)


@pytest.mark.parametrize(
    "address", ["", "lan", "ftp://x/", "http://", "http://10.0.0.1/", "http://[::1]/"]
)
async def test_addresses_that_are_not_called(address: str) -> None:
    async with channel() as webhook:
        assert (await webhook.send(letter(address=address))).state is DeliveryState.FAILED


async def test_the_lane_is_the_endpoint_without_its_secrets() -> None:
    async with channel() as webhook:
        lane = webhook.lane("https://user:pass@host.example/hook?token=x")
    assert lane == "https://host.example/hook"
