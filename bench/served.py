"""A dothi server in a process of its own, for benchmarks. Not a benchmark itself."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from dothi.app.data_folder import DataFolder
from dothi.app.stores import Registers, Stores, open_registers, open_stores
from dothi.model.source import Source
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings

SOURCE = "bench"


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    token: str
    """Device token of the source `bench`."""
    process: psutil.Process
    folder: Path

    def cpu_s(self) -> float:
        """Processor seconds the server has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def figures(self) -> dict[str, float]:
        """Memory and disk now."""
        files = [f for f in self.folder.rglob("*") if f.is_file()]
        return {
            "server_memory_mb": round(self.process.memory_info().rss / 1e6, 1),
            "data_mb": round(sum(f.stat().st_size for f in files) / 1e6, 1),
        }


@contextmanager
def served(
    settings: str = "",
    prepare: Callable[[Registers], object] | None = None,
    fill: Callable[[Stores], object] | None = None,
) -> Iterator[Served]:
    """Start `dothi serve` on an empty folder; `settings` is its dothi.toml. `prepare` and `fill`
    put what is to be there from the beginning."""
    with TemporaryDirectory(prefix="dothi-bench-", dir=os.environ.get("DOTHI_BENCH_DIR")) as name:
        folder = DataFolder(Path(name))
        folder.create()
        (Path(name) / "dothi.toml").write_text(settings)
        with open_registers(folder, SystemClock()) as registers:
            registers.sources.put(Source(SOURCE, "Benchmark", "http"))
            token = registers.sources.issue_token(SOURCE)
            if prepare is not None:
                prepare(registers)
        if fill is not None:
            with open_stores(folder, SystemClock(), LakeSettings()) as stores:
                fill(stores)
        port = _free_port()
        command = [str(Path(sys.executable).with_name("dothi")), "serve", "--data-dir", name]
        command += ["--port", str(port), "--mqtt-port", "0"]
        log = Path(name) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
            try:
                _wait_until_ready(port, process, log)
                yield Served(port, token, psutil.Process(process.pid), Path(name))
            finally:
                process.terminate()
                process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the server is not ready:\n{log.read_text()[-4000:]}")
