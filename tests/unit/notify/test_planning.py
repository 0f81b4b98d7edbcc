"""Who is told, on which ways, when, and who comes next."""

from datetime import UTC, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from dothi.model.delivery import DeliveryState
from dothi.model.notice import Notice
from dothi.model.person import Person
from dothi.model.preference import Preference, QuietHours
from dothi.model.priority import Priority
from dothi.notify.dispatch.circle import Circle, Way
from dothi.notify.dispatch.planning import Plan, planned
from dothi.notify.dispatch.quiet import quiet_until
from dothi.ports.notices import NoticeState, Planned, PushSubscription, StoredNotice
from notice_parts import NOW, ZONE, Roster, notice, person

S = timedelta(seconds=1)
WAYS = {
    "sms": Way("sms", "sms", lambda _: ""),
    "email": Way("email", "email", lambda _: ""),
    "webhook": Way("webhook", "webhook", lambda address: address),
    "web_push": Way("web_push", "web_push", lambda _: "push"),
}
PLAN = Plan(WAYS, ("operator", "duty_officer", "leader"), 120.0, 60.0, ZONE)
LAN = person("lan", email="lan@example.org", sms="+84901")
MINH = person("minh", "duty_officer", sms="+84902")
HOA = person("hoa", "leader", sms="+84903")


class Chosen:
    def __init__(self, *preferences: Preference, pushes: list[PushSubscription] | None = None):
        self._preferences = list(preferences)
        self._pushes = pushes or []

    def all(self) -> list[Preference]:
        return self._preferences

    def pushes(self) -> list[PushSubscription]:
        return self._pushes


def step(
    what: Notice,
    people: list[Person],
    *preferences: Preference,
    off: set[str] = frozenset(),  # type: ignore[assignment]
    state: NoticeState = NoticeState.NEW,
    told: tuple[str, ...] = (),
    plan: Plan = PLAN,
    age_s: float = 0.0,
    pushes: list[PushSubscription] | None = None,
    now: datetime = NOW,
) -> Planned:
    chosen = Chosen(*preferences, pushes=pushes)
    circle = Circle(Roster(people, set(off)), chosen, now)  # type: ignore[arg-type]
    stored = StoredNotice(5, what, state, told, now - age_s * S, None)
    return planned(plan, circle, stored, now)


def ways(found: Planned) -> list[tuple[str, str, int, str, datetime]]:
    return [(d.person, d.channel, d.rank, str(d.state), d.due_at) for d in found.deliveries]


def test_the_next_channel_is_a_reserve() -> None:
    found = step(notice(), [LAN, MINH])
    assert found.state is NoticeState.TOLD
    assert ways(found) == [
        ("lan", "sms", 0, "waiting", NOW),
        ("lan", "email", 1, "reserve", NOW + 120 * S),
    ]
    assert (found.told, found.next_at, found.note) == (("operator",), None, "operator: Lan")


def test_the_most_urgent_goes_out_on_all_channels_at_once() -> None:
    found = step(notice(priority=1), [LAN])
    assert [way[1:4] for way in ways(found)] == [("sms", 0, "waiting"), ("email", 0, "waiting")]


def test_the_order_of_the_person_counts() -> None:
    chosen = Preference("lan", channels=("email", "fax", "sms"))
    assert [d.channel for d in step(notice(), [LAN], chosen).deliveries] == ["email", "sms"]


def test_channels_that_were_left_out_are_used_when_no_other_is_left() -> None:
    chosen = Preference("lan", channels=("webhook",))
    assert [d.channel for d in step(notice(), [LAN], chosen).deliveries] == ["sms", "email"]


def test_every_browser_is_told_under_a_key_of_its_own() -> None:
    browsers = [PushSubscription("lan", f"https://push.example/{n}", "k", "s") for n in (1, 2)]
    found = step(notice(), [replace(LAN, contacts={})], pushes=browsers)
    assert [d.channel for d in found.deliveries] == ["web_push", "web_push"]
    assert len({d.key for d in found.deliveries}) == 2
    assert {d.rank for d in found.deliveries} == {0}


def test_keys_are_the_same_every_time_and_for_nothing_else() -> None:
    first, again = step(notice(), [LAN]), step(notice(), [LAN], now=NOW + S)
    other = step(notice("alarm:2"), [LAN])
    keys = [[d.key for d in found.deliveries] for found in (first, again, other)]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])


def test_the_endpoint_is_the_lane() -> None:
    hook = replace(LAN, contacts={"webhook": "https://x.example/a", "sms": "+84901"})
    assert {d.lane for d in step(notice(), [hook]).deliveries} == {
        "webhook https://x.example/a",
        "sms",
    }


def test_who_is_named_is_told_off_duty_too_but_not_after_leaving() -> None:
    named = notice(positions=(), people=("lan", "minh", "nobody"))
    gone = replace(MINH, is_active=False)
    found = step(named, [LAN, gone], off={"lan"})
    assert {d.person for d in found.deliveries} == {"lan"}


def test_nobody_is_told_twice() -> None:
    found = step(notice(people=("lan",)), [LAN])
    assert len(found.deliveries) == 2


def test_kinds_and_priorities_that_were_not_chosen_are_not_told() -> None:
    for chosen in (Preference("lan", Priority.HIGHEST), Preference("lan", kinds=("incident.*",))):
        found = step(notice(), [LAN, MINH], chosen)
        assert (found.state, found.deliveries, found.next_at) == (NoticeState.TOLD, (), None)
        assert "wants" in found.note
        # Duty is no matter of taste.
        assert step(notice(priority=1), [LAN], chosen).deliveries
        assert step(notice(answer_within_s=60.0), [LAN], chosen).deliveries
    assert step(notice(), [LAN], Preference("lan", kinds=("alarm.*",))).deliveries


def test_what_is_meant_for_nobody_goes_to_those_who_asked() -> None:
    general = notice(positions=())
    assert step(general, [LAN, MINH]).deliveries == ()
    on_duty = Preference("lan")
    assert {d.person for d in step(general, [LAN, MINH], on_duty).deliveries} == {"lan"}
    assert step(general, [LAN], on_duty, off={"lan"}).deliveries == ()
    always = Preference("lan", is_told_off_duty=True)
    assert step(general, [LAN], always, off={"lan"}).deliveries


def test_what_must_be_known_goes_up_where_nobody_asked() -> None:
    found = step(notice(positions=(), priority=1), [LAN])
    assert (found.told, {d.person for d in found.deliveries}) == (("operator",), {"lan"})


def test_quiet_hours_hold_back_all_but_the_most_urgent() -> None:
    night = Preference("lan", quiet=(QuietHours(time(21), time(6)),))  # it is 21:05 in Vietnam
    until = datetime(2026, 11, 27, 23, tzinfo=UTC)
    assert [way[4] for way in ways(step(notice(), [LAN], night))] == [until, until + 120 * S]
    assert {way[4] for way in ways(step(notice(priority=1), [LAN], night))} == {NOW}


@pytest.mark.parametrize(
    ("begins", "ends", "weekdays", "until"),
    [
        (time(21), time(22), (), "2026-11-27T15:00"),
        (time(22), time(6), (), None),
        (time(21, 5), time(21, 6), (), "2026-11-27T14:06"),
        (time(20), time(21, 5), (), None),
        (time(21), time(6), (5,), "2026-11-27T23:00"),  # a Friday
        (time(21), time(6), (4,), None),
        (time(21), time(21), (), "2026-11-28T14:00"),  # a whole day, again and again
    ],
)
def test_quiet_hours(
    begins: time, ends: time, weekdays: tuple[int, ...], until: str | None
) -> None:
    found = quiet_until([QuietHours(begins, ends, weekdays)], NOW, ZONE)
    if begins == ends:
        assert found is not None and found > NOW
        return
    expected = None if until is None else datetime.fromisoformat(until + ":00+00:00")
    assert found == expected


def test_quiet_hours_that_follow_each_other_are_one() -> None:
    hours = [QuietHours(time(21), time(0)), QuietHours(time(0), time(6))]
    assert quiet_until(hours, NOW, ZONE) == datetime(2026, 11, 27, 23, tzinfo=UTC)


def test_the_language_is_the_persons_choice() -> None:
    english = Preference("lan", language="en")
    assert {d.language for d in step(notice(), [LAN], english).deliveries} == {"en"}
    odd = replace(LAN, language="fr")
    assert {d.language for d in step(notice(), [odd]).deliveries} == {"vi"}


def test_who_does_not_answer_is_followed_by_the_next_position() -> None:
    wants = notice(answer_within_s=300.0)
    first = step(wants, [LAN, MINH, HOA])
    assert (first.told, first.next_at) == (("operator",), NOW + 300 * S)
    told = {"state": NoticeState.TOLD}
    second = step(wants, [LAN, MINH, HOA], told=first.told, **told)  # type: ignore[arg-type]
    assert {d.person for d in second.deliveries} == {"minh"}
    assert second.told == ("operator", "duty_officer")
    assert second.note == "operator, duty_officer: Minh"
    third = step(wants, [LAN, MINH, HOA], told=second.told, **told)  # type: ignore[arg-type]
    assert {d.person for d in third.deliveries} == {"hoa"}
    last = step(wants, [LAN, MINH, HOA], told=third.told, **told)  # type: ignore[arg-type]
    assert (last.state, last.next_at, last.deliveries) == (NoticeState.UNANSWERED, None, ())


def test_a_position_without_anybody_is_passed_over() -> None:
    found = step(notice(), [HOA])
    assert {d.person for d in found.deliveries} == {"hoa"}
    assert found.told == ("operator", "duty_officer", "leader")


def test_somebody_who_cannot_be_reached_is_passed_over_too() -> None:
    found = step(notice(), [replace(LAN, contacts={"fax": "1"}), MINH])
    assert {d.person for d in found.deliveries} == {"minh"}


def test_when_nobody_is_there_it_is_tried_again_ever_more_rarely() -> None:
    found = step(notice(), [])
    assert (found.state, found.told, found.next_at) == (NoticeState.NOBODY, (), NOW + 60 * S)
    assert found.note
    later = step(notice(), [], state=NoticeState.NOBODY, age_s=4000.0)
    assert (later.next_at, later.note) == (NOW + 1000 * S, "")
    found = step(notice(), [LAN], state=NoticeState.NOBODY, age_s=4000.0)
    assert {d.person for d in found.deliveries} == {"lan"}
    over = step(notice(), [], state=NoticeState.NOBODY, age_s=100_000.0)
    assert (over.state, over.next_at) == (NoticeState.NOBODY, None)


def test_without_any_channel_it_says_so() -> None:
    found = step(notice(), [LAN], plan=replace(PLAN, ways={}))
    assert (found.state, found.next_at) == (NoticeState.NOBODY, None)
    assert "channel" in found.note


def test_a_test_goes_out_on_every_channel_at_any_hour() -> None:
    asleep = Preference("lan", Priority.HIGHEST, quiet=(QuietHours(time(21), time(6)),))
    tried = notice(kind="test", priority=4, positions=(), people=("lan",))
    found = step(tried, [LAN], asleep)
    assert {(d.channel, d.state, d.due_at) for d in found.deliveries} == {
        ("sms", DeliveryState.WAITING, NOW),
        ("email", DeliveryState.WAITING, NOW),
    }
