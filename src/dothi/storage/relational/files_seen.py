"""Table `file_seen`: what the watched folders have given."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, select

from dothi.ports.files import SeenFile
from dothi.storage.relational.schema import file_seen
from dothi.storage.relational.writing import writing

_PATHS_PER_STATEMENT = 500
"""Below the limit of bound parameters of old SQLite builds (999)."""


class RelationalFilesSeen:
    """The port `FilesSeen` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, paths: Sequence[str]) -> dict[str, SeenFile]:
        found: dict[str, SeenFile] = {}
        with self._engine.connect() as connection:
            for part in _parts(paths):
                for row in connection.execute(select(file_seen).where(file_seen.c.path.in_(part))):
                    found[row.path] = SeenFile(
                        row.path,
                        row.digest,
                        row.size,
                        row.modified_ns,
                        datetime.fromtimestamp(row.imported_us / 1e6, UTC),
                        row.lines,
                        row.rejected,
                    )
        return found

    def record(self, files: Sequence[SeenFile]) -> None:
        if not files:
            return
        values = [
            {
                "path": seen.path,
                "digest": seen.digest,
                "size": seen.size,
                "modified_ns": seen.modified_ns,
                "imported_us": round(seen.imported_at.timestamp() * 1e6),
                "lines": seen.lines,
                "rejected": seen.rejected,
            }
            for seen in {seen.path: seen for seen in files}.values()
        ]
        with writing(self._engine) as connection:
            for part in _parts([seen.path for seen in files]):
                connection.execute(delete(file_seen).where(file_seen.c.path.in_(part)))
            connection.execute(insert(file_seen), values)


def _parts(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), _PATHS_PER_STATEMENT):
        yield paths[start : start + _PATHS_PER_STATEMENT]
