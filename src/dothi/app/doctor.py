"""Checks of the place that dothi runs in; each says what to do when it fails."""

import os
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.exposure import plain_doors
from dothi.app.hubs.folders import tenant_names
from dothi.app.incidents.stored import stored_procedures
from dothi.app.machine import fsync_ms
from dothi.model.problem import Problem
from dothi.storage.relational.engine import sqlite_version

_LEAST_FREE_BYTES = 1 << 30
_SLOW_FSYNC_MS = 50.0
_LEAST_SQLITE = (3, 35, 0)
_BUILT_AT = datetime(2026, 11, 1, tzinfo=UTC)


class Finding(Struct, frozen=True):
    """The outcome of one check."""

    name: str
    verdict: str
    """ok, warning or failure."""
    text: str
    remedy: str = ""


def examine(settings: Settings, folder: DataFolder) -> Iterator[Finding]:
    """Run every check in turn; one that breaks is a failure of its own."""
    checks: list[Callable[[], Finding]] = [
        lambda: check_folder(folder),
        lambda: check_permissions(folder),
        lambda: check_space(folder.path),
        lambda: check_fsync(folder.path),
        lambda: check_clock(folder),
        lambda: check_port("HTTP port", settings.server.host, settings.server.port, folder),
        *_mqtt_checks(settings, folder),
        lambda: check_exposure(settings),
        lambda: check_tenants(settings.ngsi_ld.max_tenants, folder),
        lambda: check_procedures(folder),
        check_sqlite,
        check_console,
    ]
    for check in checks:
        try:
            yield check()
        except (OSError, Problem) as error:
            yield Finding("check", "failure", str(error), "see the message")


def _mqtt_checks(settings: Settings, folder: DataFolder) -> list[Callable[[], Finding]]:
    if settings.mqtt.mode != "embedded":
        return []
    embedded = settings.mqtt.embedded
    return [lambda: check_port("MQTT port", embedded.host, embedded.port, folder)]


def check_folder(folder: DataFolder) -> Finding:
    """Whether the data directory is there and can be written."""
    place = _nearest(folder.path)
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            "data directory",
            "failure",
            f"{place} cannot be written",
            f"sudo chown {os.environ.get('USER', '$USER')} {place}, or use --data-dir",
        )
    holder = folder.running()
    state = f"in use by process {holder.pid} at {holder.url}" if holder else "free"
    if not folder.exists:
        state = "not made yet; the first start makes it"
    return Finding("data directory", "ok", f"{folder.path}: {state}")


def check_permissions(folder: DataFolder) -> Finding:
    """Whether nobody else reads the secrets."""
    if not folder.secrets.exists():
        return Finding("secrets", "ok", "none yet")
    open_paths = [
        path
        for path in [folder.secrets, *folder.secrets.rglob("*")]
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_paths:
        return Finding(
            "secrets",
            "failure",
            f"others can read {', '.join(str(p) for p in open_paths)}",
            f"chmod -R go= {folder.secrets}",
        )
    return Finding("secrets", "ok", "only this user reads them")


def check_space(path: Path) -> Finding:
    """Whether there is room to write."""
    usage = shutil.disk_usage(_nearest(path))
    text = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.1f} GiB"
    if usage.free < _LEAST_FREE_BYTES:
        return Finding(
            "disk space",
            "failure",
            text,
            "free some space, move the data directory to a larger disk, or shorten lake retention",
        )
    return Finding("disk space", "ok", text)


def check_fsync(path: Path) -> Finding:
    """Whether the disk makes writes durable, and how fast."""
    took = fsync_ms(_nearest(path))
    text = f"fsync takes {took['median']} ms, at worst {took['worst']} ms"
    if took["median"] > _SLOW_FSYNC_MS:
        return Finding(
            "disk durability",
            "warning",
            text,
            "a local SSD makes acknowledgements faster; network shares are not made for databases",
        )
    return Finding("disk durability", "ok", text)


def check_clock(folder: DataFolder) -> Finding:
    """Whether the clock is believable: not before this program, nor before its own data."""
    now_at = datetime.now(UTC)
    earliest_at = _BUILT_AT
    if folder.database.exists():
        written_at = datetime.fromtimestamp(folder.database.stat().st_mtime, UTC)
        earliest_at = max(earliest_at, written_at)
    text = f"{now_at:%Y-%m-%d %H:%M:%S} UTC, zone of this machine {time.strftime('%z')}"
    if now_at < earliest_at:
        return Finding(
            "clock",
            "failure",
            f"{text}, but something here was written at {earliest_at:%Y-%m-%d %H:%M:%S}",
            "set the clock; keep it right with chrony or systemd-timesyncd",
        )
    return Finding("clock", "ok", text)


def check_port(name: str, host: str, port: int, folder: DataFolder) -> Finding:
    """Whether an address can be listened on (or is held while dothi itself runs here)."""
    if folder.running() is not None and _is_answered(host, port):
        return Finding(name, "ok", f"{host}:{port}: dothi is running")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return Finding(
            name,
            "failure",
            f"{host}:{port}: {error.strerror}",
            f"find who has it with `ss -ltnp 'sport = :{port}'`, or choose another port",
        )
    return Finding(name, "ok", f"{host}:{port} is free")


def check_exposure(settings: Settings) -> Finding:
    """Whether secrets cross the network in clear."""
    doors = list(plain_doors(settings))
    if not doors:
        return Finding("exposure", "ok", "no door is open to the network without TLS")
    said = [f"{d.name} listens on {d.host} without TLS, {d.secrets} can be read" for d in doors]
    return Finding("exposure", "warning", "; ".join(said), "; ".join(d.remedy for d in doors))


def check_tenants(most: int, folder: DataFolder) -> Finding:
    """Whether more tenants can be created."""
    names = tenant_names(folder)
    text = f"{len(names)} of at most {most}"
    if most and len(names) >= most:
        return Finding(
            "tenants", "warning", f"{text}; no other can be created", "raise ngsi_ld.max_tenants"
        )
    return Finding("tenants", "ok", text)


def check_procedures(folder: DataFolder) -> Finding:
    """Whether every stored version of a procedure can be read."""
    found = stored_procedures(folder.database)
    if not found.problems:
        return Finding("procedures", "ok", f"{found.count} stored versions can be read")
    return Finding(
        "procedures",
        "warning",
        f"{len(found.problems)} of {found.count} stored versions start nothing: "
        + "; ".join(f"{problem.where}: {problem.detail}" for problem in found.problems),
        "store a mended version with a higher number, on the screen Procedures",
    )


def _is_answered(host: str, port: int) -> bool:
    """Whether something accepts connections there; dothi may run on other ports than these."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    try:
        socket.create_connection((reached, port), timeout=1).close()
    except OSError:
        return False
    return True


def check_sqlite() -> Finding:
    """Whether SQLite knows what the store uses."""
    version = sqlite_version()
    text = f"version {'.'.join(map(str, version))}"
    if version < _LEAST_SQLITE:
        return Finding("SQLite", "failure", text, "upgrade the package adbc-driver-sqlite")
    return Finding("SQLite", "ok", text)


def check_console() -> Finding:
    """Whether the web console was built."""
    import dothi.console

    static = Path(dothi.console.__file__).parent / "static"
    if (static / "index.html").exists():
        return Finding("console", "ok", "built")
    missing = "Node is not installed" if shutil.which("node") is None else "it was not built"
    return Finding(
        "console",
        "warning",
        f"{missing}; the API works without it",
        "install Node 20.19 or newer, then: uv sync --reinstall-package dothi",
    )


def _nearest(path: Path) -> Path:
    """The path itself, or the folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path
