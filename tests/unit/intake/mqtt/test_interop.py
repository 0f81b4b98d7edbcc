"""The embedded broker with clients that others wrote."""

import asyncio
import subprocess
from collections.abc import Sequence

import paho.mqtt.client as paho
import pytest

from mqtt_peers import RecordingIngest, embedded

VERSIONS = pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])


async def run(*command: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin), 10)
    return process.returncode or 0, out.decode(), err.decode()


def tool(name: str, port: int, version: str, *arguments: str) -> Sequence[str]:
    return (name, "-h", "127.0.0.1", "-p", str(port), "-V", version, *arguments)


@pytest.mark.needs("mosquitto")
@VERSIONS
@pytest.mark.parametrize("qos", ["0", "1", "2"])
async def test_mosquitto_pub(version: str, qos: str) -> None:
    ingest = RecordingIngest()
    async with embedded(ingest, allow_anonymous=False) as broker:
        code, _, errors = await run(
            *tool("mosquitto_pub", broker.port, version),
            *("-u", "station-1", "-P", "token-of-station-1", "-q", qos),
            *("-t", "dothi/v1/phu-an", "-m", '{"waterLevel": {"value": 1.42, "unit": "m"}}'),
        )
        assert code == 0, errors
        [row] = await ingest.until_rows(1)
    assert (row["source"], row["number"], row["unit"]) == ("station-1", 1.42, "m")


@pytest.mark.needs("mosquitto")
@VERSIONS
async def test_mosquitto_sub_hears_mosquitto_pub(version: str) -> None:
    async with embedded(RecordingIngest()) as broker:
        listening = asyncio.create_task(
            run(
                *tool("mosquitto_sub", broker.port, version, "-q", "1", "-C", "3"),
                *("-v", "-t", "dothi/v1/#"),
            )
        )
        while broker.counters.connections < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        code, _, errors = await run(
            *tool("mosquitto_pub", broker.port, version, "-q", "1", "-l"),
            *("-t", "dothi/v1/a/b"),
            stdin=b"1\n2\n3\n",
        )
        assert code == 0, errors
        code, out, errors = await listening
    assert (code, out) == (0, "dothi/v1/a/b 1\ndothi/v1/a/b 2\ndothi/v1/a/b 3\n"), errors


@pytest.mark.needs("mosquitto")
@VERSIONS
async def test_mosquitto_pub_learns_of_wrong_credentials(version: str) -> None:
    async with embedded(RecordingIngest(), allow_anonymous=False) as broker:
        code, _, errors = await run(
            *tool("mosquitto_pub", broker.port, version, "-u", "x", "-P", "y"),
            *("-t", "dothi/v1/a/b", "-m", "1"),
        )
    assert code != 0
    assert errors


@pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5], ids=["3.1.1", "5"])
async def test_paho(version: int) -> None:
    """A popular client of Python: publishes with QoS 1 and 2, subscribes, says goodbye."""
    ingest = RecordingIngest()
    heard: list[bytes] = []

    def session(port: int) -> None:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "paho-1", protocol=version)
        client.username_pw_set("station-2", "token-of-station-2")
        client.on_message = lambda _c, _u, message: heard.append(message.payload)
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe("dothi/v1/+/x", 1)
        for value in range(20):
            client.publish("dothi/v1/p/x", str(value), qos=1 + value % 2).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()

    async with embedded(ingest) as broker:
        await asyncio.to_thread(session, broker.port)
    assert [row["number"] for row in ingest.rows] == list(range(20))
    assert sorted(map(float, heard)) == list(range(len(heard)))
    assert len(heard) >= 19
