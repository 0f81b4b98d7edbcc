"""What a part that counts itself looks like; app gathers the measures at `/metrics`."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from dothi.model.measure import Measure


@runtime_checkable
class Measured(Protocol):
    """Called from a worker thread at every scrape: be quick, and safe beside the one who writes."""

    def measures(self) -> Sequence[Measure]: ...
