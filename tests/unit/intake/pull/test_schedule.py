"""When connectors run and what a run covers."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from dothi.intake.pull.schedule import after_failure, after_success, due_at, span_of
from dothi.intake.pull.settings import UsgsIv
from dothi.ports.pulls import PullRun

NOW = datetime(2026, 11, 22, 3, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
ITS = UsgsIv(every_s=3600, first_span_s=7200, overlap_s=600, longest_span_s=86_400, jitter=0.1)


def test_a_new_connector_runs_at_once() -> None:
    assert due_at(None, NOW) == NOW
    span = span_of(None, NOW, ITS)
    assert (span.start_at, span.end_at) == (NOW - 2 * HOUR, NOW)


def test_missed_runs_are_made_up_by_one_run_over_the_whole_span() -> None:
    run = PullRun("x", NOW - 5 * HOUR, NOW - 6 * HOUR, NOW - 6 * HOUR)
    assert due_at(run, NOW) == NOW
    span = span_of(run, NOW, ITS)
    assert span.start_at == NOW - 6 * HOUR - timedelta(seconds=600)
    after = after_success("x", span, NOW, ITS, 0.0)
    assert after.next_run_at == datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    assert after.covered_to_at == NOW


def test_a_very_long_downtime_is_cut() -> None:
    run = PullRun("x", NOW, NOW, NOW - timedelta(days=400))
    assert span_of(run, NOW, ITS).start_at == NOW - timedelta(days=1)


def test_a_clock_that_was_set_back_still_gives_a_span() -> None:
    span = span_of(PullRun("x", NOW, NOW, NOW + 9 * HOUR), NOW, ITS)
    assert span.start_at < span.end_at


def test_failures_are_tried_again_soon_and_then_ever_later() -> None:
    run = None
    pauses = []
    for _ in range(9):
        run = after_failure("x", run, "no answer", NOW, ITS, 0.0)
        pauses.append((run.next_run_at - NOW).total_seconds())
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert run is not None
    assert (run.failures, run.last_error, run.covered_to_at) == (9, "no answer", None)


def test_a_failure_forgets_nothing_of_what_is_covered() -> None:
    before = PullRun("x", NOW, NOW, NOW - HOUR)
    assert after_failure("x", before, "e", NOW, ITS, 0.0).covered_to_at == NOW - HOUR


TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them bare


@given(st.floats(0, 1), st.floats(60, 86_400), st.floats(0, 1), TIMES)
@example(0.0, 60.00000000000001, 0.0, NOW)
def test_the_next_run_is_ahead_and_within_a_period_and_its_jitter(
    chance: float, every_s: float, jitter: float, now_at: datetime
) -> None:
    its = UsgsIv(every_s=every_s, jitter=jitter)
    after = after_success("x", span_of(None, now_at, its), now_at, its, chance)
    ahead_s = (after.next_run_at - now_at).total_seconds()
    assert 0 < ahead_s <= every_s * (1 + jitter) + 2e-6


@given(st.integers(60, 86_400), TIMES)
def test_without_jitter_runs_lie_on_a_fixed_grid(every_s: int, now_at: datetime) -> None:
    its = UsgsIv(every_s=every_s, jitter=0)
    first = after_success("x", span_of(None, now_at, its), now_at, its, 0.5).next_run_at
    second = after_success("x", span_of(None, first, its), first, its, 0.5).next_run_at
    assert second - first == timedelta(seconds=every_s)
