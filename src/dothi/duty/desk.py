"""Taking a position over, and handing it on: who may, and what stands on the sheet."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from dothi.access.position import Positions
from dothi.duty.sheet import digest_of, sheet_of
from dothi.model.handover import Handover, OpenItem
from dothi.model.person import Person
from dothi.model.problem import Problem
from dothi.model.shift import Duty
from dothi.ports.clock import Clock
from dothi.ports.handover import Handovers, OpenItems, Signing
from dothi.ports.people import People
from dothi.ports.shifts import Shifts

_LEAST_REASON = 10


class Desk(Struct, frozen=True):
    """Any thread; blocking."""

    people: People
    positions: Positions
    shifts: Shifts
    handovers: Handovers
    open_items: Sequence[OpenItems]
    clock: Clock

    def take(self, person_id: str, position: str) -> Duty:
        """Take over a position that nobody has, or stand beside who has it, without a sheet.

        Raises:
            Problem: not a person who holds the position (403), or on duty there already (409).
        """
        self._holder(person_id, position)
        return self.shifts.take(person_id, position)

    def leave(self, duty: int, person_id: str, reason: str) -> Duty:
        """End one's own duty with nobody to hand over to.

        Raises:
            Problem: no reason (400), or no such duty of that person (404).
        """
        return self.shifts.leave(duty, person_id, _reason(reason))

    def open(self, duty: int, person_id: str) -> Handover:
        """The sheet of a duty; for who has it and for who may take it over.

        Raises:
            Problem: no such duty (404), or not a holder of the position (403).
        """
        found = self._duty(duty)
        if found is not None and person_id != found.person:
            self._holder(person_id, found.position)
        handover = self.handovers.open(duty, person_id)
        return handover if handover.sheet else self._written(handover, handover.revision)

    def write(self, handover: Handover, notes: str, seen_revision: int, person_id: str) -> Handover:
        """New notes, and what is open now.

        Raises:
            Problem: not a holder of the position (403), signed, or changed by another (409).
        """
        self._holder(person_id, handover.position)
        return self._written(replace(handover, notes=notes), seen_revision)

    def items(self) -> list[OpenItem]:
        """What is open now."""
        return [item for part in self.open_items for item in part.open_items()]

    def sign(
        self, handover: Handover, person_id: str, digest: str, missing_reason: str = ""
    ) -> Handover:
        """Sign the text that was shown.

        Raises:
            Problem: not a holder of the position (403), the text has changed or she or he is on
                duty there already (409).
        """
        if person_id != handover.outgoing:
            self._holder(person_id, handover.position)
            missing_reason = _reason(missing_reason) if missing_reason else ""
        elif missing_reason:
            raise _not_allowed("whoever leaves signs, and gives no reason for not signing")
        return self.handovers.sign(Signing(handover.id, person_id, digest, missing_reason))

    def _written(self, handover: Handover, seen_revision: int) -> Handover:
        duty = self._duty(handover.duty)
        began_at = handover.opened_at if duty is None else duty.began_at
        sheet = sheet_of(handover, began_at, self.items(), self.clock.now())
        written = replace(handover, sheet=sheet, digest=digest_of(sheet))
        return self.handovers.write(written, seen_revision)

    def _duty(self, number: int) -> Duty | None:
        return next((one for one in self.shifts.current() if one.id == number), None)

    def _holder(self, person_id: str, position: str) -> Person:
        if position not in self.positions.by_id:
            known = ", ".join(self.positions.by_id)
            raise Problem(
                "position_unknown",
                "No such position",
                repr(position),
                404,
                remedy=f"known: {known}",
            )
        person = self.people.get(person_id)
        if person is None or not person.is_active:
            raise _not_allowed(f"{person_id} is no person of this centre: sign in with an own link")
        if position not in person.positions:
            raise _not_allowed(f"{person.name} does not hold the position {position}")
        return person


def _reason(text: str) -> str:
    clean = text.strip()
    if len(clean) < _LEAST_REASON:
        raise Problem(
            "reason_needed",
            "A reason is needed",
            f"say in at least {_LEAST_REASON} characters why",
            where="reason",
        )
    return clean


def _not_allowed(detail: str) -> Problem:
    return Problem(
        "position_not_held",
        "Not allowed at this position",
        detail,
        403,
        remedy="the administrator of people gives positions",
    )
