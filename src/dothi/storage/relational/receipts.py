"""ports.receipts on the relational store."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, func, select

from dothi.model.moments import at_of, us_of
from dothi.ports.receipts import Receipt, RejectRecord, SourceTotals
from dothi.storage.relational.receipt_writer import HOUR_US
from dothi.storage.relational.schema import receipt, reject, reject_count, source, source_total


class RelationalReceipts:
    """Reads what the writer noted in the same commit as the rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def minutes(
        self, source_id: str | None, start_at: datetime, end_at: datetime
    ) -> Sequence[Receipt]:
        query = (
            select(receipt, source.c.name_id)
            .join(source, source.c.id == receipt.c.source_id)
            .where(receipt.c.minute_us >= us_of(start_at), receipt.c.minute_us < us_of(end_at))
            .order_by(receipt.c.minute_us, source.c.name_id)
        )
        if source_id is not None:
            query = query.where(source.c.name_id == source_id)
        with self._engine.connect() as connection:
            return [
                Receipt(
                    row.name_id,
                    at_of(row.minute_us),
                    row.received,
                    row.stored,
                    row.rejected,
                    row.duplicate,
                    row.delay_ms_sum,
                )
                for row in connection.execute(query)
            ]

    def totals(self) -> Sequence[SourceTotals]:
        query = (
            select(source_total, source.c.name_id)
            .join(source, source.c.id == source_total.c.source_id)
            .order_by(source.c.name_id)
        )
        with self._engine.connect() as connection:
            return [
                SourceTotals(
                    row.name_id,
                    row.received,
                    row.stored,
                    row.rejected,
                    row.duplicate,
                    None if row.last_received_us is None else at_of(row.last_received_us),
                    None if row.last_observed_us is None else at_of(row.last_observed_us),
                )
                for row in connection.execute(query)
            ]

    def rejects(
        self, source_id: str | None, limit: int = 100, before_id: int | None = None
    ) -> Sequence[RejectRecord]:
        query = (
            select(reject, source.c.name_id)
            .join(source, source.c.id == reject.c.source_id)
            .order_by(reject.c.id.desc())
            .limit(limit)
        )
        if source_id is not None:
            query = query.where(source.c.name_id == source_id)
        if before_id is not None:
            query = query.where(reject.c.id < before_id)
        with self._engine.connect() as connection:
            return [
                RejectRecord(
                    row.name_id,
                    at_of(row.received_us),
                    row.reason,
                    row.detail,
                    row.sample,
                    row._mapping["count"],
                )
                for row in connection.execute(query)
            ]

    def reject_reasons(self, source_id: str | None, since: datetime) -> dict[str, int]:
        first_hour = us_of(since) - us_of(since) % HOUR_US
        query = (
            select(reject_count.c.reason, func.sum(reject_count.c.count).label("total"))
            .join(source, source.c.id == reject_count.c.source_id)
            .where(reject_count.c.hour_us >= first_hour)
            .group_by(reject_count.c.reason)
        )
        if source_id is not None:
            query = query.where(source.c.name_id == source_id)
        with self._engine.connect() as connection:
            return {row.reason: int(row.total) for row in connection.execute(query)}
