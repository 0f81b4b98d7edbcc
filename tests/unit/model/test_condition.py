"""Conditions as keys: of what was found, of plans."""

from dothi.model.condition import Between, Compare, Comparison, OneOf, Target, Term

ON = Target("on")


def test_values_of_other_kinds_make_other_conditions() -> None:
    values = (True, 1.0, "1", Term("1"))
    compared = {Compare(ON, Comparison.EQUAL, value) for value in values}
    listed = {OneOf(ON, (value, "x")) for value in values}
    ranges = {Between(ON, value, value) for value in values}
    assert len(compared) == len(listed) == len(ranges) == 4
    assert Compare(ON, Comparison.EQUAL, Term("1")) == Compare(ON, Comparison.EQUAL, Term("1"))
