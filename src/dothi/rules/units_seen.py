"""In which units numbers come: by what is known of the attribute, else by the rows themselves."""

import numpy as np

from dothi.rules.plan import Slot
from dothi.rules.rows import Run
from dothi.rules.wording import NO_WORDS, Vocabulary


class UnitsSeen:
    """Of one load of the rules."""

    def __init__(self, vocabulary: Vocabulary = NO_WORDS) -> None:
        self.vocabulary = vocabulary
        self._last: dict[str, str] = {}
        self._run: Run | None = None

    def look_at(self, run: Run | None) -> None:
        """The rows that are judged now; None: only time passes."""
        self._run = run

    def note(self, run: Run, slots: list[Slot], names: dict[str, list[str]]) -> None:
        """Keep the unit of attributes of which nothing is known, for what time decides later."""
        for slot in slots:
            name = slot.attribute
            if name in self._last or name in self.vocabulary.units:
                continue
            rows = np.flatnonzero(run.attribute == names["attribute"].index(name))
            if len(rows):
                self._last[name] = run.table["unit"][int(rows[0])].as_py() or ""

    def unit(self, attribute: str, seq: int) -> str:
        """UN/CEFACT code of the number that a row of the log told; empty: not known."""
        known = self.vocabulary.units.get(attribute)
        if known is not None:
            return known
        if self._run is not None and len(self._run.seq):
            place = int(np.searchsorted(self._run.seq, seq))
            if place < len(self._run.seq) and self._run.seq[place] == seq:
                return self._run.table["unit"][place].as_py() or ""
        return self._last.get(attribute, "")
