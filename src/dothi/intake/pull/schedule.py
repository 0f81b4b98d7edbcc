"""When a connector runs and what a run covers; pure."""

from datetime import UTC, datetime, timedelta

from dothi.intake.pull.connector import Span
from dothi.intake.pull.settings import ConnectorSettings
from dothi.ports.pulls import PullRun

_SHORTEST_RETRY_S = 60.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def due_at(run: PullRun | None, now_at: datetime) -> datetime:
    """When the next run is: at once for a new connector, and once for any number of missed runs."""
    return now_at if run is None else max(run.next_run_at, now_at)


def span_of(run: PullRun | None, now_at: datetime, settings: ConnectorSettings) -> Span:
    """From where the last good run ended, less the overlap, to now."""
    earliest_at = now_at - timedelta(seconds=settings.longest_span_s)
    if run is None or run.covered_to_at is None:
        start_at = now_at - timedelta(seconds=settings.first_span_s)
    else:
        start_at = min(run.covered_to_at, now_at) - timedelta(seconds=settings.overlap_s)
    return Span(max(start_at, earliest_at), now_at)


def after_success(
    name: str, span: Span, now_at: datetime, settings: ConnectorSettings, chance: float
) -> PullRun:
    """The next slot of a fixed grid after now, put off by the jitter (`chance` in 0..1)."""
    # In whole microseconds, as times are kept: with fractions of a second the quotient may round
    # down by a whole period, and the next slot is then no later than now.
    every_us = max(1, round(settings.every_s * 1_000_000))
    slot_us = ((now_at - _EPOCH) // _MICROSECOND // every_us + 1) * every_us
    put_off_us = round(chance * settings.jitter * every_us)
    next_at = _EPOCH + timedelta(microseconds=slot_us + put_off_us)
    return PullRun(name, next_at, now_at, span.end_at)


def after_failure(
    name: str,
    run: PullRun | None,
    error: str,
    now_at: datetime,
    settings: ConnectorSettings,
    chance: float,
) -> PullRun:
    """Sooner than the next slot, later with every failure: 1, 2, 4 ... minutes."""
    failures = (run.failures if run else 0) + 1
    pause_s = min(settings.every_s, _SHORTEST_RETRY_S * 2 ** min(failures - 1, 20))
    next_at = now_at + timedelta(seconds=pause_s * (1 + chance * settings.jitter))
    covered_to_at = run.covered_to_at if run else None
    return PullRun(name, next_at, now_at, covered_to_at, failures, error)
