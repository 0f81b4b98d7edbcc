"""Plain payloads: one number, true/false, or text. JSON objects and arrays are read as JSON."""

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.found import Finding, Found
from dothi.intake.mqtt.mapping.json_payload import decode_json, read_message
from dothi.intake.mqtt.mapping.target import Target
from dothi.intake.mqtt.mapping.values import Value, read_number, read_scalar

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_JSON_STARTS = (b"{", b"[", b'"')


def read_plain(target: Target, payload: bytes, received_us: int, quality: int) -> list[Finding]:
    """The one observation of the payload (several for a JSON array). Raises BadPayload."""
    defaults = target.defaults(received_us, quality)
    stripped = payload.strip()
    if stripped.startswith(_JSON_STARTS):
        return read_message(target, decode_json(stripped), defaults)
    attribute = target.attribute(None)
    if not attribute:
        raise BadPayload("attribute_invalid", "the rule of this topic names no attribute")
    entity, entity_type = target.entity(None)
    try:
        text = stripped.decode()
    except UnicodeDecodeError as error:
        raise BadPayload("utf8_invalid", f"{error.reason} at byte {error.start}") from None
    if not text:
        raise BadPayload("message_empty", "the message holds nothing")
    number = _number(text)
    if number is not None:
        value = Value(
            read_number(number), None, None, defaults.unit, quality, observed_us=received_us
        )
    else:
        value = read_scalar(_WORDS.get(text, text), defaults)
    return [Found(entity, entity_type, attribute, value)]


def _number(text: str) -> float | None:
    if "_" in text:  # Python's grouping, not a number to anybody else
        return None
    try:
        return float(text)
    except ValueError:
        return None
