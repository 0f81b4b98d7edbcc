"""Quality of an observation, with numbers compatible with QARTOD flags (1, 3, 4, 9)."""

from enum import IntEnum


class Quality(IntEnum):
    """One flag per observation.

    1, 3, 4 and 9 are the QARTOD primary flags good, suspect, fail and missing (Manual for
    Real-Time Oceanographic Data Quality Control Flags, v1.2). 5 and 6 are ours; both count as
    usable but not measured.
    """

    GOOD = 1
    UNCERTAIN = 3
    BAD = 4
    ESTIMATED = 5
    HAND_ENTERED = 6
    MISSING = 9


UNSET = 0
"""Sender gave no flag; admit replaces it by the verdict of the limits."""

USABLE = frozenset({Quality.GOOD, Quality.ESTIMATED, Quality.HAND_ENTERED})
"""Flags whose values may enter means, indices and alarms."""
