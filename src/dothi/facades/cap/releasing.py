"""Two-person release: who may let a message out. Pure."""

from collections.abc import Sequence

from dothi.model.person import Person
from dothi.model.warning import MessageState, WarningMessage
from dothi.ports.warnings import Refusal

_PERSONS = 2
_ALONE = (
    "a warning is released by a second person, and there is no other active person here than those "
    "who wrote and submitted it; add one (`dothi person add`, or the screen People)"
)


def refusal(
    message: WarningMessage | None, who: str, people: Sequence[Person] | None
) -> Refusal | None:
    """Why `who` may not release the message; None: she or he may.

    Whoever wrote any of its text, or submitted it, is one of the two persons and cannot be the
    other. Both are persons of the register: the administrator's link belongs to nobody in
    particular, so that one human being with two links would be both.

    people: everybody; None: not known.
    """
    if message is None or message.state is not MessageState.SUBMITTED:
        return Refusal("not_submitted", "nothing was submitted for release")
    involved = {*message.editors, message.author, message.submitted_by}
    if people is not None:
        active = {person.id for person in people if person.is_active}
        if len(active) < _PERSONS or not active - involved:
            return Refusal("only_one_person", _ALONE)
        for name, did in ((message.submitted_by, "submitted it"), (who, "asks to release it")):
            if name not in active:
                return Refusal(
                    "not_a_person",
                    f"{name}, who {did}, is no active person of the register; two persons who "
                    "sign in as themselves submit and release",
                )
    if who in {*message.editors, message.author}:
        return Refusal("own_text", f"{who} wrote this message; another person releases it")
    if who == message.submitted_by:
        return Refusal("own_submission", f"{who} submitted it; another person releases it")
    return None
