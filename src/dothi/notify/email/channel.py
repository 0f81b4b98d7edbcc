"""Channel `email`: SMTP (RFC 5321) with STARTTLS (RFC 3207) and sign-in (RFC 4954).

smtplib in threads of its own: a server that hangs holds up nothing else.
"""

import asyncio
import os
import smtplib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from dothi.access.egress import EgressPolicy
from dothi.model.delivery import DeliveryState
from dothi.notify.addresses import ForbiddenAddress, allowed_address, reason
from dothi.notify.email.mail import mail_of
from dothi.notify.settings import EmailSettings
from dothi.ports.channel import Handed, Letter

_MOST_OF_ALL = 3
"""A whole conversation may take so many times as long as one of its answers."""


class EmailChannel:
    """One mail server for all letters."""

    contact = "email"

    def __init__(
        self,
        settings: EmailSettings,
        password: str,
        policy: EgressPolicy,
        verification: ssl.SSLContext | None = None,
    ) -> None:
        """`verification`: which certificates are trusted; by the settings when left out."""
        self._settings = settings
        self._password = password
        self._policy = policy
        self._verification = verification
        self._threads = ThreadPoolExecutor(settings.connections, thread_name_prefix="dothi-mail")

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        del address
        return ""

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        settings = self._settings
        try:
            host, port = settings.host, settings.port
            address = await allowed_address(host, port, self._policy, "[notices] allow")
            mail = mail_of(letter, settings.sender, settings.sender_name)
        except ForbiddenAddress as error:
            # The settings are to be mended, not the letter: it waits for that.
            return Handed(DeliveryState.WAITING, str(error), is_reached=False)
        except OSError as error:
            return Handed(DeliveryState.WAITING, reason(error), is_reached=False)
        except ValueError as error:
            return Handed(DeliveryState.FAILED, str(error))
        conversation = _Conversation(settings, self._password, address, self._verification)
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, conversation.hold, letter.address, mail
        )
        done, _ = await asyncio.wait([running], timeout=settings.timeout_s * _MOST_OF_ALL)
        if not done:
            conversation.hang_up()
        return await running

    async def close(self) -> None:
        """See ports.channel.Channel."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(
            self._settings.connections, thread_name_prefix="dothi-mail"
        )


class _Smtp(smtplib.SMTP):
    """Dials the address that was checked; certificates are checked for the name."""

    def __init__(
        self,
        address: str,
        tls: ssl.SSLContext | None,
        settings: EmailSettings,
        opened: Callable[[socket.socket], None],
    ) -> None:
        """`opened`: told of the socket before the first word is said."""
        self._address = address
        self._tls = tls
        self._opened = opened
        domain = settings.sender.rpartition("@")[2] or "localhost"
        super().__init__(settings.host, settings.port, domain, settings.timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._address, port), timeout)
        self._opened(plain)
        return plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host)


class _Conversation:
    """One message, in a thread."""

    def __init__(
        self,
        settings: EmailSettings,
        password: str,
        address: str,
        verification: ssl.SSLContext | None,
    ) -> None:
        self._settings = settings
        self._password = password
        self._address = address
        self._verification = verification
        self._descriptor = -1
        """Of the socket, our own: TLS takes the first one over."""

    def hang_up(self) -> None:
        """From another thread: it takes too long."""
        if self._descriptor >= 0:
            with suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as own:
                own.shutdown(socket.SHUT_RDWR)

    def hold(self, recipient: str, mail: bytes) -> Handed:
        try:
            return self._held(recipient, mail)
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _held(self, recipient: str, mail: bytes) -> Handed:
        try:
            said = self._hold(recipient, mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients.get(recipient, (550, b"refused"))
            return _refused(code, text)
        except smtplib.SMTPAuthenticationError as error:
            detail = f"the server does not accept user and password ({error.smtp_code})"
            return Handed(DeliveryState.WAITING, detail, is_reached=False)
        except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
            detail = f"the server refuses ({error.smtp_code})"
            return Handed(DeliveryState.WAITING, detail, is_reached=False)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except ssl.SSLCertVerificationError as error:
            detail = f"the certificate is not trusted: {error.verify_message}"
            return Handed(DeliveryState.WAITING, detail, is_reached=False)
        except TimeoutError:
            detail = f"no answer within {self._settings.timeout_s:g} s"
            return Handed(DeliveryState.WAITING, detail, is_reached=False)
        except (smtplib.SMTPException, OSError) as error:
            return Handed(DeliveryState.WAITING, reason(error), is_reached=False)
        return Handed(DeliveryState.ACCEPTED, said)

    def _hold(self, recipient: str, mail: bytes) -> str:
        settings = self._settings
        tls = self._context() if settings.security != "none" else None
        outer = tls if settings.security == "tls" else None
        with _Smtp(self._address, outer, settings, self._note) as smtp:
            if settings.security == "starttls":
                smtp.starttls(context=tls)
            if settings.user:
                smtp.login(settings.user, self._password)
            smtp.ehlo_or_helo_if_needed()
            code, text = smtp.mail(settings.sender)
            if code != 250:
                raise smtplib.SMTPSenderRefused(code, text, settings.sender)
            code, text = smtp.rcpt(recipient)
            if code not in (250, 251):
                raise smtplib.SMTPRecipientsRefused({recipient: (code, text)})
            code, text = smtp.data(mail)
            if code != 250:
                raise smtplib.SMTPDataError(code, text)
        return _said(code, text)

    def _note(self, opened: socket.socket) -> None:
        self._descriptor = os.dup(opened.fileno())

    def _context(self) -> ssl.SSLContext:
        if self._verification is not None:
            return self._verification
        return ssl.create_default_context(cafile=self._settings.tls_ca or None)


def _refused(code: int, text: bytes | str) -> Handed:
    """5yz is for good, 4yz may pass later (RFC 5321, section 4.2.1)."""
    is_final = 500 <= code < 600
    return Handed(DeliveryState.FAILED if is_final else DeliveryState.WAITING, _said(code, text))


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(f"{code} {words}".split())[:300]
