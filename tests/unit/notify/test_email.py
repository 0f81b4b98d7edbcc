"""Channel `email` against a real SMTP server on loopback."""

import asyncio
import email
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from certificates import self_signed
from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.model.priority import Priority
from dothi.notify.email.channel import EmailChannel
from dothi.notify.settings import EmailSettings
from mqtt_peers import free_port
from notice_parts import letter

LOOPBACK = egress_policy(("127.0.0.0/8",))


class Mailbox:
    """Keeps messages; `answers`: what is said to recipients, in turn."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.answers: list[str] = []
        self.data_answer = "250 2.0.0 queued as 7F3"
        self.delay_s = 0.0

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        await asyncio.sleep(self.delay_s)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answer.startswith("250"):
            content = envelope.original_content
            assert content is not None
            self.mails.append(email.message_from_bytes(content, policy=default))
        return self.data_answer

    def authenticate(self, *args: Any) -> AuthResult:
        login = args[-1]
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"s3cret")


@contextmanager
def serving(box: Mailbox, **options: Any) -> Iterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def channel(port: int, tls: ssl.SSLContext | None = None, **changes: Any) -> EmailChannel:
    settings = EmailSettings(
        host="localhost",
        port=port,
        security="none",
        sender="truc@example.vn",
        sender_name="Trung tâm điều hành",
        timeout_s=3.0,
    )
    return EmailChannel(msgspec.structs.replace(settings, **changes), "s3cret", LOOPBACK, tls)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


async def test_a_mail_arrives_in_vietnamese() -> None:
    box = Mailbox()
    with serving(box) as port:
        handed = await channel(port).send(letter(priority=Priority.HIGHEST))
    assert handed.state is DeliveryState.ACCEPTED
    assert handed.detail == "250 2.0.0 queued as 7F3"
    [mail] = box.mails
    assert mail["Subject"] == "Cảnh báo mức 2: mực nước cao"
    assert mail["To"] == "lan@example.org"
    assert mail["From"] == "Trung tâm điều hành <truc@example.vn>"
    assert mail["Message-ID"] == "<0b9a53c4-5e43-5f3b-9f6c-2b8ad2d8c2a1@example.vn>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    assert mail["Content-Language"] == "vi"
    assert mail.get_content().splitlines() == ["Mực nước cao", "Nơi xảy ra: Phú An"]


async def test_starttls_and_sign_in(certificate: Path) -> None:
    box = Mailbox()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    options = {
        "tls_context": server,
        "require_starttls": True,
        "authenticator": box.authenticate,
        "auth_required": True,
    }
    trusting = {"security": "starttls", "tls_ca": str(certificate / "cert.pem"), "user": "dothi"}
    with serving(box, **options) as port:
        assert (await channel(port, **trusting).send(letter())).state is DeliveryState.ACCEPTED
        assert box.logins == [(b"dothi", b"s3cret")]
        unknown = await channel(port, **(trusting | {"tls_ca": ""})).send(letter())
        assert (unknown.state, unknown.is_reached) == (DeliveryState.WAITING, False)
        assert "certificate" in unknown.detail
        wrong = channel(port, **trusting)
        wrong._password = "guess"
        refused = await wrong.send(letter())
    assert (refused.state, refused.is_reached) == (DeliveryState.WAITING, False)
    assert "guess" not in refused.detail
    assert len(box.mails) == 1


async def test_without_starttls_nothing_is_sent_in_the_clear(certificate: Path) -> None:
    box = Mailbox()
    with serving(box) as port:
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        handed = await channel(port, trusting, security="starttls", user="dothi").send(letter())
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    assert "STARTTLS" in handed.detail
    assert box.mails == []
    assert box.logins == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("550 5.1.1 no such user", DeliveryState.FAILED),
        ("450 4.2.0 greylisted", DeliveryState.WAITING),
    ],
)
async def test_a_recipient_may_be_refused(answer: str, state: DeliveryState) -> None:
    box = Mailbox()
    box.answers = [answer]
    with serving(box) as port:
        refused = await channel(port).send(letter())
        assert (refused.state, refused.detail, refused.is_reached) == (state, answer, True)
        assert (await channel(port).send(letter())).state is DeliveryState.ACCEPTED


async def test_the_message_may_be_refused() -> None:
    box = Mailbox()
    box.data_answer = "554 5.7.1 spam"
    with serving(box) as port:
        refused = await channel(port).send(letter())
    assert (refused.state, refused.detail) == (DeliveryState.FAILED, "554 5.7.1 spam")


@pytest.mark.parametrize(
    "address", ["", "lan", "lan@", "a@b.vn, c@d.vn", "lan@example.org\r\nBcc: x@y.z", "<a@b.vn>"]
)
async def test_what_is_no_address_is_refused_before_anybody_is_called(address: str) -> None:
    handed = await channel(1).send(letter(address=address))
    assert handed.state is DeliveryState.FAILED


async def test_a_title_never_makes_a_header() -> None:
    box = Mailbox()
    with serving(box) as port:
        handed = await channel(port).send(letter(title="a\r\nBcc: x@y.z"))
    assert handed.state is DeliveryState.FAILED
    assert box.mails == []


async def test_nobody_there() -> None:
    handed = await channel(1).send(letter())
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)


async def test_a_server_that_hangs_is_left() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A word now and then, so that no single wait takes too long.
        while not writer.is_closing():
            writer.write(b"220-wait\r\n")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(5):
        handed = await channel(port, timeout_s=0.2).send(letter())
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    server.close()


async def test_the_egress_policy_holds_for_mail_too() -> None:
    closed = EmailChannel(
        EmailSettings(host="127.0.0.1", sender="a@b.vn"), "", egress_policy(), None
    )
    handed = await closed.send(letter())
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    assert "[notices] allow" in handed.detail
