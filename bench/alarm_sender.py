"""Sends a steady stream of observations of which some cross a limit. Not a benchmark itself.

bench/alarm_latency.py starts it. Values lie about 20; so many a second are 35 once, and are back
with the next value of their series. A value is observed when its message is made.
"""

import argparse
import json
import time

import numpy as np
import pyarrow as pa
from live_sender import Connection, parser, send

BASE, OVER = 20.0, 35.0


class Crossing(Connection):
    """One gateway."""

    def __init__(self, options: argparse.Namespace, number: int) -> None:
        super().__init__(options, number)
        self._chance = np.random.default_rng(number)
        self._owed = 0.0
        self._per_message = options.alarms_per_s * options.rows / options.rate

    def _message(self, at: int, rows: int) -> bytes:
        number = self._chance.normal(BASE, 2.0, rows)
        self._owed += self._per_message
        count, self._owed = int(self._owed), self._owed % 1
        number[self._chance.choice(rows, count, replace=False)] = OVER
        now = pa.scalar(int(time.time() * 1e6), pa.int64()).cast(pa.timestamp("us", "UTC"))
        table = pa.table(
            {
                "entity": self._entities.slice(at, rows),
                "entity_type": pa.repeat("AirQualityObserved", rows),
                "attribute": self._attributes.slice(at, rows),
                "number": pa.array(number),
                "observed_at": pa.repeat(now, rows),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())


if __name__ == "__main__":
    arguments = parser()
    arguments.add_argument("--alarms-per-s", type=float, required=True)
    print(json.dumps(send(Crossing, arguments.parse_args())))
