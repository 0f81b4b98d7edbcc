"""A parsed condition as JSON, so that it outlives the @context that its names were read with."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.model import condition as conditions
from dothi.model.condition import Condition, Term


def to_builtins(value: Any) -> Any:
    """Dataclasses as [name, fields…], tuples as {"of": […]}, times as {"at": text}, names as
    {"term": text}, members of an enumeration as {"enum": [name, value]}."""
    if isinstance(value, Enum):
        return {"enum": [type(value).__name__, value.value]}
    if is_dataclass(value) and not isinstance(value, type):
        parts = [to_builtins(getattr(value, field.name)) for field in fields(value) if field.init]
        return [type(value).__name__, *parts]
    if isinstance(value, tuple):
        return {"of": [to_builtins(part) for part in value]}
    if isinstance(value, datetime):
        return {"at": format_date_time(value)}
    if isinstance(value, Term):
        return {"term": str(value)}
    return value


def from_builtins(value: Any) -> Any:
    """What `to_builtins` was given."""
    if isinstance(value, list):
        name, *parts = value
        made: Condition = getattr(conditions, name)(*(from_builtins(part) for part in parts))
        return made
    if isinstance(value, dict):
        if "at" in value:
            return parse_date_time(value["at"])
        if "term" in value:
            return Term(value["term"])
        if "enum" in value:
            name, member = value["enum"]
            return getattr(conditions, name)(member)
        return tuple(from_builtins(part) for part in value["of"])
    return value
