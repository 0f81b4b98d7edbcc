"""Notifications as MQTT messages (ETSI GS CIM 009, clause 7; ports.notifier.Notifier).

One connection per broker, user and version, kept while it is used. aiomqtt is imported with the
first message: most programs never send one.
"""

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from dothi.access.egress import EgressPolicy
from dothi.model.uri import without_login
from dothi.notify.addresses import ForbiddenAddress, allowed_address, reason
from dothi.ports.notifier import Message, Outcome

if TYPE_CHECKING:
    import aiomqtt

_IDLE_S = 60.0


class _Broker(NamedTuple):
    is_secure: bool
    host: str
    port: int
    user: str | None
    password: str | None
    version: str


class _Session(Struct):
    """A connection, or none yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    client: "aiomqtt.Client | None" = None
    used_s: float = 0.0


class MqttSender:
    """QoS 0, 1, 2 and MQTT 3.1.1 and 5 as notifierInfo says."""

    def __init__(
        self,
        policy: EgressPolicy,
        verification: ssl.SSLContext | None = None,
        *,
        setting: str = "[ngsi_ld.notify] allow",
    ) -> None:
        """`verification`: which certificates are trusted; those of the system when left out.
        `setting`: which one opens an address that the policy forbids."""
        self._policy = policy
        self._setting = setting
        self._verification = verification
        self._sessions: dict[_Broker, _Session] = {}

    async def send(self, message: Message) -> Outcome:
        """See ports.notifier.Notifier."""
        import aiomqtt

        try:
            broker, topic, qos = _parsed(message)
            async with asyncio.timeout(message.timeout_s):
                await self._publish(broker, topic, message.body, qos)
        except TimeoutError:
            return Outcome(False, f"no answer within {message.timeout_s:g} s", may_retry=True)
        except ForbiddenAddress as error:
            return Outcome(False, str(error))
        except (OSError, ValueError, aiomqtt.MqttError) as error:
            return Outcome(False, reason(error), may_retry=True)
        return Outcome(True)

    async def close(self) -> None:
        """See ports.notifier.Notifier."""
        for session in self._sessions.values():
            await _leave(session)
        self._sessions.clear()

    async def _publish(self, broker: _Broker, topic: str, body: bytes, qos: int) -> None:
        await self._close_idle()
        session = self._sessions.setdefault(broker, _Session())
        was_open = session.client is not None
        client = await self._client(broker, session)
        try:
            await client.publish(topic, body, qos)
        except BaseException:
            await _leave(session)
            if not was_open:
                raise
            # A connection that stood for a while may have died unnoticed; a new one will tell.
            client = await self._client(broker, session)
            await client.publish(topic, body, qos)

    async def _client(self, broker: _Broker, session: _Session) -> "aiomqtt.Client":
        session.used_s = time.monotonic()
        async with session.lock:
            if session.client is None:
                session.client = await self._connected(broker)
        return session.client

    async def _connected(self, broker: _Broker) -> "aiomqtt.Client":
        import aiomqtt

        host = await allowed_address(broker.host, broker.port, self._policy, self._setting)
        options: dict[str, Any] = {}
        if broker.is_secure:
            host = broker.host  # its certificate is for the name, which guards the look-up too
            if self._verification is None:
                self._verification = await asyncio.to_thread(ssl.create_default_context)
            options["tls_context"] = self._verification
        client = aiomqtt.Client(
            host,
            broker.port,
            username=broker.user,
            password=broker.password,
            protocol=_version(broker.version),
            **options,
        )
        await client.__aenter__()
        # aiomqtt keeps the reason of a lost connection there; nobody else asks for it.
        ended: asyncio.Future[None] | None = getattr(client, "_disconnected", None)
        if ended is not None:
            ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        return client

    async def _close_idle(self) -> None:
        now_s = time.monotonic()
        for broker, session in list(self._sessions.items()):
            if now_s - session.used_s > _IDLE_S and not session.lock.locked():
                del self._sessions[broker]
                await _leave(session)


async def _leave(session: _Session) -> None:
    import aiomqtt

    client, session.client = session.client, None
    if client is not None:
        try:
            await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, OSError):
            return  # it was broken already


def _version(name: str) -> Any:
    import aiomqtt

    return aiomqtt.ProtocolVersion.V311 if name == "mqtt3.1.1" else aiomqtt.ProtocolVersion.V5


def _parsed(message: Message) -> tuple[_Broker, str, int]:
    """Broker, topic and QoS. Raises ValueError."""
    parts = urlsplit(message.uri)
    topic = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not topic:
        raise ValueError(f"{without_login(message.uri)!r} names no host or no topic")
    is_secure = parts.scheme == "mqtts"
    options = dict(message.options)
    broker = _Broker(
        is_secure,
        parts.hostname,
        parts.port or (8883 if is_secure else 1883),
        options.get("MQTT-User", None if parts.username is None else unquote(parts.username)),
        options.get("MQTT-Password", None if parts.password is None else unquote(parts.password)),
        options.get("MQTT-Version", "mqtt5.0"),
    )
    return broker, topic, int(options.get("MQTT-QoS", "0"))
