"""Takes its series from a source: through the running server, whose writer must hear of it, or
directly when none runs."""

from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from dothi.app.data_folder import DataFolder, Running
from dothi.app.http.identity import COOKIE
from dothi.app.remote_ingest import problem_of
from dothi.app.stores import open_registers
from dothi.model.audit import Deed
from dothi.model.problem import StoreUnavailable
from dothi.ports.clock import SystemClock
from dothi.ports.sessions import ADMINISTRATOR
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter

_TIMEOUT_S = 120.0


def release_series(folder: DataFolder, source_id: str) -> int:
    """How many series the next source that writes them will own.

    Raises:
        Problem: the server refuses, or another command holds the data directory.
        StoreUnavailable: nothing was released.
    """
    running = folder.server()
    if running is not None:
        return _through_server(folder, running, source_id)
    folder.lock("(a command)", datetime.now(UTC).isoformat())
    try:
        with open_registers(folder, SystemClock()) as registers:  # brings the tables up to date
            writer = SqliteLogWriter(folder.database, HotIndex())
            try:
                released = writer.release(source_id)
            finally:
                writer.close()
            deed = Deed(ADMINISTRATOR, "series_released", f"source:{source_id}", {"by": "command"})
            registers.audit.tell(deed)
            return released
    finally:
        folder.unlock()


def _through_server(folder: DataFolder, running: Running, source_id: str) -> int:
    path = f"/api/v1/sources/{quote(source_id, safe='')}/release"
    with open_registers(folder, SystemClock()) as registers:
        token = registers.sessions.open(_TIMEOUT_S)
        try:
            answer = httpx.post(
                running.url + path, cookies={COOKIE: token}, timeout=_TIMEOUT_S, trust_env=False
            )
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"the running dothi does not answer: {error!r}") from error
        finally:
            registers.sessions.end(token)
    if answer.status_code != 200:
        raise problem_of(answer)
    return int(answer.json()["released"])
