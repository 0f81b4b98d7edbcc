"""A real `dothi` process for tests: started on free ports, stopped or killed at will."""

import io
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from unittest.mock import patch

import httpx

from dothi.cli import main

_START_TIMEOUT_S = 90.0
_LINK = re.compile(r"(http://\S+?)(/login\?token=\S+)?$")


class Program:
    """`with Program(tmp_path) as dothi:` runs `dothi up --empty` on a data directory of its own."""

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        command: str = "up",
        environ: dict[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._command = [
            str(Path(sys.executable).parent / "dothi"),
            *command.split(),
            *(["--empty"] if command == "up" and "--example" not in arguments else []),
            *("--port", "0", "--mqtt-port", "0", "--data-dir", str(data_dir)),
            *(a for a in arguments if a != "--example"),
        ]
        self._environ = {**os.environ, "DOTHI_LOG__FORMAT": "json", **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.login_url = ""
        self.mqtt_port = 0
        self.start_s = 0.0
        """How long the start took."""
        self.said = ""
        """Everything on standard output so far."""

    def __enter__(self) -> "Program":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def start(self) -> "Program":
        """Start and wait until it says where it is."""
        began = time.monotonic()
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=log, env=self._environ
        )
        log.close()
        self.said = self._read_until("Ctrl+C")
        self.start_s = time.monotonic() - began
        found = re.search(r"^\s*(http://\S+)$", self.said, re.MULTILINE)
        assert found is not None, self.said + self.log()
        self.url, token, _ = found.group(1).partition("/login?token=")
        self.login_url = found.group(1) if token else ""
        mqtt = re.search(r"MQTT: \S+?:(\d+)", self.said)
        self.mqtt_port = int(mqtt.group(1)) if mqtt else 0
        return self

    @property
    def log_path(self) -> Path:
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def log(self) -> str:
        """What it logged."""
        return self.log_path.read_text()

    def signed_in(self) -> httpx.Client:
        """A client with the session of the printed link."""
        return signed_client(self.url, self.login_url)

    def stop(self, timeout_s: float = 20.0) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        self._close()
        return code

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        assert self.process is not None
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _read_until(self, mark: str) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        said = b""
        deadline = time.monotonic() + _START_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while mark.encode() not in said:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not selector.select(left_s):
                    self.kill()
                    raise TimeoutError(f"no start in {_START_TIMEOUT_S} s:\n{self.log()}")
                chunk = os.read(self.process.stdout.fileno(), 65536)
                if not chunk:
                    self.process.wait()
                    raise RuntimeError(f"dothi ended: {said.decode()}\n{self.log()}")
                said += chunk
        return said.decode()


def signed_client(url: str, link: str) -> httpx.Client:
    """A client with the session of a link, which works once."""
    client = httpx.Client(base_url=url, headers={"origin": url})
    answer = client.post("/login", data={"token": link.partition("token=")[2]})
    assert answer.status_code == 303, answer.text
    return client


def run_cli(
    *arguments: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "dothi"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(environ or {})},
    )


def run_here(
    *arguments: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As `run_cli`, in this process: a new one takes a second to import what it needs."""
    said, complained, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.dict(os.environ, environ or {}),
        patch.object(sys, "argv", ["dothi", *arguments]),
        redirect_stdout(said),
        redirect_stderr(complained),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), complained.getvalue())
