"""Whose a series is: of the source whose value came first, until it is released or deleted.

The check compares two columns of numbers; only rows of strangers and new series cost more.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from dothi.model.batch import Group, Rejection
from dothi.model.source import IMPORT_KIND
from dothi.pipeline.describe import BATCH_REFUSED, BATCH_REFUSED_DETAIL, describe
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Mask, Numbered
from dothi.storage.relational.series_registry import NOBODY, Registry
from dothi.storage.relational.state import quoted

NOT_YOURS = "series_of_another_source"


class WholeRefused(Exception):
    """A batch that wants all rows or none holds rows of a stranger; some of it may be written."""

    def __init__(self, number: int, strange: Ints, told: tuple[Rejection, ...]) -> None:
        """`strange`: indexes in batch `number` of the stranger's rows; `told`: their rejections."""
        super().__init__(f"batch {number} of the group")
        self._number = number
        self._strange = strange
        self._told = told

    def left_of(self, group: Group) -> Group:
        """The group without the rows of this batch, which are all rejected."""
        row_no = group.rows["row_no"].to_numpy()
        of_batch = group.rows["batch_no"].to_numpy() == self._number
        others = np.flatnonzero(of_batch & ~np.isin(row_no, self._strange))
        rejected = list(group.rejected)
        rejected[self._number] += self._told + describe(
            group.rows, others, row_no[others], BATCH_REFUSED, lambda _: BATCH_REFUSED_DETAIL
        )
        kept = group.rows.filter(pa.array(~of_batch))
        return replace(group, rows=kept, rejected=tuple(rejected))


class OwnerCheck:
    """Reads and writes `attribute.owner_id` within the writer's transaction."""

    def __init__(self, connection: HotConnection, registry: Registry) -> None:
        self._connection = connection
        self._registry = registry

    def refused(self, group: Numbered, trusted: Mask) -> Mask:
        """Which rows write a series of another source; series without owner are claimed.

        As if the rows came one after the other: the first row of a series decides about those
        behind it.

        Args:
            trusted: per batch of the group, whether its rows may write every series.
        """
        owner = self._registry.owner[group.series]
        foreign: Mask = owner != group.sources
        if not foreign.any():
            return foreign
        imports, gateways = self._special_sources()
        unowned = np.flatnonzero(owner == NOBODY)
        if len(unowned):
            foreign[unowned] = self._claim(group.sources, group.series, unowned, imports)
        foreign &= ~trusted[group.batch_no]
        if len(gateways) and foreign.any():
            foreign &= ~np.isin(group.sources, gateways)
        return foreign

    def claim(self, sources: Ints, series: Ints) -> None:
        """Give series without owner to the source of the first row that claims.

        Args:
            sources: of n rows, which may write every series.
            series: of the same rows.
        """
        unowned = np.flatnonzero(self._registry.owner[series] == NOBODY)
        if len(unowned):
            self._claim(sources, series, unowned, self._special_sources()[0])

    def _special_sources(self) -> tuple[Ints, Ints]:
        """Ids of the sources that claim nothing, and of those that may write every series.

        Read anew each time, in the transaction: an administrator changes them beside the writer.
        """
        rows = self._connection.query(
            f"SELECT id, kind = '{IMPORT_KIND}' AS claims_nothing, may_write_others FROM source "
            f"WHERE kind = '{IMPORT_KIND}' OR may_write_others"
        )
        ids = rows["id"].cast(pa.int64()).to_numpy()
        flags = [rows[name].cast(pa.int64()).to_numpy() for name in rows.column_names[1:]]
        return ids[flags[0] == 1], ids[flags[1] == 1]

    def _claim(self, all_sources: Ints, all_series: Ints, unowned: Ints, imports: Ints) -> Mask:
        """Give each series to the source of its first row that claims; who came after and is
        another one?
        """
        sources = all_sources[unowned]
        series, at = np.unique(all_series[unowned], return_inverse=True)
        claims = np.flatnonzero(~np.isin(sources, imports))
        never = len(unowned)
        first = np.full(len(series), never)
        first[at[claims][::-1]] = claims[::-1]
        is_claimed = first < never
        owner = np.full(len(series), NOBODY)
        owner[is_claimed] = sources[first[is_claimed]]
        ids, owners = series[is_claimed], owner[is_claimed]
        self._registry.owner[ids] = owners
        # Those without a row get theirs with their first value.
        held = ids < self._registry.first_fresh
        self._connection.run_rarely(
            "UPDATE attribute SET owner_id = ?2 WHERE id = ?1",
            pa.table({"id": ids[held], "o": owners[held]}),
        )
        late: Mask = (np.arange(never) > first[at]) & (sources != owner[at])
        return late

    def rejections(self, refused: Numbered) -> dict[int, tuple[Rejection, ...]]:
        """Batch number -> what its sender and the operator are told of the refused rows."""
        owner = self._registry.owner[refused.series]
        batch_no, row_no = refused.batch_no, refused.rows["row_no"].to_numpy()
        name_of = cache(self._name_of)
        found: dict[int, tuple[Rejection, ...]] = {}
        for number in np.unique(batch_no).tolist():
            at = np.flatnonzero(batch_no == number)
            detail = _details(owner[at], name_of)
            found[number] = describe(refused.rows, at, row_no[at], NOT_YOURS, detail)
        return found

    def _name_of(self, source: int) -> str:
        rows = self._connection.query(f"SELECT name_id FROM source WHERE id = {source}")
        name: str = rows["name_id"][0].as_py()
        return name

    def release(self, source_id: str) -> tuple[int, int]:
        """Take its series from a source in the tables: the source's number, and how many series.

        The caller tells the registry when that is durable.
        """
        owner = self._connection.number(
            f"SELECT id FROM source WHERE name_id = {quoted(source_id)}"
        )
        count = self._connection.number(f"SELECT count(*) FROM attribute WHERE owner_id = {owner}")
        self._connection.run_rarely(
            "UPDATE attribute SET owner_id = NULL WHERE owner_id = ?", pa.table({"o": [owner]})
        )
        return owner, count


def _details(owners: Ints, name_of: Callable[[int], str]) -> Callable[[int], str]:
    def detail(k: int) -> str:
        name = name_of(int(owners[k]))
        return (
            f"the series belongs to source {name!r}; if another device took its place, let go of "
            f"its series: dothi source release {name}; a gateway that reports for others needs the "
            "right may_write_others"
        )

    return detail
