"""When a station speaks: a fixed beat of its own, the same after every restart."""

import zlib

import numpy as np

from dothi.app.example.signal import Times


def ticks_between(source: str, step_s: int, start_us: int, end_us: int) -> Times:
    """The beats in [start, end), UTC microseconds on whole seconds."""
    step_us = step_s * 1_000_000
    first = next_tick(source, step_s, start_us - 1)
    return np.arange(first, end_us, step_us, dtype=np.int64)


def next_tick(source: str, step_s: int, after_us: int) -> int:
    """The first beat after a time. Stations of one step are spread evenly by their name."""
    step_us = step_s * 1_000_000
    phase_us = zlib.crc32(source.encode()) % step_s * 1_000_000
    return (after_us - phase_us) // step_us * step_us + step_us + phase_us
