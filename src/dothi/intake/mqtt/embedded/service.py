"""Mode `embedded`: the broker inside dothi. No server to install."""

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress

from dothi.intake.mqtt.codec.reasons import Reason
from dothi.intake.mqtt.counters import MqttCounters
from dothi.intake.mqtt.door import Door
from dothi.intake.mqtt.embedded.broker import Broker
from dothi.intake.mqtt.embedded.connection import Connection
from dothi.intake.mqtt.embedded.host import Host
from dothi.intake.mqtt.embedded.login import Login
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import MqttSettings
from dothi.model.measure import Measure
from dothi.model.problem import Problem
from dothi.ports.ingest import Ingest
from dothi.ports.registry import Sources

_log = logging.getLogger(__name__)

SWEEP_S = 1.0
FRAME_MARGIN = 65_535 + 1024
"""Topic and properties beside the payload."""


class EmbeddedMqtt:
    """A Service. QoS 1 and 2 are acknowledged to devices after the commit, never before."""

    name = "mqtt"

    def __init__(
        self, settings: MqttSettings, mapper: Mapper, ingest: Ingest, sources: Sources
    ) -> None:
        self.counters = MqttCounters()
        self._settings = settings.embedded
        self._stop_timeout_s = settings.stop_timeout_s
        self._door = Door(settings, mapper, ingest, self.counters)
        self._host = Host(
            settings.embedded,
            Broker(settings.embedded, self._door, self.counters),
            Login(sources, settings.embedded.allow_anonymous),
            self._door,
            self.counters,
            settings.max_payload_bytes + FRAME_MARGIN,
        )
        self._door.on_hold_change(self._hold)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Raises Problem: the port is taken, or the TLS files cannot be used."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self._host), settings.host, settings.port, ssl=self._tls()
            )
        except OSError as error:
            raise Problem(
                "port_taken",
                "MQTT port cannot be opened",
                f"{settings.host}:{settings.port}: {error.strerror or error}",
                503,
                "mqtt.embedded.port",
                "stop the other program, or choose another port with --mqtt-port",
            ) from None
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Stores and acknowledges what was received, then says goodbye to the clients."""
        if self._server is None or self._sweeper is None:
            return
        self._server.close()
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        self._hold(True)
        if not await self._door.drain(self._stop_timeout_s):
            _log.warning("stopped before all MQTT messages were stored; the senders keep them")
        for peer in list(self._host.peers):
            peer.shut_down(Reason.SERVER_SHUTTING_DOWN)
        await self._door.close()
        self._server = self._sweeper = None
        await asyncio.sleep(0)  # lets the transports send their last packet

    def measures(self) -> Sequence[Measure]:
        """For /metrics."""
        return self.counters.measures()

    def _hold(self, is_held: bool) -> None:
        for peer in self._host.peers:
            peer.hold(is_held)

    async def _sweep(self) -> None:
        checked_s = time.monotonic()
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = time.monotonic()
            if now_s - checked_s >= self._settings.token_check_s:
                checked_s = now_s
                await self._cut_off_revoked()
            for peer in list(self._host.peers):
                peer.check_time(now_s)
            self._host.broker.sweep()

    async def _cut_off_revoked(self) -> None:
        """A token that was revoked, or whose source was disabled, ends its connections."""
        known = list(self._host.signed_in.items())
        proven = await self._host.login.check([connect for _, connect in known])
        for (peer, connect), source in zip(known, proven or (), strict=False):
            if source is None:
                _log.info("MQTT device %s cut off: its token is no longer valid", connect.user)
                peer.shut_down(Reason.NOT_AUTHORIZED)

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.tls_certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
        except (OSError, ssl.SSLError) as error:
            raise Problem(
                "bad_setting",
                "TLS files cannot be used",
                str(error),
                where="mqtt.embedded.tls_*",
                remedy="name PEM files that this user may read",
            ) from None
        return context
