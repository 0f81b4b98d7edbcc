"""Questions about alarms, as they stand in an address."""

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from dothi.alarms.actions import MOST_AT_ONCE
from dothi.api.query import wrong_parameter
from dothi.model.alarm import OPEN, AlarmState
from dothi.ports.alarms import SORTS, AlarmQuery

MOST_EXPORTED = 100_000
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_KEYS: dict[str, Any] = {
    "priority": tuple[_Int64, _Int64, _Int64, _Int64],
    "raised_at": tuple[_Int64, _Int64],
    "place": tuple[str, _Int64],
    "text": tuple[str, _Int64],
    "state": tuple[_Int64, _Int64],
    "owner": tuple[str, _Int64],
}
"""Sort -> shape of `AlarmReader.key`."""
_SUPPRESSED = {"no": False, "yes": True, "all": None}


class AlarmsQuery(Struct, forbid_unknown_fields=True):
    """Which alarms; without `state` the open ones."""

    state: list[str] = []
    """A state, `open` or `all`; may be repeated."""
    priority: list[Annotated[int, Meta(ge=1, le=4)]] = []
    domain: list[str] = []
    type: list[str] = []
    area: str = ""
    """Id of an area that holds the entity."""
    text: str = ""
    owner: str = ""
    entity: str = ""
    rule: str = ""
    condition: str = ""
    since: datetime | None = None
    until_at: datetime | None = None
    suppressed: Literal["no", "yes", "all"] = "no"
    sort: str = "priority"
    """priority, raised_at, place, text, state or owner; with - in front descending."""
    after: str = ""
    """`next` of the page before."""
    limit: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = 100


def alarm_query(asked: AlarmsQuery) -> AlarmQuery:
    """Raises Problem: a state or column that there is not, times without a zone."""
    sort = asked.sort.removeprefix("-")
    if sort not in SORTS:
        raise wrong_parameter("sort", f"{sort!r} is no column", f"one of {', '.join(SORTS)}")
    for name, moment in (("since", asked.since), ("until_at", asked.until_at)):
        if moment is not None and moment.tzinfo is None:
            raise wrong_parameter(name, "a time needs a zone", "write it as 2026-11-22T08:00:00Z")
    return AlarmQuery(
        states=_states(asked.state),
        priorities=tuple(asked.priority),
        domains=tuple(asked.domain),
        types=tuple(asked.type),
        area=asked.area,
        text=asked.text,
        owner=asked.owner,
        entity=asked.entity,
        rule=asked.rule,
        condition=asked.condition,
        since=asked.since,
        until_at=asked.until_at,
        is_suppressed=_SUPPRESSED[asked.suppressed],
        sort=sort,
        is_descending=asked.sort.startswith("-"),
        after=_place_of(asked.after, sort),
        limit=asked.limit,
    )


def place_text(key: tuple[str | int, ...]) -> str:
    """What to say for the page after the alarm with this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _place_of(text: str, sort: str) -> tuple[str | int, ...] | None:
    if not text:
        return None
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found: tuple[str | int, ...] = msgspec.json.decode(whole, type=_KEYS[sort])
    except (ValueError, msgspec.DecodeError) as error:
        raise wrong_parameter("after", "is not a place in the list", "take `next`") from error
    return found


def _states(named: list[str]) -> tuple[AlarmState, ...]:
    if "all" in named:
        return ()
    found: list[AlarmState] = []
    for name in named or ["open"]:
        if name == "open":
            found += OPEN
        elif name in list(AlarmState):
            found.append(AlarmState(name))
        else:
            known = ", ".join(("open", "all", *AlarmState))
            raise wrong_parameter("state", f"{name!r} is no state", f"one of {known}")
    return tuple(dict.fromkeys(found))
