"""Who counts as a second person: only those who may approve, whoever asks."""

from collections.abc import Sequence

import pytest

from cap_samples import People
from dothi.access.person import approves
from dothi.app.config.settings import AccessSettings
from dothi.app.people import known_positions
from dothi.model.person import Person
from dothi.ports.people import approvers

_ONE = Person("one", "Một (test)", ("approver",))
_TWO = Person("two", "Hai (test)", ("approver", "operator"))
_OPERATOR = Person("operator", "Trực (test)", ("operator",))
_LEFT = Person("left", "Đã nghỉ (test)", ("approver",), is_active=False)


@pytest.mark.parametrize(
    ("people", "by", "count"),
    [
        pytest.param((), "administrator", 1, id="nobody is registered"),
        pytest.param((_ONE, _OPERATOR, _LEFT), "one", 1, id="one may, the others may not"),
        pytest.param((_ONE, _TWO), "one", 2, id="another may"),
        pytest.param((_ONE, _OPERATOR), "administrator", 2, id="the administrator beside one"),
    ],
)
def test_only_those_who_may_approve_count(people: Sequence[Person], by: str, count: int) -> None:
    may = approves(known_positions(AccessSettings()))
    assert approvers(People(*people), may, by) == count
