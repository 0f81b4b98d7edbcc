"""What the trainees did, against what the scenario expects. Pure: facts in, verdicts out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from dothi.app.drill.scenario import Expectation, Scenario
from dothi.app.drill.timing import Timing

Verdict = Literal["kept", "late", "missed", "no_occasion"]


class Deed(Struct, frozen=True):
    """Something that somebody did."""

    at: datetime
    by: str = ""
    """Person; empty: nobody, or a program."""


class StepFact(Struct, frozen=True):
    """A step of a procedure that was started."""

    started_at: datetime
    limit_s: float | None
    """In time of the scenario."""
    done: Deed | None


class Facts(Struct, frozen=True):
    """When things happened, by rule: the first time of each."""

    raised: Mapping[str, datetime] = field(default_factory=dict)
    acknowledged: Mapping[str, Deed] = field(default_factory=dict)
    incidents: Mapping[str, Deed] = field(default_factory=dict)
    """Rule -> when an incident was linked to an alarm of it."""
    warnings: Mapping[str, Deed] = field(default_factory=dict)
    """Rule -> when a public warning about an alarm of it, or about its incident, was released."""
    steps: Mapping[tuple[str, str], StepFact] = field(default_factory=dict)
    """(procedure, step) of its first run."""


class Scored(Struct, frozen=True):
    """The verdict on one expectation; times in seconds of the scenario."""

    expectation: Expectation
    verdict: Verdict
    occasion_at: datetime | None
    done_at: datetime | None
    took_s: float | None
    allowed_s: float | None
    by: str = ""
    """Person who did it."""

    @property
    def points(self) -> float:
        """The whole weight when it was kept, half of it when it came late."""
        share = {"kept": 1.0, "late": 0.5, "missed": 0.0, "no_occasion": 0.0}[self.verdict]
        return share * self.expectation.weight


def score(scenario: Scenario, facts: Facts, timing: Timing) -> list[Scored]:
    """One verdict per expectation, in order.

    `no_occasion`: the alarm or step that it waits for did not come; it does not count.
    """
    return [_judge(one, facts, timing) for one in scenario.expectations]


def total(scored: Sequence[Scored]) -> float | None:
    """Share of the points that could be had, 0 to 1; None: nothing could."""
    counted = [one for one in scored if one.verdict != "no_occasion"]
    most = sum(one.expectation.weight for one in counted)
    return sum(one.points for one in counted) / most if most else None


def _judge(expectation: Expectation, facts: Facts, timing: Timing) -> Scored:
    occasion_at, done, allowed_s = _times(expectation, facts)
    if occasion_at is None:
        return Scored(expectation, "no_occasion", None, None, None, allowed_s)
    if done is None:
        return Scored(expectation, "missed", occasion_at, None, None, allowed_s)
    took_s = max(timing.lasted_s(occasion_at, done.at), 0.0)
    verdict: Verdict = "kept" if allowed_s is None or took_s <= allowed_s else "late"
    return Scored(expectation, verdict, occasion_at, done.at, took_s, allowed_s, done.by)


def _times(
    expectation: Expectation, facts: Facts
) -> tuple[datetime | None, Deed | None, float | None]:
    """Occasion, deed, seconds allowed."""
    if expectation.kind == "step":
        step = facts.steps.get((expectation.procedure, expectation.step))
        if step is None:
            return None, None, expectation.within_s
        return step.started_at, step.done, expectation.within_s or step.limit_s
    done = {
        "acknowledge": facts.acknowledged,
        "incident": facts.incidents,
        "warning": facts.warnings,
    }[expectation.kind]
    rule = expectation.rule
    return facts.raised.get(rule), done.get(rule), expectation.within_s
