"""Runs the program: takes the port and the data directory, starts all parts, waits, stops."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from dothi.app.config.load import Loaded
from dothi.app.config.sections import is_loopback
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.exposure import plain_doors
from dothi.app.http.server import address_of, bind
from dothi.app.hubs.open_files import raise_limit
from dothi.app.interpreter import tuned
from dothi.app.logs import set_up
from dothi.app.mode import Mode
from dothi.app.start_record import start_of
from dothi.app.started import Started
from dothi.model.problem import Problem

log = logging.getLogger("dothi.app")


def run(
    loaded: Loaded[Settings],
    folder: DataFolder,
    mode: Mode,
    announce: Callable[[Started], None],
) -> None:
    """Run until SIGTERM or SIGINT. Raises Problem when it cannot start."""
    settings = loaded.settings
    set_up(settings.log)
    check_access(settings)
    for door in plain_doors(settings):
        log.warning(
            "%s listens beyond this machine without TLS: %s can be read on the way",
            door.name,
            door.secrets,
            extra={"listens_on": door.host, "remedy": door.remedy},
        )
    folder.create()
    raise_limit()
    sock = bind(settings.server)
    try:
        folder.lock(address_of(sock), datetime.now(UTC).isoformat())
        with asyncio.Runner(loop_factory=_loop_factory(mode)) as runner:
            runner.run(_live(loaded, folder, mode, sock, announce))
    finally:
        sock.close()
        folder.unlock()


def check_access(settings: Settings) -> None:
    """Raise Problem when anybody on the network would be administrator."""
    if settings.access.mode == "open" and not is_loopback(settings.server.host):
        raise Problem(
            "open_to_the_network",
            "Sign-in is off on an address that others can reach",
            f"server.host is {settings.server.host} and access.mode is open",
            where="access.mode",
            remedy='set access.mode = "login", or listen on 127.0.0.1',
        )


async def _live(
    loaded: Loaded[Settings],
    folder: DataFolder,
    mode: Mode,
    sock: socket.socket,
    announce: Callable[[Started], None],
) -> None:
    from dothi.app.wiring import build

    stop = _stop_on_signal()
    began_at = datetime.now(UTC)
    async with build(loaded.settings, folder, sock, mode) as program:
        await program.supervisor.start()
        with tuned():
            took_s = (datetime.now(UTC) - began_at).total_seconds()
            log.info("dothi is ready", extra={"url": address_of(sock), "took_s": round(took_s, 2)})
            await asyncio.to_thread(program.stores.audit.tell, start_of(loaded, mode))
            announce(await asyncio.to_thread(program.describe))
            await stop.wait()
            log.info("stopping")
        await program.supervisor.stop()
    log.info("stopped")


def _stop_on_signal() -> asyncio.Event:
    """The first SIGTERM or SIGINT stops in good order, a second SIGINT at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if stop.is_set():
            loop.add_signal_handler(signal.SIGINT, sys.exit, 130)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return stop


def _loop_factory(mode: Mode) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fence sees what goes through Python's sockets; uvloop goes past them."""
    if sys.platform == "win32" or mode.is_fenced:
        return None
    import uvloop

    return uvloop.new_event_loop
