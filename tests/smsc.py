"""A message centre that speaks SMPP 3.4, as far as tests need it; with a codec of its own, so that
an error of ours does not agree with itself."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

BIND, SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x09, 0x04, 0x05, 0x06, 0x15
RESPONSE = 0x80000000


@dataclass(frozen=True)
class Submitted:
    """A submit_sm as it came."""

    source: str
    source_ton: int
    destination: str
    destination_ton: int
    esm_class: int
    registered: int
    coding: int
    content: bytes


@dataclass
class Smsc:
    """`statuses`: what is said to the next submit_sm; then all are taken."""

    port: int = 0
    password: str = "s3cret"
    statuses: list[int] = field(default_factory=list)
    submitted: list[Submitted] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    """Sequence of a deliver_sm -> status of its answer."""
    binds: int = 0
    enquiries: int = 0
    is_silent: bool = False
    """Takes submit_sm and says nothing."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(16)
                length, command, status, sequence = struct.unpack(">4I", head)
                body = await reader.readexactly(length - 16)
                self._take(writer, command, status, sequence, body)
        writer.close()

    def _take(
        self, writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes
    ) -> None:
        if command == DELIVER | RESPONSE:
            self.answers[sequence] = status
        elif command == BIND:
            _, password, _ = body.split(b"\0", 3)[:3]
            is_right = password.decode() == self.password
            self.binds += is_right
            self.send(writer, BIND | RESPONSE, 0 if is_right else 0x0E, sequence, b"smsc\0")
        elif command == SUBMIT:
            self.submitted.append(_submitted(body))
            code = self.statuses.pop(0) if self.statuses else 0
            if not self.is_silent:
                name = b"" if code else f"m{len(self.submitted)}\0".encode()
                self.send(writer, SUBMIT | RESPONSE, code, sequence, name)
        elif command in (ENQUIRE, UNBIND):
            self.enquiries += command == ENQUIRE
            self.send(writer, command | RESPONSE, 0, sequence)

    @staticmethod
    def send(
        writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes = b""
    ) -> None:
        writer.write(struct.pack(">4I", 16 + len(body), command, status, sequence) + body)

    async def report(self, reference: str, word: str, sequence: int) -> int:
        """A delivery receipt; the status that it is answered with."""
        text = (
            f"id:{reference} sub:001 dlvrd:001 submit date:2611271405 done date:2611271406 "
            f"stat:{word} err:000 text:Canh bao"
        ).encode()
        body = b"\0\1\1" + b"84901\0" + b"\5\0dothi\0" + bytes((4, 0, 0)) + b"\0\0"
        body += bytes((0, 0, 0, 0, len(text))) + text
        self.send(self.writers[-1], DELIVER, 0, sequence, body)
        async with asyncio.timeout(5):
            while sequence not in self.answers:
                await asyncio.sleep(0.01)
        return self.answers[sequence]

    async def until(self, count: int) -> list[Submitted]:
        async with asyncio.timeout(5):
            while len(self.submitted) < count:
                await asyncio.sleep(0.01)
        return self.submitted

    def hang_up(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


def _submitted(body: bytes) -> Submitted:
    _, rest = body.split(b"\0", 1)
    source_ton, rest = rest[0], rest[2:]
    source, rest = rest.split(b"\0", 1)
    destination_ton, rest = rest[0], rest[2:]
    destination, rest = rest.split(b"\0", 1)
    esm_class, rest = rest[0], rest[3:]
    _, _, rest = rest.split(b"\0", 2)
    registered, coding, length = rest[0], rest[2], rest[4]
    content = rest[5:]
    assert len(content) == length
    return Submitted(
        source.decode(),
        source_ton,
        destination.decode(),
        destination_ton,
        esm_class,
        registered,
        coding,
        content,
    )


@asynccontextmanager
async def message_centre() -> AsyncIterator[Smsc]:
    smsc = Smsc()
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        smsc.hang_up()
