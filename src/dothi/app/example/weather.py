"""Simulated weather and water quality: a daily course, slow noise, rain and tide on top."""

import numpy as np

from dothi.app.example.noise import seed_of, smooth_noise
from dothi.app.example.rain import rain_rate, rain_sum
from dothi.app.example.registry import Station
from dothi.app.example.signal import (
    DAY_US,
    Numbers,
    Sampled,
    Times,
    hour_of_day,
    unflagged,
)
from dothi.app.example.tide import sea_level

_YEAR_DAYS = 365.25
_DRIEST_DAY = 75
"""Day of the year with the saltiest rivers: mid-March."""


def _daily(at_us: Times, peak_hour: float) -> Numbers:
    wave: Numbers = np.cos((hour_of_day(at_us) - peak_hour) * (2 * np.pi / 24))
    return wave


class RainSignal:
    """Rain of the last five minutes."""

    def __init__(self, station: Station, seed: int) -> None:
        self._station = station
        self._seed = seed

    def sample(self, at_us: Times) -> dict[str, Sampled]:
        station = self._station
        return {
            "precipitation": unflagged(rain_sum(at_us, station.lon, station.lat, self._seed), 1)
        }


class WeatherSignal:
    """Air temperature, relative humidity and rain."""

    def __init__(self, station: Station, seed: int) -> None:
        self._rain = RainSignal(station, seed)
        self._station = station
        self._region_seed = seed
        self._seed = seed_of(station.source, seed)

    def sample(self, at_us: Times) -> dict[str, Sampled]:
        slow = smooth_noise(at_us, 18 * 3600, self._region_seed)
        fast = smooth_noise(at_us, 1800, self._seed)
        wet = 1 - np.exp(-self._recent_rate(at_us) / 5)
        temperature = 27.6 + 4.2 * _daily(at_us, 14) + 1.2 * slow + 0.4 * fast - 4.5 * wet
        humidity = 76 - 3.4 * (temperature - 27.6) + 3 * fast + 8 * wet
        return {
            "temperature": unflagged(temperature, 1),
            "relativeHumidity": unflagged(humidity.clip(30, 100), 0),
            **self._rain.sample(at_us),
        }

    def _recent_rate(self, at_us: Times) -> Numbers:
        before = np.array([0, 20, 40], np.int64) * 60_000_000
        place = self._station
        rate = rain_rate((at_us[:, None] - before).ravel(), place.lon, place.lat, self._region_seed)
        mean: Numbers = rate.reshape(-1, len(before)).mean(axis=1)
        return mean


class WaterQualitySignal:
    """pH, dissolved oxygen and temperature; salinity that comes and goes with the tide."""

    def __init__(self, station: Station, seed: int) -> None:
        self._station = station
        self._seed = seed_of(station.source, seed)

    def sample(self, at_us: Times) -> dict[str, Sampled]:
        sea = self._station.sea_share
        slow = smooth_noise(at_us, 30 * 3600, self._seed)
        fast = smooth_noise(at_us, 900, self._seed + 1)
        values = {
            "temperature": unflagged(28.6 + 0.9 * _daily(at_us, 16) + 0.5 * slow, 2),
            "pH": unflagged(6.9 + 0.9 * sea + 0.15 * slow + 0.05 * fast, 2),
            "O2": unflagged(5.2 + 0.8 * sea + 0.7 * _daily(at_us, 15) + 0.4 * slow + 0.1 * fast, 2),
        }
        if sea > 0:
            values["salinity"] = unflagged(self._salinity(at_us, slow), 2)
        return values

    def _salinity(self, at_us: Times, slow: Numbers) -> Numbers:
        sea = self._station.sea_share
        season = np.cos((at_us / DAY_US % _YEAR_DAYS - _DRIEST_DAY) * (2 * np.pi / _YEAR_DAYS))
        tide = sea_level(at_us, self._station.tide_lag_h + 1.0)
        river = 26 * sea * (1 + 0.35 * season * (1 - sea)) + 4 * sea * (1.4 - sea) * tide
        salinity: Numbers = (river + 1.5 * sea * slow).clip(0.02)
        return salinity
