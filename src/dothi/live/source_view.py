"""How each source is doing, from its receipts."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from dothi.live.view import SourceView
from dothi.model.source import Source
from dothi.ports.receipts import Receipt, Receipts, SourceTotals
from dothi.ports.registry import Sources

RECENT_MINUTES = 10
LIVE_CADENCES = 3
LATE_CADENCES = 10
QUIET_DAY_S = 86_400.0
"""Without an expected cadence a source counts as silent after a day."""


def source_views(sources: Sources, receipts: Receipts, now: datetime) -> list[SourceView]:
    """Every registered source, sorted by id. Blocking."""
    start = now - timedelta(minutes=RECENT_MINUTES)
    totals = {t.source: t for t in receipts.totals()}
    recent: dict[str, list[Receipt]] = {}
    for receipt in receipts.minutes(None, start, now + timedelta(minutes=1)):
        recent.setdefault(receipt.source, []).append(receipt)
    return [
        source_view(source, totals.get(source.id), recent.get(source.id, []), now)
        for source in sorted(sources.all(), key=lambda s: s.id)
    ]


def source_view(
    source: Source, totals: SourceTotals | None, recent: Iterable[Receipt], now: datetime
) -> SourceView:
    """One source with its figures."""
    recent = list(recent)
    stored = sum(r.stored for r in recent)
    received = sum(r.received for r in recent)
    last = totals.last_received_at if totals else None
    return SourceView(
        id=source.id,
        name=source.name,
        kind=source.kind,
        owner=source.owner,
        origin=str(source.origin),
        origin_note=source.origin_note,
        origin_note_vi=source.origin_note_vi,
        cadence_s=source.cadence_s,
        licence=source.licence,
        is_enabled=source.is_enabled,
        may_write_others=source.may_write_others,
        state=state_of(source.cadence_s, last, now),
        received=totals.received if totals else 0,
        stored=totals.stored if totals else 0,
        rejected=totals.rejected if totals else 0,
        duplicate=totals.duplicate if totals else 0,
        per_minute=round(received / RECENT_MINUTES, 2),
        delay_ms=round(sum(r.delay_ms_sum for r in recent) / stored, 1) if stored else None,
        last_received_at=_text(last),
        last_observed_at=_text(totals.last_observed_at if totals else None),
    )


def state_of(cadence_s: float | None, last_received_at: datetime | None, now: datetime) -> str:
    """live, late (3 expected messages missed), silent (10 missed) or never."""
    if last_received_at is None:
        return "never"
    age_s = (now - last_received_at).total_seconds()
    if cadence_s is None:
        return "live" if age_s <= QUIET_DAY_S else "silent"
    # Receipts are written per commit, so a fast source still gets a second of grace.
    if age_s <= max(LIVE_CADENCES * cadence_s, 1.0):
        return "live"
    return "late" if age_s <= LATE_CADENCES * cadence_s else "silent"


def changed(views: Iterable[SourceView], before: Mapping[str, SourceView]) -> list[SourceView]:
    """Those that are new or differ."""
    return [view for view in views if before.get(view.id) != view]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
