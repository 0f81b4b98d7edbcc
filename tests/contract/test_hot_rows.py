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
        always = {"entity", "attribute", "dataset", "observed_at", "quality"}
        wanted = [*always, "seq", "number", "change", "revision", *columns]
        hint = HotHint(columns=tuple(columns) or ("number",))
        some, _, _ = store.reader.hot(keys, None, None, hint)
        assert some.select(wanted) == every.select(wanted)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.floats(-1e9, 1e9),
            st.sampled_from([1, 1, 1, 3]),
            st.sampled_from([None] * 9 + ['{"value":[1]}']),
        ),
        min_size=1,
        max_size=9,
    ),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_alone_are_read_as_whole_rows_are(
    reopen: Opener, told: list[tuple], minutes: tuple[int, int], is_timeless: bool
) -> None:
    """Rows of one series that are alike but for their numbers, corrections and rows without a time
    among them."""
    store = reopen()
    entity = f"urn:ngsi-ld:Gauge:{next(_MINUTES)}"
    for minute, number, quality, body in told:
        at = minutes_ago(10 - minute)
        one = {"entity": entity, "number": [number], "quality": quality, "body": body}
        store.writer.commit(admit([batch(**one, observed_at=[at])], {}))
    if is_timeless:
        store.writer.commit(admit([batch(entity=entity, number=[1.0], observed_at=[None])], {}))
    keys = pa.table({"entity": [entity], "attribute": ["level"], "dataset": [""]})
    spans = [None, *(int(minutes_ago(10 - minute).timestamp() * 1e6) for minute in minutes)]
    for start_us, end_us in ((None, None), (spans[1], None), (None, spans[2]), tuple(spans[1:])):
        every, _, _ = store.reader.hot(keys, start_us, end_us)
        some, _, _ = store.reader.hot(keys, start_us, end_us, HotHint(columns=("number", "body")))
        gone = {"committed_at", "unit", "source", "batch", "text"}
        wanted = [name for name in every.column_names if name not in gone]
        assert some.select(wanted) == every.select(wanted)
