"""Why an alarm that did fire was not noticed: something kept it from the operators."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from dothi.alarms.suppression import fits, was_in_force
from dothi.model.alarm import Place, Suppressed, SuppressionCause
from dothi.ports.alarms import AlarmReader
from dothi.rules.why_not import Reason, WhyNot

_WORDS: dict[Suppressed, Reason] = {
    Suppressed.SHELVED: "shelved",
    Suppressed.BY_DESIGN: "suppressed",
    Suppressed.OUT_OF_SERVICE: "out_of_service",
}
_FIRED = ("active", "ending")


def with_kept_back(
    found: Sequence[WhyNot], place: Place, at: datetime, reader: AlarmReader
) -> list[WhyNot]:
    """Answers of all rules, those that fired with what kept their alarm back at the time.

    Args:
        place: the entity that was asked for, with its areas.
    """
    fired = {one.rule.id for one in found if one.reason in _FIRED}
    # Ended ones too: the question may be about yesterday.
    then = [one for one in reader.suppressions(at) if was_in_force(one, at)]

    def told(one: WhyNot) -> WhyNot:
        if one.reason not in _FIRED:
            return one
        for suppression in then:
            if not fits(suppression, one.rule.id, place, one.rule.priority):
                continue
            if suppression.cause is SuppressionCause.PARENT and suppression.parent not in fired:
                continue
            word = _WORDS[suppression.cause.kind]
            return replace(one, reason=word, due_at=suppression.ended_at or suppression.until_at)
        return one

    return [told(one) for one in found]
