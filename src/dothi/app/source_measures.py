"""Figures per source at `/metrics`, from the receipts themselves."""

from collections.abc import Sequence

from dothi.model.measure import Measure
from dothi.ports.receipts import Receipts, SourceTotals

_COUNTED = {
    "received": "Observations received, whatever became of them.",
    "stored": "Observations stored.",
    "rejected": "Observations rejected with a reason.",
    "duplicate": "Observations that were known already.",
}


class SourceMeasures:
    """received = stored + rejected + duplicate, per source, over all time."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    def measures(self) -> Sequence[Measure]:
        totals = self._receipts.totals()
        return [
            *(_counted(name, text, totals) for name, text in _COUNTED.items()),
            Measure(
                "dothi_source_last_received_timestamp_seconds",
                "gauge",
                "When the source last sent something, seconds since 1970.",
                [
                    ({"source": t.source}, t.last_received_at.timestamp())
                    for t in totals
                    if t.last_received_at is not None
                ],
            ),
        ]


def _counted(name: str, text: str, totals: Sequence[SourceTotals]) -> Measure:
    samples = [({"source": t.source}, float(getattr(t, name))) for t in totals]
    return Measure(f"dothi_source_{name}_total", "counter", text, samples)
