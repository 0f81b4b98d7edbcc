"""A signal: what a station shows at any time, as a pure function of the time."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dothi.model.quality import UNSET

Times = npt.NDArray[np.int64]
"""UTC microseconds since 1970."""
Numbers = npt.NDArray[np.float64]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
LOCAL_OFFSET_US = 7 * HOUR_US
"""Vietnam has no summer time."""


class Sampled(Struct, frozen=True):
    """Values of one attribute."""

    number: Numbers
    """NaN: the station says nothing at that time."""
    quality: npt.NDArray[np.uint8]


class Signal(Protocol):
    def sample(self, at_us: Times) -> dict[str, Sampled]:
        """Attribute -> values at each of the times.

        The same time always gives the same values, whether asked for one or for many: history,
        live stream and restarts fit together without any stored position.
        """
        ...


def unflagged(number: Numbers, digits: int) -> Sampled:
    """Simulated values: the limits of the attribute set their flag."""
    return Sampled(np.round(number, digits), np.full(len(number), UNSET, np.uint8))


def hour_of_day(at_us: Times) -> Numbers:
    """Local hours, 0..24."""
    hours: Numbers = ((at_us + LOCAL_OFFSET_US) % DAY_US) / HOUR_US
    return hours
