"""Priority of an alarm, and of everything that somebody is told."""

from enum import IntEnum


class Priority(IntEnum):
    """1 is the most urgent (ISA-18.2 clause 3.1: priority says how soon somebody must act)."""

    HIGHEST = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4
