"""The data directory: its layout, its lock, and who runs on it."""

import fcntl
import os
from pathlib import Path
from typing import IO

import msgspec

from dothi.model.problem import Problem

DEFAULT_FOLDER = "data"
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class Running(msgspec.Struct, frozen=True):
    """The process that holds the data directory."""

    pid: int
    url: str
    started_at: str


class DataFolder:
    """`dothi.db`, `lake/`, `tenants/`, `evidence/`, `warning_files/`, `secrets/`, `dothi.toml`,
    `lock` below it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.database = self.path / "dothi.db"
        self.lake = self.path / "lake"
        self.tenants = self.path / "tenants"
        self.evidence = self.path / "evidence"
        self.warning_files = self.path / "warning_files"
        self.secrets = self.path / "secrets"
        self.settings = self.path / "dothi.toml"
        self._lock_path = self.path / "lock"
        self._lock: IO[str] | None = None

    @property
    def exists(self) -> bool:
        """Whether dothi has run here before."""
        return self.database.exists()

    def create(self) -> None:
        """Make the folders that are missing. Raises Problem: no permission, no space."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            self.lake.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
            self.secrets.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
        except OSError as error:
            raise Problem(
                "data_folder_unusable",
                "The data directory cannot be made",
                str(error),
                where=str(self.path),
                remedy="choose another with --data-dir, or give this user the right to write there",
            ) from error

    def create_hub(self) -> None:
        """Make only what a hub beside the first one needs. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        self.lake.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)

    def require(self) -> None:
        """Raise Problem when dothi never ran here."""
        if not self.exists:
            raise Problem(
                "no_data_folder",
                "No data here",
                f"{self.path} holds no dothi.db",
                where=str(self.path),
                remedy="give the directory with --data-dir, or start once with `dothi up`",
            )

    def lock(self, url: str, started_at: str) -> None:
        """Hold the folder until the process ends. Raises Problem: another process has it."""
        file = self._open_lock()
        if file is None:
            holder = self.running()
            who = f"process {holder.pid} at {holder.url}" if holder else "another process"
            raise Problem(
                "data_folder_in_use",
                "dothi is already running here",
                f"{who} uses {self.path}",
                where=str(self.path),
                remedy="stop it first, or choose another --data-dir",
            )
        self._lock = file
        file.truncate(0)
        file.write(msgspec.json.encode(Running(os.getpid(), url, started_at)).decode())
        file.flush()

    def unlock(self) -> None:
        """Let the folder go. Safe to call twice."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def running(self) -> Running | None:
        """Who holds the folder now, or None."""
        if not self._lock_path.exists():
            return None
        file = self._open_lock()
        if file is not None:
            file.close()
            return None
        try:
            return msgspec.json.decode(self._lock_path.read_bytes(), type=Running)
        except msgspec.DecodeError:
            return None

    def server(self) -> Running | None:
        """The server that holds the folder now; None: nobody, or a command that writes itself."""
        holder = self.running()
        return holder if holder is not None and holder.url.startswith("http") else None

    def _open_lock(self) -> IO[str] | None:
        """The locked file, or None when another process has the lock."""
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        file = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
