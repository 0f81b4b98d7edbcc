"""Simulated rain: cells that are born, move over the stations and die."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dothi.app.example.signal import DAY_US, HOUR_US, LOCAL_OFFSET_US, Numbers, Times

CELLS_A_DAY = (3, 2, 3, 8, 22, 28, 30, 30, 32, 32, 20, 8)
"""Mean number of cells per month over the region: a wet season from May to November (chosen)."""
WEST, SOUTH, EAST, NORTH = 105.6, 9.2, 107.4, 11.7
KM_PER_DEGREE = 111.2
SUMMED_S = 300
"""A rain value is the sum of the last five minutes."""
_SUBSTEPS_US = np.arange(5, dtype=np.int64) * 60_000_000


class _Cells(Struct, frozen=True):
    """Columns, one element per cell."""

    middle_us: Times
    half_life_us: Numbers
    lon: Numbers
    lat: Numbers
    lon_per_h: Numbers
    lat_per_h: Numbers
    radius_km: Numbers
    peak_mm_h: Numbers


@lru_cache(maxsize=64)
def _cells_of(day: int, seed: int) -> _Cells:
    random = np.random.default_rng([seed, day])
    month = np.datetime64(int(day), "D").astype("datetime64[M]").astype(int) % 12
    count = int(random.poisson(CELLS_A_DAY[month]))
    hour = np.concatenate([random.normal(16, 2.2, count)]) % 24
    speed_km_h = random.uniform(8, 28, count)
    heading = np.deg2rad(random.normal(60, 30, count))
    return _Cells(
        middle_us=(day * DAY_US - LOCAL_OFFSET_US + hour * HOUR_US).astype(np.int64),
        half_life_us=random.uniform(0.4, 1.2, count) * HOUR_US,
        lon=random.uniform(WEST, EAST, count),
        lat=random.uniform(SOUTH, NORTH, count),
        lon_per_h=speed_km_h * np.sin(heading) / KM_PER_DEGREE,
        lat_per_h=speed_km_h * np.cos(heading) / KM_PER_DEGREE,
        radius_km=random.uniform(4, 12, count),
        peak_mm_h=random.gamma(2.0, 20.0, count),
    )


def rain_rate(at_us: Times, lon: float, lat: float, seed: int) -> Numbers:
    """Millimetres per hour at one place."""
    days = (at_us + LOCAL_OFFSET_US) // DAY_US
    rate = np.zeros(len(at_us))
    for day in np.unique(days):
        chosen = np.flatnonzero(days == day)
        # A cell may outlive its day by a few hours.
        for born in (int(day) - 1, int(day)):
            rate[chosen] += _rate_of(_cells_of(born, seed), at_us[chosen], lon, lat)
    rate[rate < 0.3] = 0.0
    return rate


def rain_sum(at_us: Times, lon: float, lat: float, seed: int) -> Numbers:
    """Millimetres in the five minutes before each time, to the tenth (one tip of a bucket)."""
    minutes = (at_us[:, None] - _SUBSTEPS_US).ravel()
    rate = rain_rate(minutes, lon, lat, seed).reshape(-1, len(_SUBSTEPS_US))
    total: Numbers = np.round(rate.mean(axis=1) * SUMMED_S / 3600, 1)
    return total


def _rate_of(cells: _Cells, at_us: Times, lon: float, lat: float) -> Numbers:
    age = (at_us[:, None] - cells.middle_us) / HOUR_US
    east = (lon - cells.lon - cells.lon_per_h * age) * KM_PER_DEGREE
    north = (lat - cells.lat - cells.lat_per_h * age) * KM_PER_DEGREE
    distance: npt.NDArray[np.float64] = (east**2 + north**2) / cells.radius_km**2
    life = (age * HOUR_US / cells.half_life_us) ** 2
    rate: Numbers = (cells.peak_mm_h * np.exp(-distance - life)).sum(axis=1)
    return rate
