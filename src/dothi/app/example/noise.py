"""Noise that is a function of seed and time, so that it needs no memory."""

import zlib

import numpy as np

from dothi.app.example.signal import Numbers, Times


def seed_of(name: str, seed: int) -> int:
    """A 32-bit seed for one thing, stable over versions of Python."""
    return zlib.crc32(f"{seed}/{name}".encode())


def smooth_noise(at_us: Times, period_s: float, seed: int) -> Numbers:
    """Between -1 and 1, with a new independent value every period and a soft way between."""
    position = at_us / (period_s * 1_000_000)
    knot = np.floor(position).astype(np.int64)
    part = position - knot
    blend = part * part * (3 - 2 * part)
    mixed: Numbers = _hash(knot, seed) * (1 - blend) + _hash(knot + 1, seed) * blend
    return mixed


def _hash(knot: Times, seed: int) -> Numbers:
    """SplitMix64 of (knot, seed), spread over -1..1."""
    with np.errstate(over="ignore"):
        mixed = knot.astype(np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    spread: Numbers = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0
    return spread
