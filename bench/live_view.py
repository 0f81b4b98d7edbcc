"""Milliseconds from sending an observation to its arrival at a WebSocket viewer, under load.

A real server process, a sender process, and viewers in this process. The clock starts before the
message is made and stops when the viewer has decoded the delta; waiting for the commit and for
the five deltas a second is included.

    uv run dothi bench live_view -- --seconds 60 --rate 10000 --viewers 3
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import connect

sys.path.append(str(Path(__file__).parent))

from percentiles import percentiles_ms
from served import Served, served

_SETTINGS = '[access]\nmode = "open"\n'
_WARM_UP_S = 3.0


class _Value(msgspec.Struct):
    number: float | None


class _Message(msgspec.Struct):
    kind: str
    n: int
    after: int = 0
    values: list[tuple[str, _Value]] = []


class Viewer:
    """Reads everything and notes how old each shown value is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.latency_s: list[float] = []
        self.deltas = self.bytes = self.merged = 0
        self._decoder = msgspec.json.Decoder(_Message)

    async def watch(self, from_s: float, until_s: float) -> None:
        """Note latencies between two times of the wall clock."""
        address = f"ws://127.0.0.1:{self._port}/api/v1/live"
        async with connect(address, max_size=None) as socket:
            await socket.send("{}")
            while time.time() < until_s:
                text = await socket.recv(decode=False)
                message = self._decoder.decode(text)
                now = time.time()
                if now < from_s or message.kind != "delta":
                    continue
                self.deltas += 1
                self.bytes += len(text)
                self.merged += message.n - message.after > 1
                self.latency_s += [now - v.number for _, v in message.values if v.number]


async def _measure(server: Served, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("live_sender.py"))]
    command += ["--port", str(server.port), f"--token={server.token}"]
    command += ["--seconds", str(options.seconds + 2 * _WARM_UP_S), "--rate", str(options.rate)]
    command += ["--entities", str(options.entities)]
    sender = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    await asyncio.sleep(_WARM_UP_S)
    before_s = server.cpu_s()
    from_s = time.time() + 1.0
    viewers = [Viewer(server.port) for _ in range(options.viewers)]
    await asyncio.gather(*(v.watch(from_s, from_s + options.seconds) for v in viewers))
    cpu_s = server.cpu_s() - before_s
    output, _ = await sender.communicate()
    if sender.returncode:
        raise RuntimeError("the sender failed; its error stands above")
    latency_s = [latency for viewer in viewers for latency in viewer.latency_s]
    return {
        "publish_to_viewer": percentiles_ms(latency_s),
        "values_seen": len(latency_s),
        "sender": json.loads(output),
        "viewers": options.viewers,
        "deltas_per_s": round(sum(v.deltas for v in viewers) / len(viewers) / options.seconds, 2),
        "merged_deltas": sum(v.merged for v in viewers),
        "delta_kb": round(sum(v.bytes for v in viewers) / sum(v.deltas for v in viewers) / 1e3, 1),
        "server_cpu_share_of_one_core": round(cpu_s / (options.seconds + 1.0), 2),
        **server.figures(),
    }


def run(arguments: list[str]) -> dict[str, object]:
    """Viewers watch while observations flow."""
    parser = argparse.ArgumentParser(prog="dothi bench live_view")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=10_000, help="observations per second")
    parser.add_argument("--entities", type=int, default=2_000, help="with 5 attributes each")
    parser.add_argument("--viewers", type=int, default=3)
    options = parser.parse_args(arguments)
    with served(_SETTINGS) as server:
        return asyncio.run(_measure(server, options))


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
