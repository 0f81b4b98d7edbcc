"""Words in alarms: an index of the trigrams of `alarm.search` (SQLite's FTS5, contentless).

It names candidates; what it cannot tell (the order of trigrams, words shorter than three letters)
is looked at in the rows. The texts are folded, so case and diacritics do not matter.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, column, func, select, table

from dothi.model.alarm import Alarm
from dothi.model.fold import fold
from dothi.storage.relational.alarm_rows import searched
from dothi.storage.relational.alarm_tables import alarm

CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS alarm_words USING fts5(search, content='', "
    "contentless_delete=1, detail=none, tokenize='trigram')"
)
FILL = "INSERT OR REPLACE INTO alarm_words (rowid, search) SELECT id, search FROM alarm"
_FEW = 5_000
"""More candidates than this are common words, which a page finds soon without the index."""
_words = table("alarm_words", column("rowid"), column("alarm_words"))
_PUT = "INSERT OR REPLACE INTO alarm_words (rowid, search) VALUES (?, ?)"


def put_words(connection: Connection, alarms: Iterable[Alarm]) -> None:
    """Index alarms that are new, or say something else than before."""
    rows = [(one.id, searched(one)) for one in alarms]
    if rows:
        connection.exec_driver_sql(_PUT, rows)


def among(connection: Connection, words: str) -> list[Any]:
    """A condition on `alarm` that leaves all that hold the words, and few others; none where it
    would not help."""
    match = _match(words)
    if not match:
        return []
    found = select(_words.c.rowid).where(_words.c.alarm_words.op("MATCH")(match))
    some = found.limit(_FEW + 1).subquery()
    if int(connection.scalar(select(func.count()).select_from(some)) or 0) > _FEW:
        return []
    return [alarm.c.id.in_(found)]


def _match(words: str) -> str:
    folded = [fold(word) for word in words.split()]
    # NUL ends a text for SQLite, so the index cannot hold it.
    grams = [w[n : n + 3] for w in folded if "\0" not in w for n in range(len(w) - 2)]
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in dict.fromkeys(grams))
