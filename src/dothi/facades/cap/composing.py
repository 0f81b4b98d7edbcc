"""What people wrote -> an Alert: the same codes in both languages, times with the local offset."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from dothi.facades.cap.places import Place
from dothi.facades.cap.settings import WarningSettings
from dothi.model.cap import (
    Alert,
    Category,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
)
from dothi.model.warning import Attachment, WarningContent, Words
from dothi.model.warning_lists import Catalogue

LANGUAGES = {"vi": "vi-VN", "en": "en-US"}
"""Of a message, in the order of its blocks."""


FILES = "/cap/files"
"""Where the public finds what goes with a message."""


class Heading(Struct, frozen=True):
    """What a message has beside what its authors wrote."""

    identifier: str
    sent_at: datetime
    msg_type: MsgType
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    note: str = ""


class Composer:
    """Composes by the settings and the lists of one authority."""

    def __init__(self, settings: WarningSettings, catalogue: Catalogue, address: str = "") -> None:
        """`address`: of the server as the public reaches it; empty: it is not reached."""
        self._settings = settings
        self._address = address.rstrip("/")
        self._catalogue = catalogue

    def compose(self, content: WarningContent, places: Sequence[Place], head: Heading) -> Alert:
        """The message; whether it may be sent is for the checks to say."""
        languages = [lang for lang in LANGUAGES if _is_written(getattr(content, lang))]
        return Alert(
            identifier=head.identifier,
            sender=self._settings.sender,
            sent_at=self._local(head.sent_at),
            status=content.status,
            msg_type=head.msg_type,
            scope=content.scope,
            restriction=content.restriction,
            addresses=content.addresses,
            note=head.note,
            references=head.references,
            incidents=head.incidents,
            infos=tuple(self._info(content, places, lang) for lang in languages),
        )

    def local(self, moment: datetime | None) -> datetime | None:
        """The same moment with the offset of the authority's zone, in whole seconds."""
        return None if moment is None else self._local(moment)

    def _local(self, moment: datetime) -> datetime:
        return local_time(moment, self._settings.zone)

    def _info(self, content: WarningContent, places: Sequence[Place], language: str) -> Info:
        settings = self._settings
        words: Words = getattr(content, language)
        is_vi = language == "vi"
        sender_name = settings.sender_name if is_vi else settings.sender_name_en
        return Info(
            language=LANGUAGES[language],
            categories=self._categories(content),
            event=self._event_name(content.event, language),
            response_types=content.response_types,
            urgency=content.urgency,
            severity=content.severity,
            certainty=content.certainty,
            audience=words.audience.strip(),
            event_codes=self._event_codes(content),
            effective_at=self.local(content.effective_at),
            onset_at=self.local(content.onset_at),
            expires_at=self.local(content.expires_at),
            sender_name=sender_name or settings.sender_name,
            headline=words.headline.strip(),
            description=words.description.strip(),
            instruction=words.instruction.strip(),
            web=content.web or settings.web,
            contact=content.contact or settings.contact,
            parameters=self._parameters(content),
            resources=tuple(self._resource(one, is_vi=is_vi) for one in content.attachments),
            areas=tuple(place.cap_area(language) for place in places),
        )

    def _resource(self, of: Attachment, *, is_vi: bool) -> Resource:
        text = of.description_vi if is_vi else of.description_en or of.description_vi
        uri = f"{self._address}{FILES}/{of.sha256}" if self._address else ""
        return Resource(text.strip(), of.mime_type, of.size_bytes, uri, digest=of.sha1)

    def _categories(self, content: WarningContent) -> tuple[Category, ...]:
        event = self._catalogue.event(content.event)
        return content.categories or (event.categories if event else ())

    def _event_name(self, code: str, language: str) -> str:
        event = self._catalogue.event(code)
        if event is None:
            return code
        return event.vi if language == "vi" else event.en

    def _event_codes(self, content: WarningContent) -> tuple[Named, ...]:
        return (Named(self._catalogue.code_name, content.event),) if content.event else ()

    def _parameters(self, content: WarningContent) -> tuple[Named, ...]:
        risk = self._catalogue.risk
        level = risk.get(content.risk_level)
        if level is None:
            return content.parameters
        return (
            Named(risk.level_parameter, str(level.level)),
            Named(risk.colour_parameter, level.colour_vi),
            *content.parameters,
        )


def local_time(moment: datetime, zone: str) -> datetime:
    """The moment with the offset of the zone (IANA name), in whole seconds."""
    local = moment.astimezone(ZoneInfo(zone)).replace(microsecond=0)
    # A fixed offset: what is read back from the message compares equal.
    return datetime.fromisoformat(local.isoformat())


def _is_written(words: Words) -> bool:
    return bool(words.headline.strip() or words.description.strip() or words.instruction.strip())
