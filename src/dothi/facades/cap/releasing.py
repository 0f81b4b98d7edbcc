"""Two-person release: who may let a message out. Pure."""

from collections.abc import Sequence

from dothi.model.person import Person
from dothi.model.warning import MessageState, WarningMessage
from dothi.ports.warnings import Refusal


def refusal(
    message: WarningMessage | None, person: str, people: Sequence[Person] | None
) -> Refusal | None:
    """Why `person` may not release the message; None: she or he may.

    Whoever wrote any of its text, or submitted it, is one of the two persons and cannot be the
    other. `people`: everybody; None: not known.
    """
    if message is None or message.state is not MessageState.SUBMITTED:
        return Refusal("not_submitted", "nothing was submitted for release")
    involved = {*message.editors, message.author, message.submitted_by}
    if person not in involved:
        return None
    if people is not None and not _others(people, involved):
        return Refusal(
            "only_one_person",
            "a warning is released by a second person, and there is no other active person here "
            "than those who wrote and submitted it; add one (`dothi person add`)",
        )
    if person in {*message.editors, message.author}:
        return Refusal("own_text", f"{person} wrote this message; another person releases it")
    return Refusal("own_submission", f"{person} submitted it; another person releases it")


def _others(people: Sequence[Person], involved: set[str]) -> bool:
    return any(person.is_active and person.id not in involved for person in people)
