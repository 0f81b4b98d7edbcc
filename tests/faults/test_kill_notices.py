"""kill -9 at random moments while people are told of things: no notice is lost, none is doubled
for a receiver that knows the keys, and escalation goes on.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 5 where everything runs).
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from thorough import IS_THOROUGH

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (5 if IS_THOROUGH else 2))
MILLION = 1_000_000


class Receiver(ThreadingHTTPServer):
    """Does what a letter says once per key; refuses some, so that there are retries."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.lock = threading.Lock()
        self.keys: set[str] = set()
        self.done: Counter[tuple[int, str]] = Counter()
        self.repeated = 0
        self.rng = random.Random(11)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key, server = self.headers["webhook-id"], self.server
        with server.lock:
            is_refused = server.rng.random() < 0.02
            if not is_refused and key in server.keys:
                server.repeated += 1
            elif not is_refused:
                server.keys.add(key)
                server.done[int(body["data"]["subject"].removeprefix("alarm:")), self.path] += 1
        self.send_response(503 if is_refused else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.shutdown()


def run(folder: Path, url: str, first: int, last: int, life_s: float | None) -> list[int]:
    """The child, killed `life_s` after its first notice or left to end; its numbers."""
    command = [sys.executable, "-m", "tests.faults.notice_child", str(folder), url]
    environ = {**os.environ, "PYTHONPATH": "tests"}
    command += [str(first), str(last)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        assert lines[0], "the child ended before its first notice"
        if life_s is not None:
            time.sleep(life_s)
            child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    if life_s is None:
        assert child.returncode == 0
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.thorough
def test_notices_survive_kills(tmp_path: Path) -> None:
    rng = random.Random(7)
    put: list[int] = []
    with receiving() as receiver:
        for number in range(ROUNDS):
            first = number * MILLION + 1
            put += run(tmp_path, receiver.url, first, 0, rng.uniform(0.05, 1.5))
        first = ROUNDS * MILLION + 1
        put += run(tmp_path, receiver.url, first, first + 2, None)
        lost = [number for number in put if not receiver.done[number, "/a"]]
        assert not lost, f"{len(lost)} of {len(put)} lost: {lost[:10]}"
        doubled = {told: count for told, count in receiver.done.items() if count > 1}
        assert not doubled, f"under several keys: {list(doubled.items())[:3]}"
        unescalated = [n for n in put if n % 10 == 0 and not receiver.done[n, "/b"]]
        assert not unescalated, f"not told to the next position: {unescalated[:10]}"
        wrong = [n for n, path in receiver.done if path == "/b" and n % 10]
        assert not wrong, f"told to the next position without need: {wrong[:10]}"
    figures = {
        "notices": len(put),
        "escalated": sum(1 for _, path in receiver.done if path == "/b"),
        "came_twice_under_one_key": receiver.repeated,
    }
    print(figures)
    if "DOTHI_FAULT_FIGURES" in os.environ:
        Path(os.environ["DOTHI_FAULT_FIGURES"]).write_text(json.dumps(figures), encoding="utf-8")
    assert len(put) > ROUNDS * 3
