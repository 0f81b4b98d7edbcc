"""Milliseconds from sending an observation over a limit to its alarm at a WebSocket viewer.

A real server process, a sender process, and a viewer in this process. The rules are those of the
example and --rules more, all over the series that flow; the clock starts before the message is
made and stops when the viewer has decoded the delta with the alarm. `watch` measures what rules
cost that have nothing to say: processor time of the server per observation with no rule, with
rules about other types, and with rules about these series.

    uv run dothi bench alarm_latency -- --seconds 60
"""

import argparse
import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import connect

from dothi.app.rules import bring_rules
from dothi.app.stores import Registers
from dothi.model.rule import Rule, Scope, Words
from dothi.model.rule_condition import Condition, Range, Rate, Threshold, Window

sys.path.append(str(Path(__file__).parent))

from live_sender import ATTRIBUTES
from percentiles import percentiles_ms
from served import Served, served

_SETTINGS = '[access]\nmode = "open"\n'
_WARM_UP_S = 5.0
_LIMIT = 30.0
_EXAMPLE = Path(__file__).parent.parent / "examples" / "two_provinces" / "rules.toml"


class _Alarm(msgspec.Struct):
    id: int
    rule: str
    activations: int
    active_at: datetime
    state: str


class _Message(msgspec.Struct):
    kind: str
    alarms: list[_Alarm] = []


class Viewer:
    """Reads everything and notes how old each new activation is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.latency_s: list[float] = []
        self._seen: set[tuple[int, int]] = set()
        self._decoder = msgspec.json.Decoder(_Message)

    async def watch(self, from_s: float, until_s: float) -> None:
        """Note latencies of what was sent between two times of the wall clock."""
        address = f"ws://127.0.0.1:{self._port}/api/v1/live"
        async with connect(address, max_size=None) as socket:
            await socket.send("{}")
            while time.time() < until_s + 2.0:
                message = self._decoder.decode(await socket.recv(decode=False))
                self._note(message, time.time(), (from_s, until_s))

    def _note(self, message: _Message, now: float, span: tuple[float, float]) -> None:
        for alarm in message.alarms:
            key, sent_s = (alarm.id, alarm.activations), alarm.active_at.timestamp()
            if alarm.rule == "over" and key not in self._seen:
                self._seen.add(key)
                if message.kind == "delta" and span[0] <= sent_s <= span[1]:
                    self.latency_s.append(now - sent_s)


def rules_of(count: int, types: tuple[str, ...]) -> list[Rule]:
    """Rules whose limits ordinary values do not cross."""
    return [_rule(f"r{n}", _condition(n), types) for n in range(count)]


def _condition(n: int) -> Condition:
    attribute, far = ATTRIBUTES[n % len(ATTRIBUTES)], float(2_000 + n)
    if n % 10 == 7:
        return Rate(attribute=attribute, over_s=600, comparison=">", limit=1e9)
    if n % 10 == 8:
        return Window(
            attribute=attribute, function="mean", over_s=60 * (1 + n % 3), comparison=">", limit=far
        )
    if n % 10 == 9:
        return Range(attribute=attribute, low=-far, high=far, deadband=0.5)
    return Threshold(attribute=attribute, comparison=">", limit=far, deadband=0.5)


def _rule(name: str, condition: Condition, types: tuple[str, ...]) -> Rule:
    words = Words(vi=name)
    return Rule(
        id=name, name=words, scope=Scope(types=types), condition=condition, priority=3,
        consequence=words, response=words, time_to_respond_s=600, author="bench",
    )  # fmt: skip


def put_rules(registers: Registers, rules: list[Rule], *, with_example: bool = False) -> None:
    """Put rules in force."""
    at = datetime.now(UTC)
    if with_example:
        bring_rules(_EXAMPLE, registers.rules, "bench", at)
    for rule in rules:
        made = registers.rules.add(rule, at)
        registers.rules.approve(made.id, made.version, "bench", at)


async def _sender(server: Served, options: argparse.Namespace, seconds: float) -> Any:
    command = [sys.executable, str(Path(__file__).with_name("alarm_sender.py"))]
    command += ["--port", str(server.port), f"--token={server.token}"]
    command += ["--seconds", str(seconds), "--rate", str(options.rate)]
    command += ["--entities", str(options.entities), "--alarms-per-s", str(options.alarms_per_s)]
    # As many messages as ten connections send that wait for an answer each 0.1 s, but answers may
    # take twice as long before the rate falls.
    command += ["--connections", "20", "--round-s", "0.2"]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


def latency_rules(options: argparse.Namespace) -> list[Rule]:
    """One that is crossed, and many that are not."""
    over = Threshold(attribute=ATTRIBUTES[0], comparison=">", limit=_LIMIT)
    others = rules_of(options.rules, ("AirQualityObserved",))
    return [_rule("over", over, ("AirQualityObserved",)), *others]


async def latency(server: Served, options: argparse.Namespace) -> dict[str, Any]:
    """Alarms at a viewer while observations flow."""
    sender = await _sender(server, options, options.seconds + 2 * _WARM_UP_S)
    await asyncio.sleep(_WARM_UP_S)
    before_s, from_s = server.cpu_s(), time.time()
    viewer = Viewer(server.port)
    await viewer.watch(from_s, from_s + options.seconds)
    cpu_s = server.cpu_s() - before_s
    output, _ = await sender.communicate()
    if sender.returncode:
        raise RuntimeError("the sender failed; its error stands above")
    return {
        "observation_to_alarm": percentiles_ms(viewer.latency_s),
        "alarms_seen": len(viewer.latency_s),
        "rules": options.rules,
        "sender": json.loads(output),
        "server_cpu_share_of_one_core": round(cpu_s / (options.seconds + 2.0), 2),
        **server.figures(),
    }


async def cost(server: Served, options: argparse.Namespace) -> dict[str, Any]:
    """Processor time per observation, all of it, while nothing fires."""
    quiet = argparse.Namespace(**{**vars(options), "alarms_per_s": 0.0, "rate": options.bulk_rate})
    warm = await _sender(server, quiet, _WARM_UP_S)
    await warm.communicate()
    before_s = server.cpu_s()
    sender = await _sender(server, quiet, options.watch_seconds)
    output, _ = await sender.communicate()
    await asyncio.sleep(1.0)
    sent = json.loads(output)
    used_s = server.cpu_s() - before_s
    return {
        **sent,
        "server_us_per_observation": round(used_s / sent["sent"] * 1e6, 2),
    }


def run(arguments: list[str]) -> dict[str, object]:
    """A server for each measurement."""
    parser = argparse.ArgumentParser(prog="dothi bench alarm_latency")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=10_000, help="observations per second")
    parser.add_argument("--entities", type=int, default=2_000, help="with 5 attributes each")
    parser.add_argument("--rules", type=int, default=1_000, help="beside those of the example")
    parser.add_argument("--alarms-per-s", type=float, default=50.0, help="values over the limit")
    parser.add_argument("--bulk-rate", type=int, default=50_000, help="of `watch`, per second")
    parser.add_argument("--watch-seconds", type=float, default=15.0, help="0: leave `watch` out")
    parser.add_argument("--watch-rules", type=int, default=100)
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    if options.seconds:
        rules = latency_rules(options)
        with served(_SETTINGS, partial(put_rules, rules=rules, with_example=True)) as server:
            found |= asyncio.run(latency(server, options))
    if options.watch_seconds:
        kinds = {
            "none": [],
            "of_other_types": rules_of(options.watch_rules, ("Elsewhere",)),
            "of_these_series": rules_of(options.watch_rules, ("AirQualityObserved",)),
        }
        for name, rules in kinds.items():
            with served(_SETTINGS, partial(put_rules, rules=rules)) as server:
                found.setdefault("watch", {})[name] = asyncio.run(cost(server, options))
    return found


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
