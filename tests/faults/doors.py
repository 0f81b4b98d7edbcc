"""Senders for every door: each numbers its observations and notes which were acknowledged.

Number n of a door is one observation: entity `urn:ngsi-ld:Door:<door>`, attribute `n`, value n,
observed START + n seconds. A sender stops at the first sign that the hub is gone.
"""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt

START_AT = datetime(2026, 10, 1, tzinfo=UTC)


def observed_at(number: int) -> datetime:
    return START_AT + timedelta(seconds=number)


def entity(door: str) -> str:
    return f"urn:ngsi-ld:Door:{door}"


class Door:
    """A sender with its books. `number` is the next one to send; numbers are never used twice."""

    name = ""

    def __init__(self) -> None:
        self.number = 0
        self.acknowledged: set[int] = set()
        self.stopping = threading.Event()

    def take(self, count: int) -> range:
        numbers = range(self.number, self.number + count)
        self.number += count
        return numbers

    def run(self, url: str, mqtt_port: int) -> None:
        """Send until the hub is gone or `stopping` is set."""
        raise NotImplementedError


class HttpDoor(Door):
    """NDJSON in bulk."""

    name = "http"

    def run(self, url: str, mqtt_port: int) -> None:
        with httpx.Client(base_url=url, timeout=10) as client:
            while not self.stopping.is_set():
                numbers = self.take(50)
                lines = [
                    json.dumps(
                        {
                            "entity": entity(self.name),
                            "attribute": "n",
                            "value": n,
                            "observedAt": observed_at(n).isoformat(),
                        }
                    )
                    for n in numbers
                ]
                try:
                    answer = client.post(
                        "/api/v1/observations?source=door-http",
                        content="\n".join(lines),
                        headers={"Content-Type": "application/x-ndjson"},
                    )
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    assert answer.json()["stored"] == len(numbers), answer.text
                    self.acknowledged.update(numbers)
                time.sleep(0.02)


class NgsiDoor(Door):
    """Batch upserts of one entity at a time."""

    name = "ngsi"

    def run(self, url: str, mqtt_port: int) -> None:
        with httpx.Client(base_url=url, timeout=10) as client:
            while not self.stopping.is_set():
                [n] = self.take(1)
                value = {"type": "Property", "value": n, "observedAt": _rfc3339(observed_at(n))}
                body = [{"id": entity(self.name), "type": "Door", "n": value}]
                try:
                    answer = client.post("/ngsi-ld/v1/entityOperations/upsert", json=body)
                except httpx.HTTPError:
                    return
                if answer.status_code in {201, 204}:
                    self.acknowledged.add(n)


class MqttDoor(Door):
    """QoS 1; PUBACK is the acknowledgement. What was not acknowledged is not sent again."""

    name = "mqtt"

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def run(self, url: str, mqtt_port: int) -> None:
        sent: dict[int, int] = {}
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="door-mqtt")
        client.username_pw_set("door-mqtt", self._token)

        def acknowledge(_client, _data, mid, _reason, _properties) -> None:
            self.acknowledged.add(sent[mid])

        connected = threading.Event()
        client.on_publish = acknowledge
        client.on_connect = lambda *_: connected.set()
        client.connect("127.0.0.1", mqtt_port)
        client.loop_start()
        try:
            connected.wait(10)
            while not self.stopping.is_set():
                if len(sent) - len(self.acknowledged & set(sent.values())) > 50:
                    time.sleep(0.005)
                    continue
                [n] = self.take(1)
                payload = json.dumps({"n": {"value": n, "observedAt": observed_at(n).isoformat()}})
                info = client.publish(f"dothi/v1/{entity(self.name)}", payload, qos=1)
                if info.rc != mqtt.MQTT_ERR_SUCCESS:
                    return
                sent[info.mid] = n
        finally:
            client.loop_stop()


class FileDoor(Door):
    """Station files; a file on the disk counts as promised: it must be read in the end."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def run(self, url: str, mqtt_port: int) -> None:
        while not self.stopping.is_set():
            numbers = self.take(20)
            local = [observed_at(n) + timedelta(hours=7) for n in numbers]
            lines = [
                f"COD\t{n}\tmg/L\t{at:%Y%m%d%H%M%S}\t00"
                for n, at in zip(numbers, local, strict=True)
            ]
            name = f"BD_KCN_NUO001_{local[0]:%Y%m%d%H%M%S}.txt"
            part = self._folder / f"{name}.part"
            part.write_text("\n".join(lines))
            part.rename(self._folder / name)
            self.acknowledged.update(numbers)
            time.sleep(0.05)


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
