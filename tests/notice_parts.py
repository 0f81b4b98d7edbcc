"""Parts for tests of notices: people, channels that remember, and the whole service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine

from databases import lay_database
from dothi.model.delivery import DeliveryState
from dothi.model.notice import Notice
from dothi.model.person import Person
from dothi.model.priority import Priority
from dothi.notify.dispatch.service import NoticePorts, NoticeService
from dothi.notify.settings import NoticeSettings
from dothi.notify.wording.templates import read_templates
from dothi.notify.wording.words import Wording
from dothi.ports.channel import Channel, Handed, Letter
from dothi.ports.clock import SystemClock
from dothi.ports.notices import DeliveryRecord, NoticeQuestion, StoredNotice
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.notice_deliveries import RelationalDeliveryQueue
from dothi.storage.relational.notice_preferences import RelationalPreferences
from dothi.storage.relational.notices import RelationalNotices

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
ACCEPTED = Handed(DeliveryState.ACCEPTED, "taken")
DOWN = Handed(DeliveryState.WAITING, "no route", is_reached=False)

FAST = NoticeSettings(
    retry_s=0.05, max_retry_s=0.2, poll_s=0.05, fallback_s=0.4, again_s=0.2, connections=4
)


def person(name: str, *positions: str, **contacts: str) -> Person:
    contacts = contacts or {"email": f"{name}@example.org"}
    return Person(name, name.title(), positions or ("operator",), "vi", contacts)


def notice(name: str = "alarm:1", priority: int = 2, **changes: object) -> Notice:
    fields: dict[str, object] = {
        "id": f"{name}/raised",
        "kind": "alarm.raised",
        "at": NOW,
        "priority": Priority(priority),
        "subject": name,
        "parameters": {"title": "Mực nước cao", "place": "Phú An"},
        "positions": ("operator",),
    }
    return Notice(**(fields | changes))  # type: ignore[arg-type]


def letter(**changes: object) -> Letter:
    fields: dict[str, object] = {
        "key": "0b9a53c4-5e43-5f3b-9f6c-2b8ad2d8c2a1",
        "person": "lan",
        "address": "lan@example.org",
        "language": "vi",
        "priority": Priority.HIGH,
        "notice": "alarm:1/raised",
        "kind": "alarm.raised",
        "subject": "alarm:1",
        "at": NOW,
        "title": "Cảnh báo mức 2: mực nước cao",
        "text": "Mực nước cao\nNơi xảy ra: Phú An",
        "short": "Canh bao muc 2: muc nuoc cao",
        "url": "https://hub.example.vn/notices?notice=1",
    }
    return Letter(**(fields | changes))  # type: ignore[arg-type]


@dataclass
class Roster:
    """ports.people.People: whoever holds a position has the duty, unless told otherwise."""

    people: list[Person]
    off: set[str] = field(default_factory=set)

    def all(self) -> Sequence[Person]:
        return self.people

    def get(self, person: str) -> Person | None:
        return next((one for one in self.people if one.id == person), None)

    def on_duty(self, at: datetime, position: str = "") -> Sequence[Person]:
        return [
            one
            for one in self.people
            if one.id not in self.off and (not position or position in one.positions)
        ]


@dataclass
class Sink:
    """A channel that remembers; `answer` says what became of each letter."""

    contact: str = "email"
    answer: Callable[[Letter], Handed] = lambda _: ACCEPTED
    delay_s: float = 0.0
    per_address: bool = False
    letters: list[Letter] = field(default_factory=list)

    def lane(self, address: str) -> str:
        return address if self.per_address else ""

    async def send(self, letter: Letter) -> Handed:
        await asyncio.sleep(self.delay_s)
        self.letters.append(letter)
        return self.answer(letter)

    async def close(self) -> None:
        """Nothing is open."""

    async def until(self, count: int, timeout_s: float = 5.0) -> list[Letter]:
        async with asyncio.timeout(timeout_s):
            while len(self.letters) < count:
                await asyncio.sleep(0.01)
        return self.letters


class Desk:
    """The service over a database of its own."""

    def __init__(
        self,
        path: Path,
        people: Roster,
        channels: Mapping[str, Channel],
        settings: NoticeSettings = FAST,
        **changes: object,
    ) -> None:
        self.engine: Engine = open_sqlite(lay_database(path / "dothi.db"))
        self.notices = RelationalNotices(self.engine)
        self.queue = RelationalDeliveryQueue(self.engine)
        self.preferences = RelationalPreferences(self.engine)
        self.people = people
        self.settings = settings
        wording = Wording(read_templates(), ZONE, "https://hub.example.vn")
        fields: dict[str, object] = {"clock": SystemClock(), "wording": wording}
        self.ports = NoticePorts(
            notices=self.notices,
            queue=self.queue,
            preferences=self.preferences,
            people=people,
            channels=channels,
            **(fields | changes),  # type: ignore[arg-type]
        )
        self.service = NoticeService(self.ports, settings)

    def put(self, *notices: Notice) -> None:
        self.notices.put(notices)
        self.service.wake()

    def stored(self, number: int = 1) -> StoredNotice:
        found = self.notices.get(number)
        assert found is not None
        return found

    def deliveries(self) -> list[DeliveryRecord]:
        numbers = [one.number for one in self.notices.page(NoticeQuestion(limit=1000))]
        return self.notices.deliveries(numbers)

    def state(self, place: int = 0) -> DeliveryState | None:
        """Of a delivery, in the order in which they were made; None: not made yet."""
        found = self.deliveries()
        return found[place].delivery.state if place < len(found) else None

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not is_so():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def telling(
    path: Path,
    people: Sequence[Person],
    channels: Mapping[str, Channel],
    **changes: object,
) -> AsyncIterator[Desk]:
    """The service while it runs; `changes` are settings."""
    settings = msgspec.structs.replace(FAST, **changes)
    desk = Desk(path, Roster(list(people)), channels, settings)
    await desk.service.start()
    try:
        yield desk
    finally:
        await desk.service.stop()
        desk.engine.dispose()
