"""Channel `sms` over SMPP 3.4: one bound connection that is kept, and bound again when lost."""

import asyncio
import logging
import re
import ssl

from dothi.access.egress import EgressPolicy
from dothi.model.delivery import DeliveryState
from dothi.notify.addresses import ForbiddenAddress, allowed_address, reason
from dothi.notify.pace import Pace
from dothi.notify.settings import SmppSettings
from dothi.notify.smpp.link import LinkLost, SmppLink, is_answer_to
from dothi.notify.smpp.pdu import Bind, Command, Pdu, ShortMessage, Status, message_id
from dothi.notify.smpp.receipt import receipt_of
from dothi.notify.smpp.text import Part, parts
from dothi.ports.channel import Handed, Letter, Report

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_INTERNATIONAL, _UNKNOWN, _ISDN = 1, 0, 1
_WANTS_RECEIPT = 1
_AGAIN = frozenset({Status.SYSTEM_ERROR, Status.QUEUE_FULL, Status.THROTTLED})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class SmppChannel:
    """ports.channel.Channel and Reporting."""

    contact = "sms"

    def __init__(
        self,
        settings: SmppSettings,
        password: str,
        policy: EgressPolicy,
        verification: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._bind = Bind(settings.system_id, password, settings.system_type)
        self._policy = policy
        self._verification = verification
        self._pace = Pace(settings.per_second)
        self._window = asyncio.Semaphore(settings.window)
        self._report: Report | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._link: SmppLink | None = None
        self._bound = asyncio.Event()
        self._error = "not connected yet"

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        del address
        return ""

    async def listen(self, report: Report) -> None:
        """See ports.channel.Reporting."""
        self._report = report
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="smpp link")

    async def close(self) -> None:
        """See ports.channel.Channel."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        number = re.sub(r"[\s.()-]", "", letter.address)
        if not _NUMBER.fullmatch(number):
            return Handed(DeliveryState.FAILED, "the address is no telephone number")
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._bound.wait()
        except TimeoutError:
            return Handed(DeliveryState.WAITING, self._error, is_reached=False)
        references = []
        for part in parts(letter.short, letter.key):
            await self._pace.turn()
            answer = await self._submit(number, part)
            if isinstance(answer, Handed):
                return answer
            references.append(answer)
        return Handed(DeliveryState.ACCEPTED, "taken by the centre", references=tuple(references))

    async def _submit(self, number: str, part: Part) -> str | Handed:
        """The id that the centre gave the message, or what went wrong."""
        link, settings = self._link, self._settings
        message = ShortMessage(
            settings.source,
            number.removeprefix("+"),
            part.content,
            settings.source_ton,
            settings.source_npi,
            _INTERNATIONAL if number.startswith("+") else _UNKNOWN,
            _ISDN,
            part.esm_class,
            _WANTS_RECEIPT,
            part.data_coding,
        )
        try:
            if link is None:
                raise LinkLost(self._error)
            async with self._window:
                answer = await link.ask(Command.SUBMIT_SM, message.encode())
        except TimeoutError:
            detail = f"no answer within {settings.timeout_s:g} s"
            return Handed(DeliveryState.WAITING, detail, is_reached=False)
        except OSError as error:
            return Handed(DeliveryState.WAITING, reason(error), is_reached=False)
        return self._read(answer)

    def _read(self, answer: Pdu) -> str | Handed:
        if answer.status == Status.OK and is_answer_to(answer, Command.SUBMIT_SM):
            return message_id(answer.body)
        detail = f"the message centre refuses it (0x{answer.status:08X})"
        state = DeliveryState.WAITING if answer.status in _AGAIN else DeliveryState.FAILED
        return Handed(state, detail)

    async def _keep(self) -> None:
        """Bind again and again; ends when it is cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self._link = link = await self._connected()
                pause_s = _FIRST_PAUSE_S
                self._bound.set()
                try:
                    await link.lost()
                    self._error = "the message centre closed the connection"
                finally:
                    self._bound.clear()
                    self._link = None
                    await link.close()
            except (OSError, ValueError) as error:
                is_late = isinstance(error, TimeoutError)
                self._error = "no answer from the message centre" if is_late else reason(error)
            logger.warning("SMPP: %s", self._error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _connected(self) -> SmppLink:
        settings = self._settings
        address = await self._allowed()
        tls = await self._context() if settings.tls else None
        name = settings.host if settings.tls else None
        async with asyncio.timeout(settings.timeout_s):
            reader, writer = await asyncio.open_connection(
                address, settings.port, ssl=tls, server_hostname=name
            )
        times_s = settings.timeout_s, settings.enquire_link_s
        link = SmppLink(reader, writer, self._heard, *times_s)
        try:
            await link.bind(self._bind)
        except BaseException:
            await link.close()
            raise
        return link

    async def _allowed(self) -> str:
        host, port = self._settings.host, self._settings.port
        try:
            return await allowed_address(host, port, self._policy, "[notices] allow")
        except ForbiddenAddress as error:
            raise LinkLost(str(error)) from error

    async def _context(self) -> ssl.SSLContext:
        if self._verification is None:
            self._verification = await asyncio.to_thread(
                ssl.create_default_context, cafile=self._settings.tls_ca or None
            )
        return self._verification

    async def _heard(self, message: ShortMessage) -> bool:
        receipt = receipt_of(message)
        if receipt is None or receipt.state is None or self._report is None:
            return True
        return await self._report(receipt.references, receipt.state, receipt.detail)
