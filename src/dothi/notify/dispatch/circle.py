"""Who there is, what they chose, and on which ways each can be reached."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from dothi.model.person import Person
from dothi.model.preference import Preference
from dothi.ports.notices import Preferences, PushSubscription
from dothi.ports.people import People

WEB_PUSH = "web_push"


class Way(Struct, frozen=True):
    """A channel as planning sees it."""

    channel: str
    contact: str
    """Key in Person.contacts."""
    lane_of: Callable[[str], str]


class Circle:
    """A look at people and preferences at one time; for a few notices, then made anew.

    Blocking: used in the thread that plans.
    """

    def __init__(self, people: People, preferences: Preferences, now: datetime) -> None:
        self._people = people
        self._now = now
        self._chosen = {one.person: one for one in preferences.all()}
        self._browsers: dict[str, list[PushSubscription]] = {}
        for browser in preferences.pushes():
            self._browsers.setdefault(browser.person, []).append(browser)
        self._on_duty: dict[str, Sequence[Person]] = {}

    def at(self, position: str) -> Sequence[Person]:
        """Who is on duty at a position; empty: at any."""
        if position not in self._on_duty:
            found = self._people.on_duty(self._now, position)
            self._on_duty[position] = [one for one in found if one.is_active]
        return self._on_duty[position]

    def named(self, ids: Sequence[str]) -> list[Person]:
        """Those who are still there."""
        found = [self._people.get(one) for one in ids]
        return [one for one in found if one is not None and one.is_active]

    def interested(self) -> list[Person]:
        """Those who asked to be told although nobody sends it to them."""
        on_duty = {person.id for person in self.at("")}
        ids = [
            one.person
            for one in self._chosen.values()
            if one.is_told_off_duty or one.person in on_duty
        ]
        return self.named(ids)

    def preference(self, person: Person) -> Preference:
        return self._chosen.get(person.id) or Preference(person.id)

    def addresses(self, person: Person, ways: Mapping[str, Way]) -> list[tuple[Way, list[str]]]:
        """Ways on which the person can be reached, in her or his order, with the addresses."""
        chosen = [ways[name] for name in self.preference(person).channels if name in ways]
        found = self._among(person, chosen)
        # Somebody whose chosen channels are all gone is still to be told.
        return found or self._among(person, list(ways.values()))

    def _among(self, person: Person, ways: Sequence[Way]) -> list[tuple[Way, list[str]]]:
        found = [(way, self._of(person, way)) for way in ways]
        return [(way, addresses) for way, addresses in found if addresses]

    def _of(self, person: Person, way: Way) -> list[str]:
        if way.contact == WEB_PUSH:
            browsers = self._browsers.get(person.id, ())
            return [msgspec.json.encode(browser).decode() for browser in browsers]
        address = person.contacts.get(way.contact, "").strip()
        return [address] if address else []
