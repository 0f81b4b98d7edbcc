"""Settings of the example: section `[example]` of dothi.toml."""

import msgspec


class ExampleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much history the example brings, and which simulated weather."""

    # days of history before the first start (and at most after an outage); 0: none
    history_days: float = 7.0
    # the same seed gives the same rain, tide and water quality on every machine
    seed: int = 2025
