"""Figures about the program itself, read when somebody asks (rendered at `/metrics`)."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from msgspec import Struct


class Histogram:
    """Counts values in buckets. One writer; readers may be a value behind."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds`: rising upper limits (inclusive); what is larger falls in the last bucket."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        """Sum of all values."""

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Measure(Struct, frozen=True):
    """One figure, with a sample per set of labels."""

    name: str
    """Prometheus name with its unit, e.g. `dothi_commit_seconds`, `dothi_stored_total`."""
    kind: str
    """counter, gauge or histogram."""
    help: str
    samples: Sequence[tuple[Mapping[str, str], "float | Histogram"]]
    """Labels and the value; a Histogram when `kind` is histogram."""


def gauge(name: str, help_text: str, value: float) -> Measure:
    """A figure without labels that goes up and down."""
    return Measure(name, "gauge", help_text, (({}, value),))


def counter(name: str, help_text: str, value: float) -> Measure:
    """A figure without labels that only rises."""
    return Measure(name, "counter", help_text, (({}, value),))
