"""What incidents know of other parts: alarms to link, warnings that were composed for them."""

from collections.abc import Mapping, Sequence

from dothi.model.alarm import ACTIVE, Alarm
from dothi.model.incident_record import WarningNote
from dothi.model.warning import WarningMessage
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.areas import Areas
from dothi.ports.incidents import AlarmChange, KnownAlarm
from dothi.ports.warnings import Warnings

_STANDING = 200
"""Alarms for which procedures are proposed at once: nobody reads more of them."""

_OTHERS = 50
"""Earlier alarms of one entity that may have opened an incident which still runs."""


class StoredAlarms:
    """The ports `KnownAlarms` and `AlarmNews` over the alarms that are kept."""

    def __init__(self, alarms: AlarmReader, areas: Areas) -> None:
        self._alarms = alarms
        self._areas = areas

    def find(self, subjects: Sequence[str]) -> Mapping[str, KnownAlarm]:
        found = {}
        for subject in subjects:
            number = subject.removeprefix("alarm:")
            alarm = self._alarms.get(int(number)) if number.isdigit() else None
            if alarm is not None:
                found[subject] = self._known(subject, alarm)
        return found

    def revision(self) -> int:
        return self._alarms.revision()

    def changed_after(self, revision: int, limit: int) -> Sequence[AlarmChange]:
        return [
            AlarmChange(
                alarm.revision,
                self._known(f"alarm:{alarm.id}", alarm),
                alarm.state in ACTIVE and not alarm.suppressed,
            )
            for alarm in self._alarms.changed_after(revision, limit)
        ]

    def others_there(self, subject: str) -> Sequence[str]:
        number = subject.removeprefix("alarm:")
        alarm = self._alarms.get(int(number)) if number.isdigit() else None
        if alarm is None:
            return []
        query = AlarmQuery(
            entity=alarm.place.entity, sort="raised_at", is_descending=True, limit=_OTHERS
        )
        return [f"alarm:{one.id}" for one in self._alarms.page(query) if one.id != alarm.id]

    def standing(self) -> Sequence[KnownAlarm]:
        query = AlarmQuery(states=tuple(ACTIVE), is_suppressed=False, limit=_STANDING)
        return [self._known(f"alarm:{alarm.id}", alarm) for alarm in self._alarms.page(query)]

    def _known(self, subject: str, alarm: Alarm) -> KnownAlarm:
        place = alarm.place
        codes = [f"{a.level}:{a.code}" for i in place.areas if (a := self._areas.get(i))]
        point = None
        if place.lon is not None and place.lat is not None:
            point = (place.lon, place.lat)
        return KnownAlarm(
            subject,
            _title(alarm.title or alarm.rule, alarm.text),
            alarm.rule,
            place.name or place.entity,
            (place.type,) if place.type else (),
            int(alarm.priority),
            alarm.raised_at,
            (*place.areas, *codes),
            point,
            alarm.opened_at,
            _title(alarm.title_en, alarm.text_en) if alarm.text_en else "",
        )


def _title(title: str, text: str) -> str:
    """What is wrong, and the value against its limit; most texts begin with the title."""
    if not text or text.startswith(title):
        return text or title
    return f"{title} · {text}"


class StoredWarnings:
    """The port `KnownWarnings` over the warnings that are kept."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    def about(self, subject: str) -> Sequence[WarningNote]:
        found = [warning for warning in self._warnings.all() if warning.subject == subject]
        notes = [_note(message) for warning in found for message in warning.messages]
        return sorted(notes, key=lambda note: note.at)


def _note(message: WarningMessage) -> WarningNote:
    content = message.content
    return WarningNote(
        f"warning:{message.warning}",
        content.vi.headline,
        content.en.headline,
        str(message.msg_type),
        str(message.state),
        message.sent_at or message.created_at,
        message.released_by or message.author,
    )
