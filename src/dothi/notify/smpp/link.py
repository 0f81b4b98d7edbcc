"""A bound connection to a message centre."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from dothi.notify.smpp.pdu import (
    RESPONSE,
    Bind,
    Command,
    MalformedPdu,
    Pdu,
    ShortMessage,
    Status,
    decode,
    length_of,
)

_MOST_SEQUENCE = 0x7FFFFFFF
Heard = Callable[[ShortMessage], Awaitable[bool]]
"""A deliver_sm came; False: it is to be sent again later."""


class LinkLost(ConnectionError):
    """The connection ended or is of no use any more."""


class BindRefused(ConnectionError):
    """The centre does not let us in."""


class SmppLink:
    """Used in the event loop; of no use after it was lost."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: Heard,
        timeout_s: float,
        enquire_link_s: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._heard = heard
        self._timeout_s = timeout_s
        self._enquire_link_s = enquire_link_s
        self._sequence = 0
        self._open: dict[int, asyncio.Future[Pdu]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read(), name="smpp read")
        self._enquiring: asyncio.Task[None] | None = None

    async def bind(self, bind: Bind) -> None:
        """Raises BindRefused, LinkLost, TimeoutError."""
        answer = await self.ask(Command.BIND_TRANSCEIVER, bind.encode())
        if answer.status != Status.OK:
            raise BindRefused(f"the message centre refuses to bind (0x{answer.status:08X})")
        self._enquiring = asyncio.create_task(self._enquire(), name="smpp enquire")

    async def ask(self, command: Command, body: bytes = b"") -> Pdu:
        """Send a packet, give its answer. Raises LinkLost, TimeoutError."""
        if self._reading.done():
            raise LinkLost("the connection is closed")
        self._sequence = self._sequence % _MOST_SEQUENCE + 1
        sequence = self._sequence
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._open[sequence] = answer
        try:
            self._writer.write(Pdu(command, Status.OK, sequence, body).encode())
            async with asyncio.timeout(self._timeout_s):
                await self._writer.drain()
                return await answer
        except OSError as error:
            if isinstance(error, TimeoutError | LinkLost):
                raise
            raise LinkLost(str(error)) from error
        finally:
            self._open.pop(sequence, None)

    async def lost(self) -> None:
        """Return when the connection has ended."""
        await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Say goodbye, where there is still somebody to hear it."""
        if not self._reading.done():
            with suppress(OSError):
                await self.ask(Command.UNBIND)
        for task in (self._reading, self._enquiring, *self._tasks):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._writer.transport.abort()

    async def _enquire(self) -> None:
        while True:
            await asyncio.sleep(self._enquire_link_s)
            try:
                await self.ask(Command.ENQUIRE_LINK)
            except OSError:
                self._writer.transport.abort()  # whoever reads will see that it is lost
                return

    async def _read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(4)
                rest = await self._reader.readexactly(length_of(head) - 4)
                if not self._take(decode(head + rest)):
                    return
        except (OSError, asyncio.IncompleteReadError, MalformedPdu):
            return
        finally:
            for answer in self._open.values():
                if not answer.done():
                    answer.set_exception(LinkLost("the message centre closed the connection"))
            self._writer.transport.abort()

    def _take(self, pdu: Pdu) -> bool:
        """False: it was the last one."""
        if pdu.is_response:
            answer = self._open.get(pdu.sequence)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
        elif pdu.command == Command.DELIVER_SM:
            task = asyncio.create_task(self._hear(pdu), name="smpp deliver_sm")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif pdu.command in (Command.ENQUIRE_LINK, Command.UNBIND):
            self._writer.write(pdu.answer().encode())
            return pdu.command != Command.UNBIND
        else:
            nack = Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence)
            self._writer.write(nack.encode())
        return True

    async def _hear(self, pdu: Pdu) -> None:
        try:
            is_taken = await self._heard(ShortMessage.decode(pdu.body))
        except MalformedPdu:
            self._writer.write(pdu.answer(Status.SYSTEM_ERROR, b"\x00").encode())
            return
        status = Status.OK if is_taken else Status.TEMPORARY_APP_ERROR
        self._writer.write(pdu.answer(status, b"\x00").encode())


def is_answer_to(pdu: Pdu, command: Command) -> bool:
    """A generic_nack is an answer too, but to a packet that was not understood."""
    return pdu.command == command | RESPONSE
