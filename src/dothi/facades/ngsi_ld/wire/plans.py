"""Attributes that say no more than kind, value, unit and time: how to read them, told once.

Which members an attribute has decides most of what is to be checked, and it is the same for
thousands of them. What a plan does not foresee is left to the reader of all attributes.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct

from dothi.facades.ngsi_ld.wire.kinds import (
    BY_NAME,
    BY_VALUE_KEY,
    SYSTEM_MEMBERS,
    UNITLESS,
    VALUE_KEYS,
)
from dothi.facades.ngsi_ld.wire.times import is_plain, parse_utc
from dothi.model.row import Kind

_FORESEEN = SYSTEM_MEMBERS | {"type", "unitCode", "observedAt"}
_MOST_PLANS = 1000


class Plan(Struct, frozen=True):
    """How to read attributes with the same kind and members."""

    kind: Kind
    value_key: str
    """Member that carries the value."""
    is_guessed: bool
    """The kind is not named: an object as a value may tell another one."""
    has_unit: bool
    has_time: bool


_plans: dict[tuple[str | None, ...], Plan | None] = {}


def plan_of(raw: dict[str, Any]) -> Plan | None:
    """The plan for an attribute; None: it is not as simple as that."""
    named = raw.get("type")
    if type(named) is not str and (named is not None or "type" in raw):
        return None
    key = (named, *raw)
    if key in _plans:
        return _plans[key]
    if len(_plans) >= _MOST_PLANS:
        _plans.clear()
    found = _plans[key] = _plan(named, raw.keys() & VALUE_KEYS, set(raw))
    return found


def _plan(named: str | None, carriers: set[str], members: set[str]) -> Plan | None:
    if len(carriers) != 1:
        return None
    [carrier] = carriers
    shape = BY_VALUE_KEY[carrier] if named is None else BY_NAME.get(named)
    if shape is None or shape.value_key != carrier or not members <= _FORESEEN | carriers:
        return None
    has_unit = "unitCode" in members
    if has_unit and shape.kind in UNITLESS:
        return None
    return Plan(shape.kind, carrier, named is None, has_unit, "observedAt" in members)


def plain_time(text: object) -> datetime | None:
    """A time that is written as this broker writes times; None: anything else."""
    return _plain_time(text) if type(text) is str else None


@lru_cache(maxsize=4096)
def _plain_time(text: str) -> datetime | None:
    try:
        return parse_utc(text) if is_plain(text) else None
    except ValueError:
        return None
