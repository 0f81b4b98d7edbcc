"""What the API is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from dothi.api.alarm_deps import AlarmDeps
from dothi.api.kept_files import WarningFiles
from dothi.api.layers import Layer
from dothi.api.settings import ApiSettings
from dothi.live.hub import LiveHub
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.history import History
from dothi.ports.owners import SeriesOwners
from dothi.ports.pulls import PullRuns
from dothi.ports.receipts import Receipts
from dothi.ports.registry import Sources
from dothi.ports.rules import Rules
from dothi.ports.state import State
from dothi.ports.subscriptions import Deliveries
from dothi.ports.warnings import ForeignWarnings, WarningAnswers, WarningDesk, WarningReceivers
from dothi.rules.facts import StateFacts
from dothi.rules.wording import NO_WORDS, Vocabulary

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class ApiDeps:
    """Ports and facts that the endpoints need; given by the wiring."""

    state: State
    history: History
    sources: Sources
    owners: SeriesOwners
    receipts: Receipts
    areas: Areas
    live: LiveHub
    clock: Clock
    version: str
    deliveries: Deliveries | None = None
    mode: str = "normal"
    """normal, example or drill."""
    alarms: AlarmDeps | None = None
    layers: Sequence[Layer] = ()
    pulls: PullRuns | None = None
    pull_sources: Mapping[str, str] = field(default_factory=dict)
    """Connector that runs -> the source that bears its values."""
    rules: Rules | None = None
    """None: this program has no rules."""
    rule_facts: StateFacts | None = None
    rule_vocabulary: Vocabulary = NO_WORDS
    """What texts of rules call attributes, and their units."""
    approvers: Callable[[str], int] = lambda _: 1
    """How many could approve something, where this person asks."""
    settings: ApiSettings = field(default_factory=ApiSettings)
    warnings: WarningDesk | None = None
    foreign_warnings: ForeignWarnings | None = None
    warning_answers: WarningAnswers | None = None
    warning_files: WarningFiles | None = None
    warning_receivers: WarningReceivers | None = None

    @cached_property
    def _limiter(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self.settings.worker_threads)

    async def in_thread(self, ask: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking question beside the event loop; at most `worker_threads` at once."""
        return await anyio.to_thread.run_sync(lambda: ask(*args, **kwargs), limiter=self._limiter)
