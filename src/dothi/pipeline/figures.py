"""What the intake counts about itself."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct, field

from dothi.model.measure import Histogram, Measure, counter, gauge

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class IntakeFigures(Struct):
    """For /metrics; read without a lock, written by the intake only."""

    commits: int = 0
    batches: int = 0
    rows: int = 0
    queued_rows: int = 0
    refused: int = 0
    failures: int = 0
    commit_s: deque[float] = field(default_factory=lambda: deque(maxlen=1024))
    """Durations of the latest commits."""
    commit_seconds: Histogram = field(default_factory=lambda: Histogram(_SECONDS))
    """Durations of all commits."""

    def note_commit(self, batches: int, took_s: float) -> None:
        """A group was committed."""
        self.commits += 1
        self.batches += batches
        self.commit_s.append(took_s)
        self.commit_seconds.observe(took_s)

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return [
            Measure(
                "dothi_commit_seconds",
                "histogram",
                "Time of a durable commit.",
                [({}, self.commit_seconds)],
            ),
            counter("dothi_batches_total", "Batches committed.", self.batches),
            counter("dothi_stored_total", "Observations stored since the start.", self.rows),
            gauge("dothi_queue_rows", "Rows that wait for a commit.", self.queued_rows),
            counter("dothi_queue_refused_total", "Batches told to retry.", self.refused),
            counter("dothi_commit_failures_total", "Commits that failed.", self.failures),
        ]
