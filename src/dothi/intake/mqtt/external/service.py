"""Mode `external`: dothi subscribes to a broker that is already there."""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from dothi.intake.mqtt.codec.packets import V5, V311, Connack, Connect
from dothi.intake.mqtt.codec.properties import Property
from dothi.intake.mqtt.codec.reasons import CONNACK_V3, Reason
from dothi.intake.mqtt.counters import MqttCounters
from dothi.intake.mqtt.door import Door
from dothi.intake.mqtt.external.link import Link
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import MqttSettings
from dothi.model.measure import Measure
from dothi.model.problem import Problem
from dothi.ports.ingest import Ingest

_log = logging.getLogger(__name__)

FRAME_MARGIN = 65_535 + 1024
"""Topic and properties beside the payload."""

_CREDENTIALS: dict[int, set[int]] = {
    V5: {Reason.BAD_USER_NAME_OR_PASSWORD, Reason.NOT_AUTHORIZED},
    V311: {CONNACK_V3[Reason.BAD_USER_NAME_OR_PASSWORD], CONNACK_V3[Reason.NOT_AUTHORIZED]},
}


class ExternalMqtt:
    """A Service. Messages are acknowledged to the broker after the commit, never before."""

    name = "mqtt"

    def __init__(self, settings: MqttSettings, mapper: Mapper, ingest: Ingest) -> None:
        self.counters = MqttCounters()
        self._settings = settings.external
        self._filters = mapper.filters
        self._stop_timeout_s = settings.stop_timeout_s
        self._max_packet_bytes = settings.max_payload_bytes + FRAME_MARGIN
        self._door = Door(settings, mapper, ingest, self.counters)
        self._door.on_hold_change(self._hold)
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._was_connected = False

    async def start(self) -> None:
        """Connects and subscribes. An unreachable broker is no error: it is tried again.

        Raises:
            Problem: the broker refuses the credentials or a topic filter, or a file is missing.
        """
        context, connect = self._tls(), self._connect_packet()
        try:
            self._link = await self._open(connect, context)
        except (OSError, TimeoutError) as error:
            _log.warning("MQTT broker %s is not reachable yet: %s", self._where, error)
        self._task = asyncio.create_task(self._keep_connected(connect, context))

    async def stop(self) -> None:
        if self._task is None:
            return
        self._hold(True)
        if not await self._door.drain(self._stop_timeout_s):
            _log.warning("stopped before all MQTT messages were stored; the broker keeps them")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        if self._link is not None:
            self._link.disconnect()
            self._link = None
        await self._door.close()

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    async def _keep_connected(self, connect: Connect, context: ssl.SSLContext | None) -> None:
        backoff_s = self._settings.min_backoff_s
        while True:
            if self._link is not None:
                backoff_s = self._settings.min_backoff_s
                why = await self._watch(self._link)
                self._link = None
                self.counters.connections = 0
                _log.warning("MQTT connection to %s ended: %s", self._where, why)
            # Jitter, so that many programs do not return in the same moment.
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311
            backoff_s = min(backoff_s * 2, self._settings.max_backoff_s)
            try:
                self._link = await self._open(connect, context)
            except (OSError, TimeoutError, Problem) as error:
                _log.warning("MQTT broker %s: %s", self._where, error)

    async def _watch(self, link: Link) -> str:
        keep_alive_s = self._settings.keep_alive_s
        while True:
            done, _ = await asyncio.wait({link.closed}, timeout=keep_alive_s / 2 or None)
            if done:
                return link.closed.result()
            link.ping(silence_s=keep_alive_s * 1.5)

    async def _open(self, connect: Connect, context: ssl.SSLContext | None) -> Link:
        settings = self._settings
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.connect_timeout_s):
            _, link = await loop.create_connection(
                lambda: Link(connect, self._door, self._max_packet_bytes),
                settings.host,
                settings.port,
                ssl=context,
            )
            try:
                connack = await _answer(link.connack, link)
                self._check(connack, connect.version)
                link.subscribe(self._filters)
                codes = await _answer(link.suback, link)
                self._check_grants(codes)
            except BaseException:
                link.disconnect()
                raise
        if self._was_connected and not connack.session_present:
            self.counters.sessions_lost_total += 1
            _log.warning("MQTT broker %s lost the session: messages may be missing", self._where)
        self._was_connected = True
        self.counters.connections = 1
        self.counters.connections_total += 1
        link.hold(self._door.is_held)
        return link

    def _check(self, connack: Connack, version: int) -> None:
        if connack.code == 0:
            return
        self.counters.connections_refused_total += 1
        if connack.code in _CREDENTIALS[version]:
            raise self._problem(
                f"the broker refuses user {self._settings.user!r} (code {connack.code})",
                "check mqtt.external.user and mqtt.external.password_file",
            )
        raise self._problem(
            f"the broker refuses the connection (code {connack.code})",
            "see the log of the broker; mqtt.external.version 3.1.1 suits old ones",
        )

    def _check_grants(self, codes: bytes) -> None:
        for topic_filter, code in zip(self._filters, codes, strict=False):
            if code >= 0x80:
                raise self._problem(
                    f"the broker does not let {self._settings.user!r} subscribe to {topic_filter}",
                    "allow it in the access list of the broker",
                )

    def _problem(self, detail: str, remedy: str) -> Problem:
        return Problem("mqtt_refused", "MQTT broker refuses", detail, 503, self._where, remedy)

    def measures(self) -> Sequence[Measure]:
        """For /metrics."""
        return self.counters.measures()

    def _hold(self, is_held: bool) -> None:
        if self._link is not None:
            self._link.hold(is_held)

    def _connect_packet(self) -> Connect:
        settings = self._settings
        is_v5 = settings.version == "5"
        properties = {
            int(Property.SESSION_EXPIRY): settings.session_expiry_s,
            int(Property.RECEIVE_MAXIMUM): settings.receive_maximum,
        }
        password = None
        if settings.password_file:
            password = _read(settings.password_file, "mqtt.external.password_file").strip()
        return Connect(
            V5 if is_v5 else V311,
            settings.client_id,
            False,
            settings.keep_alive_s,
            settings.user or None,
            password,
            None,
            properties if is_v5 else {},
        )

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=settings.tls_ca or None)
            if settings.tls_certificate:
                context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
        except (OSError, ssl.SSLError) as error:
            raise Problem(
                "bad_setting",
                "TLS files cannot be used",
                str(error),
                where="mqtt.external.tls_*",
                remedy="name PEM files that this user may read",
            ) from None
        return context


T = TypeVar("T")


async def _answer(answer: "asyncio.Future[T]", link: Link) -> T:
    """The answer, or ConnectionError when the connection ends first."""
    both: set[asyncio.Future[Any]] = {answer, link.closed}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    raise ConnectionError(link.closed.result())


def _read(path: str, where: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Problem(
            "bad_setting",
            "File cannot be read",
            str(error),
            where=where,
            remedy="name a file that this user may read",
        ) from None
