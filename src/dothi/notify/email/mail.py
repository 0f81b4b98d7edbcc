"""A letter as an Internet message (RFC 5322)."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dothi.model.priority import Priority
from dothi.ports.channel import Letter

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""As HTML takes it for `input type=email`: no comments, no quotes, no groups."""


def mail_of(letter: Letter, sender: str, sender_name: str) -> bytes:
    """The key stands in Message-ID, so that a message that comes twice is one to mail programs.

    Raises ValueError: an address cannot be used, or a text is no header.
    """
    domain = sender.rpartition("@")[2] or "localhost"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender, sender_name)
    mail["To"] = _address(letter.address)
    mail["Subject"] = letter.title
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    if letter.priority is Priority.HIGHEST:
        mail["Importance"] = "high"
    mail.set_content(letter.text + "\n", cte="base64")
    mail["Content-Language"] = letter.language
    return mail.as_bytes()


def _address(text: str, name: str = "") -> Address:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is no address of mail")
    return Address(display_name=name, addr_spec=text)
