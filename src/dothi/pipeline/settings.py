"""Section [pipeline] of dothi.toml."""

import msgspec


class PipelineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How batches share commits, and how much may wait."""

    queue_rows: int = 400_000
    """Rows that may wait for a commit; beyond it senders are told to retry."""
    group_rows: int = 50_000
    """Rows after which a group takes no more batches."""
    gather_s: float = 0.002
    """How long a lone small batch waits for company, in seconds."""
    gather_rows: int = 1_000
    """A batch of this size does not wait for company."""
    entity_cache_mb: int = 64
    """Memory for entities that were read lately (one of ten attributes: 3 kB, with each form in
    which it was sent as much again); 0: none."""
