"""One run of a scenario: what the service plays and the console shows."""

from datetime import UTC, datetime

from msgspec import Struct, field

from dothi.app.drill.fence import Fence
from dothi.app.drill.recording import Recording
from dothi.app.drill.scenario import Scenario
from dothi.app.drill.timing import Timing


class CallView(Struct, frozen=True):
    """Something that the instructor has said."""

    at: datetime
    text_vi: str
    text_en: str


class DrillView(Struct, frozen=True):
    """The drill that runs, as the console shows it."""

    id: str
    title_vi: str
    title_en: str
    about_vi: str
    about_en: str
    origin: str
    """Of its values: simulated or replayed."""
    origin_note_vi: str
    origin_note_en: str
    speed: float
    duration_s: float
    elapsed_s: float
    """Of the scenario; 0 before it begins, never more than its duration."""
    calls: list[CallView]
    """Those up to now, the newest first."""
    is_over: bool
    refused: int
    """How often something tried to leave."""


class Play(Struct):
    """A scenario with its speed and its fence; begins once."""

    scenario: Scenario
    speed: float
    stops_at_end: bool = False
    fence: Fence = field(default_factory=Fence)
    recording: Recording | None = None
    """A recorded day that is played beside the stations."""
    timing: Timing | None = None
    """None: it has not begun."""

    def begin(self, at: datetime) -> Timing:
        """The scenario's zero is now."""
        self.timing = Timing(at, self.speed)
        return self.timing

    def view(self) -> DrillView:
        """What is known now."""
        scenario, now = self.scenario, datetime.now(UTC)
        elapsed_s = self.timing.elapsed_s(now) if self.timing else 0.0
        said = [
            CallView(self.timing.at(call.after_s), call.text_vi, call.text_en)
            for call in scenario.calls
            if self.timing and call.after_s <= elapsed_s
        ]
        return DrillView(
            scenario.id,
            scenario.title_vi,
            scenario.title_en,
            scenario.about_vi,
            scenario.about_en,
            scenario.origin,
            scenario.origin_note_vi,
            scenario.origin_note_en,
            self.speed,
            scenario.duration_s,
            min(elapsed_s, scenario.duration_s),
            sorted(said, key=lambda call: call.at, reverse=True),
            elapsed_s >= scenario.duration_s,
            len(self.fence.refused),
        )
