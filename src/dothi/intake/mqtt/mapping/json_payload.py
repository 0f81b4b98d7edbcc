"""JSON payloads: an object of attributes, or an array of such objects."""

from typing import Any

import msgspec

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.found import Finding, Found
from dothi.intake.mqtt.mapping.target import Target
from dothi.intake.mqtt.mapping.templates import find_path
from dothi.intake.mqtt.mapping.times import read_time
from dothi.intake.mqtt.mapping.values import Defaults, read_values
from dothi.intake.mqtt.settings import FieldRule

_decode = msgspec.json.Decoder().decode
MAX_NAME = 256


def decode_json(payload: bytes) -> Any:
    """Raises BadPayload: json_malformed, utf8_invalid, json_too_deep."""
    try:
        return _decode(payload)
    except UnicodeDecodeError as error:
        raise BadPayload("utf8_invalid", f"{error.reason} at byte {error.start}") from None
    except RecursionError:
        raise BadPayload("json_too_deep", "the JSON is nested too deeply; send it flat") from None
    except msgspec.DecodeError as error:
        raise _refusal(payload, error) from None


def _refusal(payload: bytes, error: msgspec.DecodeError) -> BadPayload:
    try:
        payload.decode()
    except UnicodeDecodeError as broken:
        return BadPayload("utf8_invalid", f"{broken.reason} at byte {broken.start}")
    return BadPayload("json_malformed", f"{error}; NaN and Infinity are not JSON")


def read_json(target: Target, payload: bytes, received_us: int, quality: int) -> list[Finding]:
    """Every observation in a JSON payload. Raises BadPayload when all of it is refused."""
    message = decode_json(payload)
    defaults = target.defaults(received_us, quality)
    if not isinstance(message, list) or target.rule.rule.attribute:
        return read_message(target, message, defaults)
    findings: list[Finding] = []
    for row, one in enumerate(message):
        try:
            for found in read_message(target, one, defaults):
                if isinstance(found, BadPayload):
                    found.row = row
                findings.append(found)
        except BadPayload as bad:
            bad.row = row
            findings.append(bad)
    if not findings:
        raise BadPayload("attributes_missing", "the array is empty")
    return findings


def read_message(target: Target, message: object, defaults: Defaults) -> list[Finding]:
    """The observations of one decoded object (or one value, where the rule names the attribute)."""
    rule = target.rule
    entity, entity_type = target.entity(message)
    attribute = target.attribute(message)
    when = find_path(message, rule.rule.time) if isinstance(message, dict) else None
    if when is not None:
        _, unit, quality, scale, zone = defaults
        defaults = Defaults(read_time(when, zone), unit, quality, scale, zone)
    inner = find_path(message, rule.rule.root) if rule.rule.root else message
    if attribute:
        return [Found(entity, entity_type, attribute, v) for v in read_values(inner, defaults)]
    if not isinstance(inner, dict):
        place = f"under `{rule.rule.root}` " if rule.rule.root else ""
        raise BadPayload("shape_unexpected", f"expected a JSON object of attributes {place}")
    findings: list[Finding] = []
    for key, raw in inner.items():
        if key in rule.reserved:
            continue
        field = rule.fields.get(key)
        if field is None and not rule.rule.keep_other_fields:
            continue
        try:
            name, own = _field(key, field, defaults)
            findings += [Found(entity, entity_type, name, v) for v in read_values(raw, own)]
        except BadPayload as bad:
            findings.append(BadPayload(bad.reason, f"`{key}`: {bad.detail}"))
    if not findings:
        raise BadPayload("attributes_missing", "the object holds no attribute")
    return findings


def _field(key: str, field: FieldRule | None, defaults: Defaults) -> tuple[str, Defaults]:
    if field is not None:
        return field.attribute, defaults._replace(unit=field.unit or None, scale=field.scale)
    if not key or len(key) > MAX_NAME:
        raise BadPayload("attribute_invalid", f"an attribute name has 1 to {MAX_NAME} characters")
    return key, defaults
