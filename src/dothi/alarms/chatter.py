"""Alarms that come and go: found by their transitions, with a delay proposed that would calm them.

ISA-18.2-2016 clause 16 (nuisance alarms): a chattering alarm goes in and out repeatedly in a short
time; the usual cures are an off-delay or a deadband.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from dothi.alarms.limits import Chattering

_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Delays are proposed in round numbers."""
_MARGIN = 1.5
"""So much longer than the longest absence that was seen."""


def with_transition(
    recent: Sequence[datetime], at: datetime, limits: Chattering
) -> tuple[datetime, ...]:
    """The latest transitions of a condition, as many as it takes to tell."""
    return (*recent, at)[-limits.transitions :]


def is_chattering(recent: Sequence[datetime], limits: Chattering) -> bool:
    """Whether so many transitions lie within so short a time."""
    if len(recent) < limits.transitions:
        return False
    return abs((recent[-1] - recent[-limits.transitions]).total_seconds()) <= limits.within_s


def proposed_off_delay_s(recent: Sequence[datetime]) -> int:
    """An off-delay that would have made one alarm of these transitions."""
    gaps = [abs((b - a).total_seconds()) for a, b in pairwise(recent)]
    wanted = _MARGIN * max(gaps, default=0.0)
    return next((step for step in _STEPS_S if step >= wanted), math.ceil(wanted))
