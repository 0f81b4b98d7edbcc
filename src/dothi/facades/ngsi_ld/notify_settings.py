"""Settings of notifications (section `[ngsi_ld.notify]` of dothi.toml)."""

import msgspec


class NotifySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How notifications are delivered."""

    allow: tuple[str, ...] = ()
    """Addresses or networks (CIDR) that notifications may go to although they are loopback,
    link-local or private. With `[access] mode = "open"` loopback is open."""
    timeout_s: float = 10.0
    """Longest time that a receiver gets to answer; `endpoint.timeout` may be shorter."""
    retry_s: float = 1.0
    """Pause before the second attempt; it doubles with each further one."""
    max_retry_s: float = 60.0
    """Longest pause between attempts."""
    keep_s: float = 86_400.0
    """How long an undelivered notification is kept and tried."""
    connections: int = 16
    """Deliveries to one endpoint at the same time."""
    lane_length: int = 1000
    """Notifications of one subscription in memory; the others wait in the database."""
    run_rows: int = 5000
    """Rows of the log that are matched at once."""

    def pause_s(self, failures: int) -> float:
        """How long to wait after an attempt that failed, `failures` others before it."""
        return min(self.retry_s * 2.0 ** min(failures, 30), self.max_retry_s)
