"""kill -9 at random moments while changes are told to NGSI-LD subscribers: no notification is
lost, none comes twice under another id.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 5 where everything runs),
DOTHI_FAULT_FIGURES a file for the figures.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from thorough import IS_THOROUGH

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (5 if IS_THOROUGH else 2))
MILLION = 1_000_000


class Receiver(ThreadingHTTPServer):
    """Remembers under which ids each number came; refuses some, so that there are retries."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.ids: dict[int, set[str]] = defaultdict(set)
        self.rng = random.Random(11)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/notify"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_refused = self.server.rng.random() < 0.02
        if not is_refused:
            for entity in body["data"]:
                self.server.ids[int(entity["n"]["value"])].add(body["id"])
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
    """The child, killed `life_s` after its first acknowledgement or left to end; its numbers."""
    command = [sys.executable, "-m", "tests.faults.notify_child", str(folder), url]
    command += [str(first), str(last)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        assert lines[0], "the child ended before its first acknowledgement"
        if life_s is not None:
            time.sleep(life_s)
            child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    if life_s is None:
        assert child.returncode == 0
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.thorough
def test_notifications_survive_kills(tmp_path: Path) -> None:
    rng = random.Random(7)
    acknowledged: list[int] = []
    with receiving() as receiver:
        for number in range(ROUNDS):
            first = number * MILLION + 1
            acknowledged += run(tmp_path, receiver.url, first, 0, rng.uniform(0.02, 0.8))
        first = ROUNDS * MILLION + 1
        acknowledged += run(tmp_path, receiver.url, first, first + 2, None)
        lost = [number for number in acknowledged if number not in receiver.ids]
        assert not lost, f"{len(lost)} of {len(acknowledged)} lost: {lost[:10]}"
        doubled = {n: ids for n, ids in receiver.ids.items() if len(ids) > 1}
        assert not doubled, f"came under several ids: {list(doubled.items())[:3]}"
    assert len(acknowledged) > ROUNDS * 3
    if "DOTHI_FAULT_FIGURES" in os.environ:
        figures = {"acknowledged": len(acknowledged), "notified": len(receiver.ids)}
        Path(os.environ["DOTHI_FAULT_FIGURES"]).write_text(json.dumps(figures), encoding="utf-8")
