"""Choosing one language of several (clause 4.15, RFC 4647 lookup)."""

from collections.abc import Iterable

from msgspec import Struct

_DEFAULT = "@none"


class LanguageFilter(Struct, frozen=True):
    """Language ranges, best first, in lower case."""

    ranges: tuple[str, ...]

    def choose(self, tags: Iterable[str]) -> str:
        """The tag to show: of the best range that fits, else @none, else the first."""
        present = list(tags)
        lowered = {tag.lower(): tag for tag in reversed(present)}
        for wanted in self.ranges:
            found = self._fitting(wanted, lowered)
            if found:
                return found
        return _DEFAULT if _DEFAULT in present else present[0]

    @staticmethod
    def _fitting(wanted: str, lowered: dict[str, str]) -> str:
        """The tag itself, a shorter one (nl for nl-BE), or a longer one (en-US for en)."""
        if wanted == "*":
            return ""
        shorter = wanted
        while shorter:
            if shorter in lowered:
                return lowered[shorter]
            shorter = shorter.rpartition("-")[0]
        return next((tag for key, tag in lowered.items() if key.startswith(wanted + "-")), "")
