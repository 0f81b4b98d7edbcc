"""The signal of each station."""

from collections.abc import Callable
from pathlib import Path

from dothi.app.example.recorded import RecordedSignal
from dothi.app.example.registry import Registry, Station
from dothi.app.example.signal import Signal
from dothi.app.example.tide import TideSignal
from dothi.app.example.weather import RainSignal, WaterQualitySignal, WeatherSignal

_SIMULATED: dict[str, Callable[[Station, int], Signal]] = {
    "tide": TideSignal,
    "rain": RainSignal,
    "weather": WeatherSignal,
    "water_quality": WaterQualitySignal,
}


def make_signals(folder: Path, registry: Registry, seed: int) -> dict[str, Signal]:
    """The signal of every station, by its source. Reads files: call it from a worker thread."""
    return {s.source: make_signal(folder, registry, s, seed) for s in registry.stations}


def make_signal(folder: Path, registry: Registry, station: Station, seed: int) -> Signal:
    """What the station shows; recorded series are read from `folder`."""
    feed = registry.feed_of(station)
    if feed.signal == "recorded":
        return RecordedSignal(folder, feed, station)
    return _SIMULATED[feed.signal](station, seed)
