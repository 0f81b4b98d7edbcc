"""Figures of many durations. Not a benchmark itself."""


def percentiles_ms(durations_s: list[float]) -> dict[str, float]:
    """p50, p99 and worst, in milliseconds."""
    if not durations_s:
        return {}
    ordered = sorted(durations_s)
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "worst_ms": 1.0}
    return {name: round(ordered[round(q * (len(ordered) - 1))] * 1000, 1) for name, q in at.items()}
