"""ports.notices: what was put is told to the right ones, once, and nothing of it is forgotten."""

from datetime import UTC, datetime, time, timedelta

import pytest

from dothi.model.delivery import Delivery, DeliveryState, delivery_key
from dothi.model.notice import Notice
from dothi.model.preference import Preference, QuietHours
from dothi.model.priority import Priority
from dothi.ports.clock_watch import ClockMark
from dothi.ports.notices import (
    Attempt,
    NoticeQuestion,
    NoticeState,
    Planned,
    PushSubscription,
)
from dothi.storage.relational.notice_deliveries import RelationalDeliveryQueue
from dothi.storage.relational.notice_preferences import RelationalPreferences
from dothi.storage.relational.notices import RelationalNotices, answer_subject, put
from dothi.storage.relational.writing import writing
from tests.contract.conftest import Opener

NOW = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)
S = timedelta(seconds=1)


def notice(name: str = "alarm:1", priority: int = 2) -> Notice:
    return Notice(
        f"{name}/raised",
        "alarm.raised",
        NOW,
        Priority(priority),
        name,
        {"text": "Mực nước 3,2 m"},
        ("operator",),
        answer_within_s=300.0,
    )


def delivery(
    number: int, person: str = "lan", channel: str = "email", rank: int = 0, **changes: object
) -> Delivery:
    fields: dict[str, object] = {
        "key": delivery_key(f"n{number}", person, channel),
        "notice": number,
        "person": person,
        "channel": channel,
        "address": f"{person}@example.org",
        "lane": channel,
        "rank": rank,
        "priority": Priority.HIGH,
        "language": "vi",
        "state": DeliveryState.WAITING if rank == 0 else DeliveryState.RESERVE,
        "created_at": NOW,
        "due_at": NOW if rank == 0 else NOW + 60 * S,
    }
    return Delivery(**(fields | changes))  # type: ignore[arg-type]


class Store:
    def __init__(self, reopen: Opener) -> None:
        self.engine = reopen().engine
        self.notices = RelationalNotices(self.engine)
        self.queue = RelationalDeliveryQueue(self.engine)
        self.preferences = RelationalPreferences(self.engine)

    def told(self, *deliveries: Delivery, next_at: datetime | None = None) -> int:
        """A notice with these deliveries (whose number of the notice is set)."""
        self.notices.put([notice()])
        [found] = self.notices.due(NOW, 9)
        self.notices.plan(
            [Planned(found.number, NoticeState.TOLD, ("operator",), next_at, deliveries)], NOW
        )
        return found.number

    def states(self, number: int) -> dict[str, DeliveryState]:
        return {r.delivery.channel: r.delivery.state for r in self.notices.deliveries([number])}


@pytest.fixture
def store(reopen: Opener) -> Store:
    return Store(reopen)


def test_a_notice_is_stored_once_with_what_it_tells_about(reopen: Opener) -> None:
    store = Store(reopen)
    with writing(store.engine) as connection:
        put(connection, [notice(), notice(), notice("alarm:2", 1)])
        put(connection, [])
    store = Store(reopen)
    store.notices.put([notice()])
    due = store.notices.due(NOW, 9)
    assert [one.notice for one in due] == [notice("alarm:2", 1), notice()]
    assert {one.state for one in due} == {NoticeState.NEW}
    assert store.notices.counts() == {"new": 2}


def test_nothing_is_stored_when_the_transaction_of_the_caller_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), writing(store.engine) as connection:
        put(connection, [notice()])
        raise ZeroDivisionError
    assert store.notices.due(NOW, 9) == []


def test_what_was_planned_waits_in_its_lane_and_comes_once(store: Store) -> None:
    number = store.told(delivery(1), delivery(1), next_at=NOW + 300 * S)
    assert store.notices.due(NOW + 299 * S, 9) == []
    assert [one.number for one in store.notices.due(NOW + 300 * S, 9)] == [number]
    assert store.queue.lanes(NOW - S) == []
    assert store.queue.lanes(NOW) == ["email"]
    [waiting] = store.queue.due("email", NOW, 9)
    assert (waiting.person, waiting.number > 0) == ("lan", True)
    assert store.queue.waiting() == {"email": (1, NOW)}
    assert store.queue.next_at() == NOW


def test_the_most_urgent_comes_first(store: Store) -> None:
    store.told(
        delivery(1, "lan"),
        delivery(1, "minh", priority=Priority.HIGHEST),
        delivery(1, "hoa", due_at=NOW + S),
    )
    assert [one.person for one in store.queue.due("email", NOW, 9)] == ["minh", "lan"]


def test_a_failed_attempt_waits_for_the_next(store: Store) -> None:
    number = store.told(delivery(1))
    [one] = store.queue.due("email", NOW, 1)
    again = Attempt(one.number, DeliveryState.WAITING, NOW, "no answer", NOW + 5 * S, "T", "x")
    store.queue.settle([again])
    assert store.queue.due("email", NOW + 4 * S, 1) == []
    [one] = store.queue.due("email", NOW + 5 * S, 1)
    assert one.attempts == 1
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW + 5 * S, "250 OK")])
    [record] = store.notices.deliveries([number])
    assert (record.delivery.state, record.detail) == (DeliveryState.ACCEPTED, "250 OK")
    assert [r.state for r in store.notices.receipts(number)] == ["waiting", "accepted"]


def test_what_is_accepted_spares_the_reserves(store: Store) -> None:
    number = store.told(
        delivery(1), delivery(1, channel="sms", rank=1), delivery(1, "minh", channel="zalo")
    )
    [one] = store.queue.due("email", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW)])
    assert store.states(number) == {
        "email": DeliveryState.ACCEPTED,
        "sms": DeliveryState.SPARED,
        "zalo": DeliveryState.WAITING,
    }


def test_what_fails_calls_the_next_channel_and_only_that(store: Store) -> None:
    number = store.told(
        delivery(1), delivery(1, channel="sms", rank=1), delivery(1, channel="zalo", rank=2)
    )
    [one] = store.queue.due("email", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.FAILED, NOW, "no such person")])
    assert store.states(number) == {
        "email": DeliveryState.FAILED,
        "sms": DeliveryState.WAITING,
        "zalo": DeliveryState.RESERVE,
    }
    assert store.queue.lanes(NOW) == ["sms"]


def test_a_reserve_comes_into_service_when_its_time_has_come(store: Store) -> None:
    number = store.told(delivery(1), delivery(1, channel="sms", rank=1))
    assert store.queue.release(NOW + 59 * S) == 0
    assert store.queue.release(NOW + 60 * S) == 1
    assert store.states(number)["sms"] is DeliveryState.WAITING


def test_the_first_answer_counts_and_spares_the_rest(store: Store) -> None:
    number = store.told(delivery(1), next_at=NOW + 300 * S)
    answered = store.notices.answer(number, "lan", "đang xử lý", NOW + S)
    assert answered is not None
    assert (answered.state, answered.answered_by) == (NoticeState.ANSWERED, "lan")
    again = store.notices.answer(number, "minh", "", NOW + 2 * S)
    assert again == answered
    assert store.notices.answer(number + 1, "minh", "", NOW) is None
    assert store.states(number) == {"email": DeliveryState.SPARED}
    assert store.notices.due(NOW + 999 * S, 9) == []
    assert [r.detail for r in store.notices.receipts(number)] == ["lan: đang xử lý"]


def test_what_was_answered_meanwhile_is_not_planned(store: Store) -> None:
    number = store.told()
    store.notices.answer(number, "lan", "", NOW)
    plan = Planned(number, NoticeState.TOLD, ("operator", "leader"), None, [delivery(1)])
    store.notices.plan([plan], NOW)
    assert store.notices.deliveries([number]) == []


def test_an_attempt_that_was_under_way_when_somebody_answered_is_the_last(store: Store) -> None:
    number = store.told(delivery(1))
    [one] = store.queue.due("email", NOW, 1)
    store.notices.answer(number, "lan", "", NOW)
    store.queue.settle([Attempt(one.number, DeliveryState.WAITING, NOW, "busy", NOW + S)])
    assert store.states(number) == {"email": DeliveryState.SPARED}


def test_acknowledging_the_alarm_answers_its_notices(store: Store) -> None:
    number = store.told(delivery(1), next_at=NOW + 300 * S)
    with writing(store.engine) as connection:
        assert answer_subject(connection, "alarm:1", "lan", "", 1) == [number]
        assert answer_subject(connection, "alarm:1", "minh", "", 2) == []
    found = store.notices.get(number)
    assert found is not None
    assert (found.state, found.answered_by) == (NoticeState.ANSWERED, "lan")


def test_the_report_of_a_provider_changes_what_was_accepted(store: Store) -> None:
    number = store.told(delivery(1, channel="sms"))
    [one] = store.queue.due("sms", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW, references=["a", "b"])])
    later = NOW + 9 * S
    assert not store.queue.report("sms", "c", DeliveryState.DELIVERED, "", later)
    assert not store.queue.report("zalo", "a", DeliveryState.DELIVERED, "", later)
    assert store.queue.report("sms", "a", DeliveryState.DELIVERED, "DELIVRD", later)
    assert store.states(number) == {"sms": DeliveryState.ACCEPTED}
    assert store.queue.report("sms", "b", DeliveryState.DELIVERED, "DELIVRD", later)
    assert store.states(number) == {"sms": DeliveryState.DELIVERED}


def test_a_report_of_failure_calls_the_next_channel(store: Store) -> None:
    number = store.told(delivery(1, channel="sms"), delivery(1, rank=1))
    [one] = store.queue.due("sms", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW, references=["a"])])
    assert store.states(number)["email"] is DeliveryState.SPARED
    assert store.queue.report("sms", "a", DeliveryState.FAILED, "UNDELIV", NOW + S)
    assert store.states(number) == {"sms": DeliveryState.FAILED, "email": DeliveryState.WAITING}


def test_a_report_of_failure_after_the_answer_calls_nobody(store: Store) -> None:
    number = store.told(delivery(1, channel="sms"), delivery(1, rank=1))
    [one] = store.queue.due("sms", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW, references=["a"])])
    store.notices.answer(number, "lan", "", NOW)
    assert store.queue.report("sms", "a", DeliveryState.FAILED, "UNDELIV", NOW + S)
    assert store.states(number) == {"sms": DeliveryState.FAILED, "email": DeliveryState.SPARED}


def test_when_the_clock_is_set_all_that_is_awaited_moves_along(store: Store) -> None:
    number = store.told(delivery(1), delivery(1, channel="sms", rank=1), next_at=NOW + 300 * S)
    store.notices.put([notice("alarm:2")])
    assert store.queue.mark() is None
    mark = ClockMark(NOW, 7.5, "boot")
    store.queue.keep(mark, timedelta(hours=1))
    assert store.queue.mark() == mark
    assert [one.notice.subject for one in store.notices.due(NOW, 9)] == ["alarm:2"]
    assert store.queue.due("email", NOW + 3599 * S, 9) == []
    assert len(store.queue.due("email", NOW + 3600 * S, 9)) == 1
    assert store.queue.release(NOW + 3659 * S) == 0
    assert number in [one.number for one in store.notices.due(NOW + 3900 * S, 9)]


def test_pages_are_narrowed(store: Store) -> None:
    number = store.told(delivery(1))
    store.notices.put([notice("alarm:2"), notice("incident:3")])
    numbers = [one.number for one in store.notices.page(NoticeQuestion(limit=2))]
    assert numbers == [number + 2, number + 1]
    assert [one.number for one in store.notices.page(NoticeQuestion(before=number + 1))] == [number]
    for question in (
        NoticeQuestion(person="lan"),
        NoticeQuestion(state="told"),
        NoticeQuestion(subject="alarm:1"),
    ):
        assert [one.number for one in store.notices.page(question)] == [number]
    assert store.notices.page(NoticeQuestion(kind="step.*")) == []
    assert len(store.notices.page(NoticeQuestion(kind="alarm.*"))) == 3


def test_old_notices_are_forgotten_with_all_that_belongs_to_them(store: Store) -> None:
    number = store.told(delivery(1, channel="sms"))
    [one] = store.queue.due("sms", NOW, 1)
    store.queue.settle([Attempt(one.number, DeliveryState.ACCEPTED, NOW, references=["a"])])
    assert store.queue.drop_before(NOW - timedelta(days=9000)) == 0
    assert store.queue.drop_before(datetime.now(UTC) + timedelta(days=1)) == 1
    assert store.notices.get(number) is None
    assert not store.queue.report("sms", "a", DeliveryState.DELIVERED, "", NOW)


def test_preferences_and_browsers_come_back(reopen: Opener) -> None:
    store = Store(reopen)
    chosen = Preference(
        "lan",
        Priority.MEDIUM,
        ("alarm.*",),
        (QuietHours(time(22), time(6, 30), (1, 7)),),
        "en",
        ("sms", "email"),
        True,
    )
    store.preferences.put(Preference("lan"))
    store.preferences.put(chosen)
    browser = PushSubscription("lan", "https://push.example/1", "key", "secret", "Firefox")
    store.preferences.add_push(PushSubscription("minh", "https://push.example/1", "k", "s"))
    store.preferences.add_push(browser)
    store = Store(reopen)
    assert store.preferences.of("lan") == chosen
    assert store.preferences.all() == [chosen]
    assert store.preferences.of("minh") is None
    assert store.preferences.pushes() == [browser]
    assert not store.preferences.drop_push(browser.endpoint, "minh")
    assert store.preferences.drop_push(browser.endpoint)
    assert store.preferences.pushes() == []
