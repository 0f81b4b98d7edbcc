"""A simulated tide: the main harmonic constituents with chosen amplitudes and phases.

The speeds are the published ones of the constituents (degrees per hour, e.g. IHO Standard List
of Tidal Constituents). Amplitudes and phases are chosen to look like the mixed tide of the
south-east coast; they are not the harmonic constants of any place.
"""

import numpy as np

from dothi.app.example.noise import seed_of, smooth_noise
from dothi.app.example.registry import Station
from dothi.app.example.signal import HOUR_US, Numbers, Sampled, Times, unflagged

_SPEED_AMPLITUDE_PHASE = np.array(
    [
        [28.9841042, 0.75, 40.0],  # M2
        [30.0000000, 0.30, 85.0],  # S2
        [28.4397295, 0.15, 20.0],  # N2
        [30.0821373, 0.08, 80.0],  # K2
        [15.0410686, 0.58, 310.0],  # K1
        [13.9430356, 0.44, 260.0],  # O1
        [14.9589314, 0.19, 305.0],  # P1
    ]
)


def sea_level(at_us: Times, lag_h: float) -> Numbers:
    """Metres about the mean at the coast, `lag_h` hours before each time."""
    hours = at_us / HOUR_US - lag_h
    speed, amplitude, phase = _SPEED_AMPLITUDE_PHASE.T
    angle = np.deg2rad(np.outer(hours, speed) - phase)
    level: Numbers = np.cos(angle) @ amplitude
    return level


class TideSignal:
    """Water level over the station's own datum."""

    def __init__(self, station: Station, seed: int) -> None:
        self._station = station
        self._seed = seed_of(station.source, seed)

    def sample(self, at_us: Times) -> dict[str, Sampled]:
        station = self._station
        waves = 0.01 * smooth_noise(at_us, 90, self._seed)
        surge = 0.08 * smooth_noise(at_us, 40 * 3600, self._seed + 1)
        tide = station.tide_factor * sea_level(at_us, station.tide_lag_h)
        return {"level": unflagged(station.mean_m + tide + surge + waves, 3)}
