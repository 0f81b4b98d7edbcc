"""Delivery receipts: what the message centre says became of a message (appendix B)."""

import re

from msgspec import Struct

from dothi.model.delivery import DeliveryState
from dothi.notify.smpp.pdu import ShortMessage, Tag

_IS_RECEIPT = 0x04
_KIND = 0x3C
"""Bits of esm_class that tell a receipt from a message (section 5.2.12)."""
_FIELD = re.compile(r"\b(id|stat|err):\s*(\S*)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)
_BY_WORD = {
    "DELIVRD": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.FAILED,
    "DELETED": DeliveryState.FAILED,
    "UNDELIV": DeliveryState.FAILED,
    "REJECTD": DeliveryState.FAILED,
}
_WORD_OF = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 8: "REJECTD"}
"""message_state (section 5.2.28); the others are on the way."""


class SmsReceipt(Struct, frozen=True):
    """One message's receipt."""

    references: tuple[str, ...]
    """The id in each way in which centres write it."""
    state: DeliveryState | None
    """None: it is still on the way."""
    detail: str


def receipt_of(message: ShortMessage) -> SmsReceipt | None:
    """None: it is a message from a telephone, or names no message."""
    if message.esm_class & _KIND != _IS_RECEIPT:
        return None
    # The beginning of the message itself comes last, and may look like any field.
    said = _TEXT.split(message.content.decode("latin-1"), maxsplit=1)[0]
    fields = {name.lower(): value for name, value in _FIELD.findall(said)}
    given = message.options.get(Tag.RECEIPTED_MESSAGE_ID)
    reference = given.rstrip(b"\x00").decode("latin-1") if given else fields.get("id", "")
    state = message.options.get(Tag.MESSAGE_STATE)
    word = _WORD_OF.get(state[0], "") if state else fields.get("stat", "").upper()
    if not reference:
        return None
    error = fields.get("err", "")
    detail = f"{word} {error}".strip() if error.strip("0") else word
    return SmsReceipt(_spellings(reference), _BY_WORD.get(word), detail)


def _spellings(reference: str) -> tuple[str, ...]:
    """Some centres answer submit_sm in hexadecimal and write receipts in decimal digits."""
    found = [reference, reference.lstrip("0")]
    if reference.isdecimal():
        found += [f"{int(reference):x}", f"{int(reference):X}", f"{int(reference):08X}"]
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", reference):
        found.append(str(int(reference, 16)))
    return tuple(dict.fromkeys(one for one in found if one))
