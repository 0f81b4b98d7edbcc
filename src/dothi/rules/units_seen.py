"""In which units numbers come: by what is known of the attribute, else by the rows themselves."""

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from dothi.rules.plan import Slot
from dothi.rules.rows import Run
from dothi.rules.wording import NO_WORDS, Vocabulary


class UnitsSeen:
    """Of one load of the rules."""

    def __init__(self, vocabulary: Vocabulary = NO_WORDS) -> None:
        self.vocabulary = vocabulary
        self._last: dict[str, str] = {}
        self._run: Run | None = None
        self._only: str | None = None
        """The unit of all rows of the run, where they have the same."""

    def look_at(self, run: Run, slots: Sequence[Slot], attributes: Sequence[str]) -> None:
        """The rows that are judged now. The unit of what nobody described is kept for what time
        decides later."""
        self._run = run
        units = pc.unique(run.table["unit"])
        self._only = (units[0].as_py() or "") if len(units) == 1 else None
        known = self._last.keys() | self.vocabulary.units.keys()
        for name in {slot.attribute for slot in slots} - known:
            rows = np.flatnonzero(run.attribute == attributes.index(name))
            if len(rows):
                self._last[name] = run.table["unit"][int(rows[0])].as_py() or ""

    def note(self, attribute: str, unit: str) -> None:
        """What is known of it from elsewhere."""
        self._last[attribute] = unit

    def look_away(self) -> None:
        """Only time passes."""
        self._run = None

    def unit(self, attribute: str, seq: int) -> str:
        """UN/CEFACT code of the number that a row of the log told; empty: not known."""
        known = self.vocabulary.units.get(attribute)
        if known is not None:
            return known
        if self._run is not None and len(self._run.seq):
            if self._only is not None and seq >= self._run.seq[0]:
                return self._only
            place = int(self._run.seq.searchsorted(seq))
            if place < len(self._run.seq) and self._run.seq[place] == seq:
                return self._run.table["unit"][place].as_py() or ""
        return self._last.get(attribute, "")
