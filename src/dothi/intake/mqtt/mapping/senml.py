"""SenML packs in JSON (RFC 8428), resolved as in clause 4."""

import math
import re
from typing import Any, NamedTuple

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.found import Finding, Found
from dothi.intake.mqtt.mapping.json_payload import decode_json
from dothi.intake.mqtt.mapping.target import Target
from dothi.intake.mqtt.mapping.times import read_time
from dothi.intake.mqtt.mapping.values import Defaults, Value, read_number, read_scalar

VERSION = 10
RELATIVE_BELOW_S = 2**28
"""Smaller times count from now (clause 4.5.3)."""
SUM_SUFFIX = "Sum"
"""`s`, the integral of a value over time, becomes an attribute of its own."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
_BARE_DEVICE = re.compile(r"urn:dev:[a-z0-9]+:[^:/_]+")
_VALUE_LABELS = ("v", "vs", "vb", "vd")
_NUMBERS = {"bt", "bv", "bs", "v", "s", "t", "ut", "bver"}
_TEXTS = {"bn", "bu", "n", "u", "vs", "vd"}


class _Base(NamedTuple):
    name: str = ""
    time: float = 0.0
    unit: str | None = None
    value: float | None = None
    sum: float | None = None


def read_senml(target: Target, payload: bytes, received_us: int, quality: int) -> list[Finding]:
    """The observations of a pack. Raises BadPayload when the pack as a whole is refused."""
    pack = decode_json(payload)
    if not isinstance(pack, list) or not pack:
        raise BadPayload("senml_malformed", "a SenML pack is a JSON array of records")
    for row, record in enumerate(pack):
        _check(record, row)
    base = _Base()
    findings: list[Finding] = []
    for row, record in enumerate(pack):
        base = _Base(
            record.get("bn", base.name),
            record.get("bt", base.time),
            record.get("bu", base.unit),
            record.get("bv", base.value),
            record.get("bs", base.sum),
        )
        try:
            findings += _resolve(target, record, base, Defaults(received_us, quality=quality))
        except BadPayload as bad:
            bad.row = row
            findings.append(bad)
    if not findings:
        raise BadPayload("attributes_missing", "the pack holds no value")
    return findings


def _check(record: object, row: int) -> None:
    """Types of the fields, the version, and labels that must be understood (clause 4.4)."""
    if not isinstance(record, dict):
        raise BadPayload("senml_malformed", "a record is a JSON object", row)
    for label, value in record.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            (label in _NUMBERS and not is_number)
            or (label in _TEXTS and not isinstance(value, str))
            or (label == "vb" and not isinstance(value, bool))
        ):
            raise BadPayload("senml_malformed", f"`{label}` cannot be {value!r:.60}", row)
        if label.endswith("_"):
            raise BadPayload("senml_malformed", f"`{label}` must be understood and is not", row)
    if record.get("bver", VERSION) > VERSION:
        raise BadPayload("senml_malformed", f"SenML version {record['bver']} is not known", row)


def _resolve(
    target: Target, record: dict[str, Any], base: _Base, defaults: Defaults
) -> list[Finding]:
    labels = [label for label in _VALUE_LABELS if label in record]
    takes_base_value = not labels and "n" in record and "s" not in record
    if not labels and "s" not in record and not (takes_base_value and base.value is not None):
        if "n" in record or "t" in record:
            raise BadPayload("senml_malformed", "the record holds no value")
        return []  # it only sets base fields
    if len(labels) > 1:
        raise BadPayload("senml_malformed", f"one value per record, not {labels}")
    name = base.name + record.get("n", "")
    if not _NAME.fullmatch(name):
        raise BadPayload("senml_malformed", f"{name!r:.120} is not a SenML name (clause 4.5.1)")
    device, tail = split_name(name)
    variables = {**target.variables, "device": device, "name": tail}
    scoped = target._replace(variables={k: v for k, v in variables.items() if v})
    entity, entity_type = scoped.entity(None)
    attribute = scoped.attribute(None)
    unit = record.get("u", base.unit)
    defaults = defaults._replace(
        unit=unit, observed_us=_time(base.time + record.get("t", 0), defaults.observed_us or 0)
    )
    found: list[Finding] = []
    if labels or takes_base_value:
        value = _value(record, labels, base, defaults)
        found.append(Found(entity, entity_type, attribute, value))
    if "s" in record:
        total = read_number((base.sum or 0) + record["s"])
        value = Value(total, quality=defaults.quality, observed_us=defaults.observed_us)
        found.append(Found(entity, entity_type, attribute + SUM_SUFFIX, value))
    return found


def _value(record: dict[str, Any], labels: list[str], base: _Base, defaults: Defaults) -> Value:
    if not labels or labels == ["v"]:
        return read_scalar((base.value or 0) + record.get("v", 0), defaults)
    return read_scalar(record[labels[0]], defaults)


def _time(seconds: float, now_us: int) -> int:
    if not math.isfinite(seconds):
        raise BadPayload("time_invalid", "the time is beyond a double")
    if seconds < RELATIVE_BELOW_S:
        return read_time((now_us + seconds * 1e6) / 1e6, None)
    return read_time(seconds, None)


def split_name(name: str) -> tuple[str, str]:
    """(device, attribute) of a resolved name; RFC 9039 separates components with `_`."""
    if _BARE_DEVICE.fullmatch(name):
        return name, "value"
    separators = ":/_" if name.startswith("urn:dev:") else ":/"
    at = max(name.rfind(one) for one in separators)
    return name[:at] if at > 0 else "", name[at + 1 :] or "value"
