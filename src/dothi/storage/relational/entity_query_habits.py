"""Which range was the shortest one when a search of the same build came last.

Dashboards ask the same again with other values. The range that was best for the last values is
tried first, in one question with the search itself, which counts the range anew: a guess that turns
out wrong costs one question, and never an answer.
"""

from dothi.storage.relational.entity_query_starts import Range, Start

_MAX_KEPT = 1_000


class Habits:
    """Thread-safe: each step is one operation on a dictionary.

    Starts name the places of values, not values, so those of two searches of one build are equal.
    """

    def __init__(self) -> None:
        self._best: dict[tuple[Start, ...], Range] = {}

    def best(self, starts: tuple[Start, ...]) -> Range | None:
        """The start to try first."""
        return self._best.get(starts)

    def learn(self, starts: tuple[Start, ...], best: Range | None) -> None:
        """`best`: one of them, each of which holds every match; None: none of them was short."""
        if best is None:
            self._best.pop(starts, None)
            return
        if len(self._best) >= _MAX_KEPT:
            self._best.clear()
        self._best[starts] = best
