"""Channel `web_push` against a push service that decrypts what it gets."""

import time
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.model.problem import Problem
from dothi.notify.settings import WebPushSettings
from dothi.notify.web_push.channel import WebPushChannel
from dothi.notify.web_push.encryption import MOST_BYTES, encrypted, from_base64url, to_base64url
from dothi.notify.web_push.vapid import Vapid, load_key
from dothi.notify.webhook.client import HttpClient
from notice_parts import letter, notice, person, telling
from push_service import Browser, PushService, push_service

SUBJECT = "mailto:truc@example.vn"


class Gone:
    def __init__(self) -> None:
        self.endpoints: list[str] = []

    async def __call__(self, endpoint: str) -> None:
        self.endpoints.append(endpoint)


def channel(folder: Path, gone: Gone | None = None) -> WebPushChannel:
    vapid = Vapid(load_key(folder / "secrets" / "vapid.pem"), SUBJECT)
    client = HttpClient(egress_policy(("127.0.0.0/8",)))
    settings = WebPushSettings(subject=SUBJECT, timeout_s=1.0)
    return WebPushChannel(settings, vapid, client, gone or Gone())


def address(service: PushService) -> str:
    return msgspec.json.encode(service.browser.subscription(service.endpoint)).decode()


def test_the_example_of_rfc_8291() -> None:
    private = int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        from_base64url(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNto"
            "IAiw4"
        ),
        from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        ec.derive_private_key(private, ec.SECP256R1()),
        from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert to_base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocIn"
        "mYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNW"
        "QexSgSxsj_Qulcy4a-fN"
    )


async def test_only_the_browser_can_read_it(tmp_path: Path) -> None:
    async with push_service() as service:
        handed = await channel(tmp_path).send(letter(address=address(service)))
        assert handed.state is DeliveryState.ACCEPTED
        [got] = service.sink.requests
    assert got.target == "/push/abc"
    assert b"alarm" not in got.body
    shown = service.shown(got)
    assert shown["title"] == "Cảnh báo mức 2: mực nước cao"
    assert shown["url"] == letter().url
    assert got.headers["content-encoding"] == "aes128gcm"
    assert (got.headers["ttl"], got.headers["urgency"]) == ("86400", "high")
    assert got.headers["topic"] == letter().key.replace("-", "")
    assert len(got.headers["topic"]) == 32


async def test_the_push_service_can_check_who_sends(tmp_path: Path) -> None:
    async with push_service() as service:
        made = channel(tmp_path)
        await made.send(letter(address=address(service)))
        claims, key = service.claims(service.sink.requests[0])
        assert claims["aud"] == service.endpoint.removesuffix("/push/abc")
        assert claims["sub"] == SUBJECT
        assert 0 < claims["exp"] - time.time() <= 24 * 3600
        assert key == made._vapid.public_key
        assert channel(tmp_path)._vapid.public_key == key, "browsers know us by it"


async def test_long_texts_are_cut(tmp_path: Path) -> None:
    async with push_service() as service:
        long = letter(address=address(service), text="Nước " * 3000)
        assert (await channel(tmp_path).send(long)).state is DeliveryState.ACCEPTED
        got = service.sink.requests[0]
        assert len(got.body) <= 4096
        assert service.shown(got)["text"].startswith("Nước Nước")
    with pytest.raises(ValueError, match="fit"):
        encrypted(b"x" * (MOST_BYTES + 1), service.browser.public, b"")
    assert len(encrypted(b"x" * MOST_BYTES, service.browser.public, b"s" * 16)) == 4096


@pytest.mark.parametrize(
    ("status", "state", "is_gone"),
    [
        (410, DeliveryState.FAILED, True),
        (404, DeliveryState.FAILED, True),
        (413, DeliveryState.FAILED, False),
        (403, DeliveryState.WAITING, False),
        (429, DeliveryState.WAITING, False),
        (500, DeliveryState.WAITING, False),
    ],
)
async def test_answers(tmp_path: Path, status: int, state: DeliveryState, is_gone: bool) -> None:
    gone = Gone()
    async with push_service() as service:
        service.status = status
        handed = await channel(tmp_path, gone).send(letter(address=address(service)))
        assert handed.state is state
        assert gone.endpoints == ([service.endpoint] if is_gone else [])


@pytest.mark.parametrize("key", ["", "AAAA", "B" * 87, "not base64!"])
async def test_keys_that_cannot_be_used(tmp_path: Path, key: str) -> None:
    browser = replace(Browser().subscription("http://127.0.0.1:1/x"), public_key=key)
    broken = msgspec.json.encode(browser)
    handed = await channel(tmp_path).send(letter(address=broken.decode()))
    assert handed.state is DeliveryState.FAILED


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "vapid.pem"
    load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("nonsense")
    with pytest.raises(Problem, match="cannot be used"):
        load_key(path)


async def test_from_a_notice_to_the_browser(tmp_path: Path) -> None:
    async with push_service() as service:
        channels = {"web_push": channel(tmp_path)}
        async with telling(tmp_path, [person("lan", fax="1")], channels) as desk:
            desk.preferences.add_push(service.browser.subscription(service.endpoint))
            desk.put(notice())
            await desk.until(lambda: desk.state() is DeliveryState.ACCEPTED)
        shown = service.shown(service.sink.requests[0])
        assert shown["title"] == "Cảnh báo mức 2 (cao): Mực nước cao – Phú An"
        assert shown["key"] == desk.deliveries()[0].delivery.key
