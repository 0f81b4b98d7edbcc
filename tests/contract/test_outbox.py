"""ports.subscriptions: what was put is there after a restart, in order, with the cursor."""

from datetime import UTC, datetime, timedelta

from dothi.ports.subscriptions import DeliveryState, Notification, SubscriptionRecord
from dothi.storage.relational.outbox import RelationalOutbox
from dothi.storage.relational.subscriptions import RelationalSubscriptions
from tests.contract.conftest import Opener

NOW = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)


def record(name: str = "urn:s:1", context: str = "{}") -> SubscriptionRecord:
    return SubscriptionRecord(0, name, '{"a":1}', context, 7, NOW, NOW)


def notification(number: int, subscription: int = 1) -> Notification:
    return Notification(f"urn:n:{number}", subscription, f"[{number}]", NOW, NOW)


def test_subscriptions_come_back(reopen: Opener) -> None:
    subscriptions = RelationalSubscriptions(reopen().engine)
    first = subscriptions.add(record())
    assert first is not None
    assert subscriptions.add(record()) is None
    second = subscriptions.add(record("urn:s:2", '{"spec":"x"}'))
    assert second is not None
    assert second.number > first.number
    subscriptions = RelationalSubscriptions(reopen().engine)
    assert subscriptions.all() == [first, second]
    subscriptions.remove(first.number)
    assert subscriptions.all() == [second]


def test_notifications_wait_in_order_with_the_cursor(reopen: Opener) -> None:
    store = reopen()
    outbox = RelationalOutbox(store.engine)
    outbox.put([notification(n) for n in (3, 1, 2)], "consumer", 42)
    outbox.put([notification(9, 2)], "consumer", 0)
    store = reopen()
    outbox = RelationalOutbox(store.engine)
    assert store.cursors.position("consumer") == 42
    assert outbox.counts() == {1: 3, 2: 1}
    waiting = outbox.waiting(1, "", 2)
    assert waiting == [notification(3), notification(1)]
    assert outbox.waiting(1, waiting[-1].id, 2) == [notification(2)]


def test_a_known_id_is_replaced(reopen: Opener) -> None:
    outbox = RelationalOutbox(reopen().engine)
    outbox.put([notification(1)], "consumer", 1)
    newer = Notification("urn:n:1", 1, "[5]", NOW, NOW)
    outbox.put([newer], "consumer", 2)
    assert outbox.waiting(1, "", 9) == [newer]


def test_results_are_settled_together(reopen: Opener) -> None:
    store = reopen()
    outbox, subscriptions = RelationalOutbox(store.engine), RelationalSubscriptions(store.engine)
    made = subscriptions.add(record())
    assert made is not None
    outbox.put([notification(n, made.number) for n in (1, 2)], "consumer", 1)
    later = Notification("urn:n:2", made.number, "[2]", NOW, NOW + timedelta(seconds=5), 3)
    state = DeliveryState(5, 2, NOW, NOW, None, "ok", "was down")
    outbox.settle(["urn:n:1"], [later], {made.number: state})
    assert outbox.waiting(made.number, "", 9) == [later]
    assert subscriptions.all()[0].delivery == state
    subscriptions.remove(made.number)
    assert outbox.counts() == {}


def test_old_ones_are_given_up(reopen: Opener) -> None:
    outbox = RelationalOutbox(reopen().engine)
    outbox.put([notification(1), notification(2), notification(3, 2)], "consumer", 1)
    assert outbox.drop_before(NOW) == {}
    assert outbox.drop_before(NOW + timedelta(seconds=1)) == {1: 2, 2: 1}
    assert outbox.counts() == {}
