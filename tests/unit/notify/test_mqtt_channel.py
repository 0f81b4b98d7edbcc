"""Channel `mqtt` against Mosquitto."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from certificates import self_signed
from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.notify.mqtt.channel import MqttChannel
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.settings import MqttChannelSettings
from mqtt_peers import mosquitto, tls_listener
from notice_parts import letter

pytestmark = pytest.mark.needs("mosquitto")
LOOPBACK = egress_policy(("127.0.0.0/8", "::1/128"))


def channel(port: int, password: str = "", **changes: str) -> MqttChannel:
    given: dict[str, Any] = {"url": f"mqtt://127.0.0.1:{port}", "timeout_s": 2.0, **changes}
    settings = MqttChannelSettings(**given)
    return MqttChannel(settings, password, MqttSender(LOOPBACK, setting="[notices] allow"))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_letter_arrives(mosquitto_path: str, tmp_path: Path, version: str) -> None:
    with mosquitto(mosquitto_path, tmp_path) as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port) as subscriber:
            await subscriber.subscribe("dothi/lan", qos=1)
            made = channel(broker.port, version=version)
            handed = await made.send(letter(address="dothi/lan"))
            assert handed.state is DeliveryState.ACCEPTED
            message = await anext(subscriber.messages)
            await made.close()
    assert isinstance(message.payload, bytes)
    assert b'"id":"0b9a53c4-5e43-5f3b-9f6c-2b8ad2d8c2a1"' in message.payload
    assert message.qos == 1


async def test_user_and_password_stand_in_no_address(mosquitto_path: str, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    program = shutil.which("mosquitto_passwd") or f"{mosquitto_path}_passwd"
    subprocess.run([program, "-b", "-c", passwords, "dothi", "top-s3cret"], check=True)
    extra = f"allow_anonymous false\npassword_file {passwords}\n"
    with mosquitto(mosquitto_path, tmp_path, extra) as broker:
        made = channel(broker.port, "top-s3cret", user="dothi")
        handed = await made.send(letter(address="dothi/lan"))
        assert handed.state is DeliveryState.ACCEPTED
        await made.close()
        wrong = channel(broker.port, "gu3ss", user="dothi")
        refused = await wrong.send(letter(address="dothi/lan"))
        await wrong.close()
    assert (refused.state, refused.is_reached) == (DeliveryState.WAITING, False)
    assert "gu3ss" not in refused.detail


async def test_mqtts_to_a_broker_whose_authority_is_trusted(
    mosquitto_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker of the settings by its name; an authority of one's own by SSL_CERT_FILE."""
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with mosquitto(mosquitto_path, tmp_path, tls_listener(certificate)) as broker:
        async with aiomqtt.Client("localhost", broker.port, tls_context=trusted) as subscriber:
            await subscriber.subscribe("dothi/lan", qos=1)
            made = channel(broker.port, url=f"mqtts://localhost:{broker.port}")
            handed = await made.send(letter(address="dothi/lan"))
            assert handed.state is DeliveryState.ACCEPTED
            await anext(subscriber.messages)
            # The certificate is for the name: the address alone is somebody else.
            elsewhere = channel(broker.port, url=f"mqtts://127.0.0.1:{broker.port}")
            refused = await elsewhere.send(letter(address="dothi/lan"))
            await made.close()
            await elsewhere.close()
    assert (refused.state, refused.is_reached) == (DeliveryState.WAITING, False)
    assert "certificate" in refused.detail.lower()


async def test_mqtts_to_a_broker_that_nobody_vouches_for(
    mosquitto_path: str, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path)
    with mosquitto(mosquitto_path, tmp_path, tls_listener(certificate)) as broker:
        made = channel(broker.port, url=f"mqtts://localhost:{broker.port}")
        refused = await made.send(letter(address="dothi/lan"))
        await made.close()
    assert (refused.state, refused.is_reached) == (DeliveryState.WAITING, False)
    assert "certificate verify failed" in refused.detail


@pytest.mark.parametrize("address", ["", "/", "a/+/b", "#", "a\0b"])
async def test_what_is_no_topic_is_not_sent(address: str) -> None:
    assert (await channel(1).send(letter(address=address))).state is DeliveryState.FAILED


async def test_nobody_there() -> None:
    handed = await channel(1).send(letter(address="dothi/lan"))
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)


async def test_a_forbidden_address_waits_for_the_settings() -> None:
    settings = MqttChannelSettings(url="mqtt://127.0.0.1:1", timeout_s=2.0)
    made = MqttChannel(settings, "", MqttSender(egress_policy(), setting="[notices] allow"))
    handed = await made.send(letter(address="dothi/lan"))
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    assert "[notices] allow" in handed.detail
