"""A new database without running every migration again: copied from one that was migrated once."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade


def lay_database(path: Path) -> Path:
    """Put an empty database of the newest schema at `path`, unless there is one; gives `path`.

    The migrations themselves are tested in unit/storage/relational/test_migrate.py and by every
    real program that starts on an empty folder.
    """
    if not path.exists():
        path.write_bytes(_migrated())
    return path


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dothi.db"
        engine = open_sqlite(path)
        upgrade(engine)
        engine.dispose()
        assert not path.with_name("dothi.db-wal").exists(), "the copy would lack what is in the WAL"
        return path.read_bytes()
