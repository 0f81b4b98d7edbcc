"""Table `pull_run`: the memory of the pull connectors."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine, Row, delete, insert, select

from dothi.model.moments import at_of, us_of
from dothi.ports.pulls import PullRun
from dothi.storage.relational.schema import pull_run
from dothi.storage.relational.writing import writing


class _State(msgspec.Struct):
    covered_to_us: int | None = None
    failures: int = 0


class RelationalPullRuns:
    """The port `PullRuns` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, connector: str) -> PullRun | None:
        query = select(pull_run).where(pull_run.c.connector == connector)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _run(row)

    def put(self, run: PullRun) -> None:
        state = _State(us_of(run.covered_to_at), run.failures)
        with writing(self._engine) as connection:
            connection.execute(delete(pull_run).where(pull_run.c.connector == run.connector))
            connection.execute(
                insert(pull_run).values(
                    connector=run.connector,
                    last_run_us=us_of(run.last_run_at),
                    next_run_us=us_of(run.next_run_at),
                    last_error=run.last_error,
                    state=msgspec.json.encode(state).decode(),
                )
            )

    def all(self) -> Sequence[PullRun]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(pull_run).order_by(pull_run.c.connector))
            return [_run(row) for row in rows]


def _run(row: Row[tuple[object, ...]]) -> PullRun:
    state = msgspec.json.decode(row.state, type=_State)
    next_run_at = at_of(row.next_run_us)
    assert next_run_at is not None  # the column is not null
    return PullRun(
        connector=row.connector,
        next_run_at=next_run_at,
        last_run_at=at_of(row.last_run_us),
        covered_to_at=at_of(state.covered_to_us),
        failures=state.failures,
        last_error=row.last_error,
    )
