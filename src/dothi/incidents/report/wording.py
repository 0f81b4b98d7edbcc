"""Texts of a report in one language: words, times, lengths of time, numbers, entries."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dothi.incidents.report.words import EN, VI
from dothi.model.incident import Entry, EntryKind
from dothi.model.procedure import Limit, LimitKind, Words

_UNITS = {"vi": ("giây", "phút", "giờ", "ngày"), "en": ("s", "min", "h", "d")}
_SIZES = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60

_TITLED = (EntryKind.STATE, EntryKind.LINK, EntryKind.WARNING)
"""Entries whose text is a title that may stand in English beside."""


class Wording:
    """`lang`: vi or en."""

    def __init__(
        self,
        lang: str,
        zone: ZoneInfo,
        roles: Mapping[str, Words],
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.lang = lang
        self._zone = zone
        self._roles = roles
        self._name_of = cache(name_of)
        self._words: Mapping[str, str] = VI if lang == "vi" else EN

    def say(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)

    def of(self, words: Words) -> str:
        return words.vi if self.lang == "vi" else words.en

    def spoken(self, vi: str, en: str) -> str:
        """Of a text that may have an English half: the own one."""
        return vi if self.lang == "vi" else en or vi

    def time(self, moment: datetime | None) -> str:
        """`18:05 26/11/2026`; empty for none."""
        return "" if moment is None else f"{moment.astimezone(self._zone):%H:%M %d/%m/%Y}"

    def due(self, moment: datetime | None) -> str:
        """As `time`; a limit that ends with its day ends at 24:00 of that day."""
        if moment is None:
            return ""
        local = moment.astimezone(self._zone)
        if local.time() != time():
            return self.time(moment)
        return f"24:00 {local - timedelta(days=1):%d/%m/%Y}"

    def limit(self, limit: Limit) -> str:
        """`15 phút`, `2 ngày làm việc`."""
        key = f"limit_{limit.kind}"
        if limit.kind in (LimitKind.DAYS, LimitKind.WORKING_DAYS):
            return self.say(key, n=self.number(limit.amount))
        return self.say(key, n=self.length(timedelta(seconds=limit.amount)))

    def role(self, position: str) -> str:
        """Its name, or its id where nobody named it."""
        known = self._roles.get(position)
        return self.of(known) if known else position

    def person(self, person: str) -> str:
        """The name that people read; who is on no list, but known, in words."""
        name = self._name_of(person) if person else ""
        return self._words.get(f"by_{person}", name) if name == person else name

    def subject(self, subject: str) -> str:
        """`alarm:6` -> `Cảnh báo 6`; of what has a name of its own, its id."""
        kind, _, id_ = subject.partition(":")
        known = f"subject_{kind}" in self._words
        return self.say(f"subject_{kind}", id=id_) if known else id_ or subject

    def time_text(self, text: object) -> str:
        """The same of ISO 8601."""
        return self.time(datetime.fromisoformat(str(text))) if text else ""

    def length(self, length: timedelta) -> str:
        """In the two largest units: `2 giờ 5 phút`."""
        seconds = max(0, round(length.total_seconds()))
        second, minute, hour, day = _UNITS[self.lang]
        parts = [
            (seconds // _DAY_S, day),
            (seconds % _DAY_S // _HOUR_S, hour),
            (seconds % _HOUR_S // _MINUTE_S, minute),
        ]
        told = [f"{count} {unit}" for count, unit in parts if count]
        return " ".join(told[:2]) or f"{seconds} {second}"

    def number(self, value: float) -> str:
        """Grouped by thousands; decimal comma in Vietnamese."""
        text = f"{value:,.2f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")
        return text.translate(str.maketrans(",.", ".,")) if self.lang == "vi" else text

    def size(self, size_bytes: int) -> str:
        for factor, unit in _SIZES:
            if size_bytes >= factor:
                return f"{self.number(round(size_bytes / factor, 1))} {unit}"
        return f"{size_bytes} B"

    def answer(self, value: object) -> str:
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        return self.number(value) if isinstance(value, float) else str(value)

    def entry(self, entry: Entry) -> str:
        """What happened, then what the person wrote."""
        head = self._head(entry)
        texts = [head]
        if entry.text and not self._says_all(entry):
            # Of a link that was taken away the text is the reason.
            is_title = entry.kind in _TITLED and "is_removed" not in entry.details
            english = str(entry.details.get("title_en", "")) if is_title else ""
            texts.append(self.spoken(entry.text, english))
        if entry.refers_to is not None:
            key = "corrects" if entry.kind is EntryKind.CORRECTION else "refers"
            texts.insert(0, self.say(key, n=entry.refers_to).capitalize())
        if entry.happened_at != entry.at:
            texts.append(f"({self.say('happened', at=self.time(entry.happened_at))})")
        return ". ".join(t.rstrip(".") for t in texts if t)

    def _says_all(self, entry: Entry) -> bool:
        """Whether the text is in the head already."""
        details = entry.details
        if entry.kind is EntryKind.TASK:
            return entry.text == details.get("title")
        return entry.kind is EntryKind.STEP or entry.text in (details.get("name"), "")

    def _head(self, entry: Entry) -> str:
        details = {name: "" if v is None else v for name, v in entry.details.items()}
        if "subject" in details:
            details["subject"] = self.subject(str(details["subject"]))
        match entry.kind:
            case EntryKind.STATE:
                return self._state(details)
            case EntryKind.CHANGE:
                return self._change(details)
            case EntryKind.STEP:
                return self._step(entry, details)
            case EntryKind.TASK:
                owner = self.person(str(details.get("owner", ""))) or self.say("nobody")
                key = f"entry_task_{details['state']}"
                return self.say(key, **{**details, "owner": owner})
            case EntryKind.LINK:
                return self.say(
                    "entry_unlink" if "is_removed" in details else "entry_link", **details
                )
            case EntryKind.COST:
                amount = self.number(float(details["amount"]))
                return self.say("entry_cost", amount=amount, currency=details["currency"])
            case EntryKind.WARNING:
                kind = self.say(f"cap_{str(details['msg_type']).lower()}")
                return self.say(f"entry_warning_{details['event']}", **details, kind=kind)
            case EntryKind.NOTE | EntryKind.CORRECTION:
                return ""
            case _:
                return self.say(f"entry_{entry.kind}", **details)

    def _state(self, details: Mapping[str, object]) -> str:
        if "from" not in details:
            severity = self.say(f"severity_{details['severity']}")
            return self.say("entry_opened", severity=severity)
        states = {name: self.say(f"state_{details[name]}") for name in ("from", "to")}
        return self.say("entry_state", **states)

    def _change(self, details: Mapping[str, object]) -> str:
        what = details["what"]
        before, after = details.get("from", ""), details["to"]
        if what == "severity":
            before, after = (self.say(f"severity_{v}") for v in (before, after))
        if what == "commander":
            before, after = (self.person(str(v)) or self.say("nobody") for v in (before, after))
        return self.say(f"entry_change_{what}", **{"from": before, "to": after})

    def _step(self, entry: Entry, details: Mapping[str, object]) -> str:
        title = entry.text if self.lang == "vi" else details.get("title_en", entry.text)
        event = str(details["event"])
        due_at = details.get("due_at")
        due = self.due(datetime.fromisoformat(str(due_at))) if due_at else ""
        to = details.get("to")
        told = ", ".join(map(self.role, to)) if isinstance(to, list) and to else "–"
        if event == "opened" and not due:
            event = "opened_free"
        if event == "finished" and details.get("is_late"):
            event = "finished_late"
        text = self.say(f"step_{event}", title=title, due=due, to=told)
        if details.get("is_calendar_unknown"):
            text += f" ({self.say('calendar_unknown')})"
        reason = details.get("reason" if self.lang == "vi" else "reason_en", details.get("reason"))
        return f"{text}: {reason}" if reason else text
