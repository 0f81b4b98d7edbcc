"""The figures of notifications for /metrics."""

from collections.abc import Sequence

from dothi.facades.ngsi_ld.subscriptions.dispatcher import Dispatcher
from dothi.model.measure import Measure, counter, gauge

_HISTOGRAM = "dothi_notification_delay_seconds"


def measures_of(dispatcher: Dispatcher, subscriptions: int, made: int) -> Sequence[Measure]:
    """`subscriptions`: how many there are; `made`: notifications since the start."""
    return [
        gauge("dothi_subscriptions", "Subscriptions.", subscriptions),
        gauge("dothi_notifications_waiting", "Notifications to deliver.", dispatcher.queued),
        gauge(
            "dothi_notification_receivers_down",
            "Receivers that failed so often that they are tried rarely.",
            dispatcher.gates.down(),
        ),
        counter("dothi_notifications_total", "Notifications made.", made),
        counter(
            "dothi_notifications_delivered_total",
            "Notifications that a receiver accepted.",
            dispatcher.tally.delivered,
        ),
        counter(
            "dothi_notification_failures_total",
            "Attempts that failed.",
            dispatcher.tally.failed,
        ),
        counter(
            "dothi_notifications_given_up_total",
            "Notifications that were refused or became too old.",
            dispatcher.tally.given_up,
        ),
        Measure(
            _HISTOGRAM,
            "histogram",
            "From a change to the answer of the receiver.",
            [({}, dispatcher.tally.delay_s)],
        ),
    ]
