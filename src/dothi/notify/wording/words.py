"""From a notice to what a person reads."""

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from dothi.model.notice import Notice
from dothi.notify.wording.sms import capacity, fits, plain, units
from dothi.notify.wording.templates import OTHER, Template, Templates

_NAME = re.compile(r"\{(\w+)\}")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_PRIORITY = {
    "vi": {1: "khẩn cấp", 2: "cao", 3: "trung bình", 4: "thấp"},
    "en": {1: "urgent", 2: "high", 3: "medium", 4: "low"},
}
_MISSING = "–"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
_CUT = "..."


class Words(Struct, frozen=True):
    """Title, text and SMS of a notice in one language."""

    title: str
    text: str
    short: str


class Wording(Struct, frozen=True):
    """Renders notices."""

    templates: Templates
    zone: ZoneInfo
    public_url: str = ""
    """Of the console; empty: messages carry no link."""
    has_diacritics: bool = False
    """Of SMS in Vietnamese: 70 characters in each instead of 160."""
    sms_parts: int = 1
    mark: Mapping[str, str] = field(default_factory=dict)
    """Language -> what stands before everything, e.g. that the data are made up."""

    def words(self, notice: Notice, language: str, number: int) -> Words:
        """`number`: of the stored notice, for the link."""
        kinds = self.templates[language]
        template = kinds.get(notice.kind) or kinds[OTHER]
        values = self._values(notice, language, number)
        mark = self.mark.get(language, "")
        before = f"{mark} " if mark else ""
        title = before + _one_line(_filled(template.title, values))
        return Words(title, before + _text(template, values), self._short(template, values, before))

    def url(self, number: int) -> str:
        """Where the console shows the notice."""
        root = self.public_url.rstrip("/")
        return f"{root}/notices?notice={number}" if root else ""

    def _values(self, notice: Notice, language: str, number: int) -> dict[str, str]:
        local = notice.at.astimezone(self.zone)
        own = {
            "kind": notice.kind,
            "subject": notice.subject,
            "priority": str(int(notice.priority)),
            "urgency": _PRIORITY[language][int(notice.priority)],
            "time": f"{local:%H:%M}",
            "date": f"{local:%d/%m/%Y}",
            "url": self.url(number),
            "details": "; ".join(f"{name}: {text}" for name, text in notice.parameters.items()),
        }
        return own | self._given(notice, language)

    def _given(self, notice: Notice, language: str) -> dict[str, str]:
        """Parameters of the notice: `title_en` is `title` in English, moments become local."""
        given = {name: self._shown(text.strip()) for name, text in notice.parameters.items()}
        ending = f"_{language}"
        spoken = {
            name.removesuffix(ending): text
            for name, text in given.items()
            if name.endswith(ending) and text
        }
        return given | spoken

    def _shown(self, text: str) -> str:
        if not _MOMENT.match(text):
            return text
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return text if moment.tzinfo is None else f"{moment.astimezone(self.zone):%H:%M %d/%m/%Y}"

    def _short(self, template: Template, values: Mapping[str, str], before: str) -> str:
        """Cut in the longest parameter until it fits."""
        letters = values if self.has_diacritics else {k: plain(v) for k, v in values.items()}
        words = template.short if self.has_diacritics else plain(template.short)
        mark = before if self.has_diacritics else plain(before)
        cut = dict(letters)
        while True:
            text = mark + _one_line(_filled(words, cut))
            text = text if self.has_diacritics else plain(text)
            if fits(text, self.sms_parts):
                return text
            used = {name for name in _NAME.findall(words) if len(cut.get(name, "")) > len(_CUT)}
            if not used:
                return text[: capacity(text, self.sms_parts)]
            longest = max(used, key=lambda name: len(cut[name]))
            over = max(1, (units(text) - capacity(text, self.sms_parts)) // 2)
            kept = cut[longest].removesuffix(_CUT)
            kept = kept[: max(0, len(kept) - over - (kept == cut[longest]) * len(_CUT))]
            cut[longest] = kept.rstrip() + _CUT


def _text(template: Template, values: Mapping[str, str]) -> str:
    lines = []
    for line in template.text.strip().splitlines():
        names = _NAME.findall(line)
        if not names or any(values.get(name) for name in names):
            lines.append(_filled(line, values))
    return "\n".join(lines)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Parameters are text and nothing else: what looks like a name in them is left as it is."""
    return _NAME.sub(lambda found: values.get(found[1]) or _MISSING, template)


def _one_line(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text).strip()
