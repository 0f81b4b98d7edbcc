"""Sends a steady stream of observations whose value is the time of sending. Not a benchmark itself.

bench/live_view.py starts it. Several connections share the rate; each message holds rows of
neighbouring series, as a gateway would send them.
"""

import argparse
import http.client
import json
import threading
import time

import pyarrow as pa

ATTRIBUTES = ("pm25", "pm10", "temperature", "relativeHumidity", "no2")
ARROW = "application/vnd.apache.arrow.stream"


class Connection(threading.Thread):
    """One gateway."""

    def __init__(self, options: argparse.Namespace, number: int) -> None:
        super().__init__()
        self._options = options
        self._number = number
        self.sent = self.late_rounds = 0
        options.rows = int(options.rate * options.round_s / options.connections)
        count = options.entities * len(ATTRIBUTES) // options.connections
        series = range(number * count, (number + 1) * count)
        self._entities = pa.array(
            [f"urn:ngsi-ld:AirQualityObserved:{s // len(ATTRIBUTES)}" for s in series]
        )
        self._attributes = pa.array([ATTRIBUTES[s % len(ATTRIBUTES)] for s in series])

    def run(self) -> None:
        options = self._options
        client = http.client.HTTPConnection("127.0.0.1", options.port, timeout=60)
        headers = {"authorization": f"Bearer {options.token}", "content-type": ARROW}
        rows = options.rows
        began_s = time.monotonic()
        due_s, at = began_s, 0
        while time.monotonic() - began_s < options.seconds:
            due_s += options.round_s
            body = self._message(at, rows)
            at = (at + rows) % (len(self._entities) - rows + 1)
            client.request("POST", "/api/v1/observations", body, headers)
            answer = client.getresponse()
            text = answer.read()
            if answer.status != 200 or json.loads(text)["stored"] != rows:
                raise RuntimeError(f"{answer.status}: {text[:500]!r}")
            self.sent += rows
            rest_s = due_s - time.monotonic()
            self.late_rounds += rest_s < 0
            time.sleep(max(rest_s, 0.0))

    def _message(self, at: int, rows: int) -> bytes:
        now = time.time()
        table = pa.table(
            {
                "entity": self._entities.slice(at, rows),
                "attribute": self._attributes.slice(at, rows),
                "number": pa.repeat(pa.scalar(now), rows),
                "observed_at": pa.repeat(
                    pa.scalar(int(now * 1e6), pa.int64()).cast(pa.timestamp("us", "UTC")), rows
                ),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())


def parser() -> argparse.ArgumentParser:
    """What every sender must be told."""
    found = argparse.ArgumentParser()
    found.add_argument("--port", type=int, required=True)
    found.add_argument("--token", required=True)
    found.add_argument("--seconds", type=float, required=True)
    found.add_argument("--rate", type=int, required=True)
    found.add_argument("--entities", type=int, required=True)
    found.add_argument("--connections", type=int, default=10)
    found.add_argument("--round-s", type=float, default=0.1, help="one message per connection")
    return found


def send(kind: type[Connection], options: argparse.Namespace) -> dict[str, int]:
    """How much was sent."""
    connections = [kind(options, number) for number in range(options.connections)]
    began_s = time.monotonic()
    for connection in connections:
        connection.start()
    for connection in connections:
        connection.join()
    sent = sum(c.sent for c in connections)
    return {
        "sent": sent,
        "per_s": round(sent / (time.monotonic() - began_s)),
        "late_rounds": sum(c.late_rounds for c in connections),
    }


if __name__ == "__main__":
    print(json.dumps(send(Connection, parser().parse_args())))
