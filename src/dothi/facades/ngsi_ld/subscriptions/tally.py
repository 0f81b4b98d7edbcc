"""What became of notifications: per subscription, and in all."""

from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from dothi.model.measure import Histogram
from dothi.ports.notifier import Outcome
from dothi.ports.subscriptions import DeliveryState, Notification

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Tally(Struct):
    """Figures since the start."""

    delivered: int = 0
    failed: int = 0
    """Attempts."""
    given_up: int = 0
    delay_s: Histogram = field(default_factory=lambda: Histogram(_BOUNDS_S))
    """From the match to the answer of the receiver."""

    def note(
        self, state: DeliveryState, notification: Notification, outcome: Outcome, now_at: datetime
    ) -> DeliveryState:
        """The state after an attempt (clauses 5.2.14 and 5.8.6); counts notifications."""
        is_first = notification.attempts == 0
        state = replace(state, times_sent=state.times_sent + is_first, last_notification_at=now_at)
        if outcome.is_ok:
            self.delivered += 1
            self.delay_s.observe((now_at - notification.created_at).total_seconds())
            return replace(state, last_success_at=now_at, status="ok")
        self.failed += 1
        return replace(
            state,
            times_failed=state.times_failed + is_first,
            last_failure_at=now_at,
            status="failed",
            last_error=outcome.detail,
        )
