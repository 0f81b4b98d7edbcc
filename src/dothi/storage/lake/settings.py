"""Settings of the lake, section `[lake]` of dothi.toml."""

from datetime import date
from typing import Annotated

import msgspec


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows older than `keep_days` are deleted from the lake, and the deletion is recorded.

    A row falls under the rule when its entity type and its attribute are both named (an empty
    list names all).
    """

    id: str
    """Stands in the record of deletions; rules with the same id replace each other by date."""
    keep_days: Annotated[int, msgspec.Meta(ge=1)]
    """Whole UTC days that stay, counted back from today; at least 1."""
    entity_types: tuple[str, ...] = ()
    """Entity types whose rows fall under the rule; empty: all."""
    attributes: tuple[str, ...] = ()
    """Attributes whose rows fall under the rule; empty: all."""
    valid_from: date = date.min
    """The rule counts from this day on."""
    reason: str = ""
    """Legal or administrative ground, copied into the record."""


class LakeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows move to the lake and how the lake is kept."""

    hot_window_s: float = 3600.0
    """Rows committed longer ago move from the log to the lake."""
    hot_rows: int = 20_000_000
    """With more rows than this in the log, the oldest move at once."""
    seal_every_s: float = 300.0
    """Pause between two looks for rows that are old enough; the size of the log is looked at every
    five seconds."""
    seal_chunk_rows: int = 500_000
    """Rows of one Delta commit; sealing takes about 600 bytes of memory for each."""
    drop_chunk_rows: int = 20_000
    """Rows deleted from the log in one transaction."""
    batch_days: Annotated[int, msgspec.Meta(ge=1)] = 7
    """Days for which a batch is known by its id: one that is sent again is not stored again."""
    upkeep_every_s: float = 300.0
    """Pause between two rounds of compaction."""
    compact_files: int = 16
    """A day that still receives rows is compacted when it has this many small files."""
    fold_after_days: Annotated[int, msgspec.Meta(ge=0)] = 2
    """The days of a third of a month (1st, 11th, 21st) are folded together when it ended so many
    days ago; 0: never."""
    file_rows: int = 20_000_000
    """Rows of one data file at most."""
    sweep_every_s: float = 86_400.0
    """Pause between two rounds of retention and removal of files that nobody needs."""
    vacuum_retention_h: int = 24
    """Replaced files stay this long for readers that still hold an older version."""
    retention: tuple[RetentionRule, ...] = ()
    """What is deleted when; nothing by default."""
    query_threads: int = 0
    """Threads of the query engine; 0: one per processor."""
    query_memory_mb: int = 1024
    """Memory that queries and compaction may take before they spill to disk."""
