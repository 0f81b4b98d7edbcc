"""Decides whom a notice goes to and on which ways, and when it goes on to the next position."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from dothi.model.delivery import Delivery, DeliveryState, delivery_key
from dothi.model.notice import Notice
from dothi.model.person import Person
from dothi.model.preference import Preference
from dothi.model.priority import Priority
from dothi.notify.dispatch.circle import WEB_PUSH, Circle, Way
from dothi.notify.dispatch.quiet import quiet_until
from dothi.notify.dispatch.storm import STORM, SUMMED
from dothi.ports.notices import NoticeState, Planned, StoredNotice

_LANGUAGES = ("vi", "en")
TEST = "test"
"""Kind of a notice that somebody sends to try her or his channels: all of them."""


class Plan(Struct, frozen=True):
    """The rules of the province for telling people."""

    ways: Mapping[str, Way]
    """Channels that are set up, in the order in which they are tried."""
    chain: Sequence[str]
    """Positions: who does not answer is followed by the next."""
    fallback_s: float
    """The next channel is tried when none before it has accepted by then."""
    again_s: float
    """Nobody could be told: looked at again after this time, and then ever more rarely."""
    zone: ZoneInfo
    keep_s: float = 86_400.0
    """After this time nobody is told of a notice any more."""


class _Reached(Struct):
    """What a round of telling came to."""

    deliveries: list[Delivery] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Names, for the record."""
    is_wanted: bool = False
    """Somebody was there, but has chosen not to be told of such things."""


def planned(plan: Plan, circle: Circle, stored: StoredNotice, now: datetime) -> Planned:
    """The next step of a new notice, or of one whose time has come."""
    notice = stored.notice
    is_first = stored.state in (NoticeState.NEW, NoticeState.NOBODY)
    told = () if is_first else stored.told
    if is_first:
        reached = _tell(plan, circle, stored, _first(circle, notice), now)
        told = notice.positions
    else:
        reached = _Reached()
    positions = told
    for position in () if _is_for_whom_it_concerns(notice) else _following(plan.chain, told):
        if reached.deliveries or reached.is_wanted:
            break
        positions = (*positions, position)
        reached = _tell(plan, circle, stored, circle.at(position), now)
    if reached.deliveries:
        within_s = notice.answer_within_s
        next_at = None if within_s is None else now + timedelta(seconds=within_s)
        note = f"{', '.join(positions)}: {', '.join(reached.told)}".removeprefix(": ")
        return Planned(
            *(stored.number, NoticeState.TOLD, positions, next_at, reached.deliveries, note)
        )
    if not is_first:
        note = "nobody answered, and nobody is left to tell"
        return Planned(stored.number, NoticeState.UNANSWERED, positions, None, (), note)
    return _nobody(plan, stored, now, is_wanted=reached.is_wanted)


def _first(circle: Circle, notice: Notice) -> list[Person]:
    """Whom it is meant for; by the preferences when it is meant for nobody in particular."""
    if not notice.positions and not notice.people:
        interested = circle.interested()
        return [one for one in interested if _is_wanted(circle.preference(one), notice)]
    found = circle.named(notice.people)
    for position in notice.positions:
        found += circle.at(position)
    return list({one.id: one for one in found}.values())


def _is_wanted(preference: Preference, notice: Notice) -> bool:
    """Who wants to be told of alarms wants the summary that stands for them."""
    kinds = (STORM, *SUMMED) if notice.kind == STORM else (notice.kind,)
    return any(preference.wants(kind, notice.priority) for kind in kinds)


def _is_for_whom_it_concerns(notice: Notice) -> bool:
    """Nobody has to know: those who chose to are told, and that may be none."""
    is_meant = notice.positions or notice.people or notice.answer_within_s is not None
    return not is_meant and notice.priority is not Priority.HIGHEST


def _following(chain: Sequence[str], told: Sequence[str]) -> Sequence[str]:
    """Positions after the highest that was told."""
    highest = max((chain.index(one) for one in told if one in chain), default=-1)
    return chain[highest + 1 :]


def _is_for_all_channels(notice: Notice) -> bool:
    """At once, whatever the hour and the preferences."""
    return notice.priority is Priority.HIGHEST or notice.kind == TEST


def _nobody(plan: Plan, stored: StoredNotice, now: datetime, *, is_wanted: bool) -> Planned:
    if is_wanted or _is_for_whom_it_concerns(stored.notice):
        return Planned(
            *(stored.number, NoticeState.TOLD, (), None, ()),
            note="nobody wants to be told of such things",
        )
    if not plan.ways:
        return Planned(
            *(stored.number, NoticeState.NOBODY, (), None, ()),
            note="no channel is set up: see [notices] in dothi.toml",
        )
    age_s = (now - stored.created_at).total_seconds()
    if age_s > plan.keep_s:
        note = "given up: nobody was on duty who can be reached"
        return Planned(stored.number, NoticeState.NOBODY, (), None, (), note)
    next_at = now + timedelta(seconds=max(plan.again_s, age_s / 4))
    note = "nobody is on duty who can be reached" if stored.state is NoticeState.NEW else ""
    return Planned(stored.number, NoticeState.NOBODY, (), next_at, (), note)


def _tell(
    plan: Plan, circle: Circle, stored: StoredNotice, people: Sequence[Person], now: datetime
) -> _Reached:
    notice, reached = stored.notice, _Reached()
    # Duty is no matter of taste: what wants an answer, or is most urgent, is told.
    is_due = _is_for_all_channels(notice) or notice.answer_within_s is not None
    for person in people:
        if not is_due and not _is_wanted(circle.preference(person), notice):
            reached.is_wanted = True
            continue
        made = _deliveries(plan, circle, stored, person, now)
        reached.deliveries += made
        if made:
            reached.told.append(person.name)
    return reached


def _deliveries(
    plan: Plan, circle: Circle, stored: StoredNotice, person: Person, now: datetime
) -> list[Delivery]:
    notice, preference = stored.notice, circle.preference(person)
    is_for_all = _is_for_all_channels(notice)
    begins_at = (None if is_for_all else quiet_until(preference.quiet, now, plan.zone)) or now
    language = preference.language or person.language
    found = []
    for rank, (way, addresses) in enumerate(circle.addresses(person, plan.ways)):
        rank = 0 if is_for_all else rank
        for address in addresses:
            own = address if way.contact == WEB_PUSH else ""
            lane = way.lane_of(address)
            found.append(
                Delivery(
                    delivery_key(notice.id, person.id, way.channel, own),
                    stored.number,
                    person.id,
                    way.channel,
                    address,
                    f"{way.channel} {lane}" if lane else way.channel,
                    rank,
                    notice.priority,
                    language if language in _LANGUAGES else _LANGUAGES[0],
                    DeliveryState.RESERVE if rank else DeliveryState.WAITING,
                    now,
                    begins_at + timedelta(seconds=rank * plan.fallback_s),
                )
            )
    return found
