"""Counterparts of the MQTT door in tests: a recording ingest, brokers, a raw client."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.framing import Frame, Framer
from dothi.intake.mqtt.codec.packets import Connack, Connect, Publish, Request, Subscribe, Type
from dothi.intake.mqtt.embedded.service import EmbeddedMqtt
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import EmbeddedSettings, MqttSettings
from dothi.model.batch import Batch, CommitResult
from dothi.model.source import Source

ANSWER_S = 5.0


class RecordingIngest:
    """Keeps the batches. `gate` closed: commits wait; `failures`: raised first, one per call."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.failures: list[Exception] = []
        self.poison: str = ""
        """An entity that makes every batch with it fail, as a defect would."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls = 0

    async def submit(self, batch: Batch) -> CommitResult:
        self.calls += 1
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.poison and self.poison in batch.rows["entity"].to_pylist():
            raise RuntimeError("a defect")
        self.batches.append(batch)
        stored = batch.rows.num_rows
        rejected = sum(one.count for one in batch.rejected)
        return CommitResult(batch.id, stored + rejected, stored, 0, batch.rejected)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.rows.to_pylist()]

    @property
    def reasons(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for batch in self.batches:
            for one in batch.rejected:
                found[one.reason] = found.get(one.reason, 0) + one.count
        return found

    async def until_rows(self, count: int, timeout_s: float = ANSWER_S) -> list[dict[str, Any]]:
        async with asyncio.timeout(timeout_s):
            while len(self.rows) < count:
                await asyncio.sleep(0.005)
        return self.rows

    async def until_rejected(self, reason: str) -> None:
        async with asyncio.timeout(ANSWER_S):
            while reason not in self.reasons:
                await asyncio.sleep(0.005)


class KnownSources:
    """Sources whose token is `token-of-<id>`."""

    def __init__(self, *ids: str) -> None:
        self._by_token = {f"token-of-{one}": Source(one, one, "mqtt") for one in ids}

    def all(self) -> Sequence[Source]:
        return list(self._by_token.values())

    def get(self, source_id: str) -> Source | None:
        return self._by_token.get(f"token-of-{source_id}")

    def put(self, source: Source) -> None:
        raise NotImplementedError

    def issue_token(self, source_id: str) -> str:
        return f"token-of-{source_id}"

    def revoke_tokens(self, source_id: str) -> int:
        return int(self._by_token.pop(f"token-of-{source_id}", None) is not None)

    def source_of_token(self, token: str) -> Source | None:
        return self._by_token.get(token)


@asynccontextmanager
async def embedded(
    ingest: RecordingIngest,
    settings: MqttSettings | None = None,
    sources: KnownSources | None = None,
    **changes: Any,
) -> AsyncIterator[EmbeddedMqtt]:
    """The embedded broker on a free port; `changes` are fields of EmbeddedSettings."""
    settings = settings or MqttSettings()
    plain = EmbeddedSettings(port=0, allow_anonymous=True, readable=("#",))
    chosen = msgspec.structs.replace(plain, **changes)
    settings = msgspec.structs.replace(settings, embedded=chosen, stop_timeout_s=0.5)
    sources = sources or KnownSources("station-1", "station-2")
    service = EmbeddedMqtt(settings, Mapper(settings), ingest, sources)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Mosquitto:
    """A real broker that can be stopped and started with its sessions."""

    def __init__(self, program: str, folder: Path, extra: str) -> None:
        self.port = free_port()
        self._program = program
        self._config = folder / "mosquitto.conf"
        # Started by root it would become another user, who may not read the test's folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config.write_text(
            f"{user}listener {self.port} 127.0.0.1\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\n{extra}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(500):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            self._process.poll()
            if self._process.returncode is not None:
                raise RuntimeError(f"mosquitto ended with {self._process.returncode}")
            time.sleep(0.02)
        raise RuntimeError("mosquitto does not answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5)
            self._process = None


def tls_listener(certificate: Path) -> str:
    """Lines that make the listener one of TLS with the certificate of the folder."""
    pair = f"certfile {certificate / 'cert.pem'}\nkeyfile {certificate / 'key.pem'}\n"
    return f"allow_anonymous true\n{pair}"


@contextmanager
def mosquitto(
    program: str, folder: Path, extra: str = "allow_anonymous true\n"
) -> Iterator[Mosquitto]:
    broker = Mosquitto(program, folder, extra)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class RawClient:
    """A client that does exactly what the test says; for wrong packets too."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: int
    ) -> None:
        self.version = version
        self._reader = reader
        self._writer = writer
        self._framer = Framer(1 << 28)
        self._frames: list[Frame] = []

    @classmethod
    async def open(cls, port: int, version: int = 5) -> "RawClient":
        return cls(*await asyncio.open_connection("127.0.0.1", port), version)

    @classmethod
    async def enter(
        cls, port: int, client_id: str = "raw", version: int = 5, **fields: Any
    ) -> "RawClient":
        """Connected and accepted."""
        client = await cls.open(port, version)
        connack = await client.connect(client_id, **fields)
        assert connack.code == 0, connack
        return client

    async def connect(self, client_id: str = "raw", **fields: Any) -> Connack:
        plain = Connect(self.version, client_id, True, 60, None, None, None, {})
        await self.send(encode.encode_connect(plain._replace(**fields)))
        return decode.decode_connack(await self.next(Type.CONNACK), self.version)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, packet_id: int = 1, **fields: Any
    ) -> None:
        message = Publish(topic, payload, qos, packet_id)._replace(**fields)
        await self.send(encode.encode_publish(message, self.version))

    async def subscribe(self, topic_filter: str, qos: int = 1, **options: Any) -> int:
        """The code of SUBACK."""
        request = Request(topic_filter, qos)._replace(**options)
        await self.send(encode.encode_subscribe(Subscribe(7, (request,), {}), self.version))
        return decode.decode_suback(await self.next(Type.SUBACK), self.version)[1][0]

    async def next(self, kind: Type | None = None, timeout_s: float = ANSWER_S) -> Frame:
        """The next packet; EOFError when the peer closed."""
        async with asyncio.timeout(timeout_s):
            while not self._frames:
                data = await self._reader.read(1 << 16)
                if not data:
                    raise EOFError
                self._frames += self._framer.feed(data)
        frame = self._frames.pop(0)
        assert kind is None or frame.first >> 4 == kind, frame
        return frame

    async def message(self, timeout_s: float = ANSWER_S) -> Publish:
        return decode.decode_publish(await self.next(Type.PUBLISH, timeout_s), self.version)

    async def puback(self, timeout_s: float = ANSWER_S) -> tuple[int, int]:
        """(packet id, reason code)."""
        ack = decode.decode_ack(await self.next(Type.PUBACK, timeout_s))
        return ack.packet_id, ack.code

    async def stays_silent(self, for_s: float = 0.15) -> bool:
        try:
            await self.next(timeout_s=for_s)
        except TimeoutError:
            return True
        return False

    async def disconnect(self) -> None:
        await self.send(encode.encode_disconnect(self.version))
        self.drop()

    def drop(self) -> None:
        """Without a goodbye."""
        self._writer.transport.abort()
