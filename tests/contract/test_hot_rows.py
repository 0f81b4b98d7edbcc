"""Rows of the hot log by columns: what is not asked for is not read."""

from itertools import count

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dothi.model.row import Kind
from dothi.pipeline.admit import admit
from dothi.ports.history import HotHint
from tests.contract.conftest import Opener
from tests.rows import PHU_AN, batch, minutes_ago

_MINUTES = count()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pm25", "label"]),
            st.one_of(st.none(), st.floats(-1e9, 1e9)),
            st.one_of(st.none(), st.text(max_size=5)),
            st.sampled_from([None, '{"value":[1]}', '{"accuracy":{"type":"Property","value":1}}']),
            st.sampled_from([Kind.PROPERTY, Kind.RELATIONSHIP]),
            st.sampled_from([1, 3, 9]),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sets(st.sampled_from(["number", "text", "body", "kind", "unit", "source", "batch"])),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_question_for_some_columns_gives_what_one_for_all_gives(
    reopen: Opener, told: list[tuple], columns: set[str]
) -> None:
    """Columns that are not asked for are not read, and texts only of rows that have some."""
    store = reopen()
    names = ("attribute", "number", "text", "body", "kind", "quality")
    cells = {name: [row[n] for row in told] for n, name in enumerate(names)}
    cells["observed_at"] = [minutes_ago(next(_MINUTES)) for _ in told]
    store.writer.commit(admit([batch(**cells)], {}))
    for attributes in (["pm25"], ["pm25", "label"]):
        keys = pa.table(
            {
                "entity": [PHU_AN] * len(attributes),
                "attribute": attributes,
                "dataset": [""] * len(attributes),
            }
        )
        every, _, _ = store.reader.hot(keys, None, None)
        always = {"entity", "attribute", "dataset", "observed_at", "committed_at", "quality"}
        wanted = [*always, "seq", "number", "change", "revision", *columns]
        hint = HotHint(columns=tuple(columns) or ("number",))
        some, _, _ = store.reader.hot(keys, None, None, hint)
        assert some.select(wanted) == every.select(wanted)
