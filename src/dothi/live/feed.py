"""Keeps the board up to date with the log and turns it into messages."""

from time import monotonic
from uuid import uuid4

import msgspec
import pyarrow as pa
from msgspec import Struct

from dothi.live.alarm_view import alarm_view
from dothi.live.board import Board
from dothi.live.entity_view import entity_views, values_of
from dothi.live.newest import newest
from dothi.live.settings import LiveSettings
from dothi.live.source_view import source_views
from dothi.live.view import Delta, EntityView, Snapshot
from dothi.model.alarm import OPEN
from dothi.model.source import Source
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.clock import Clock
from dothi.ports.log import LogReader
from dothi.ports.receipts import Receipts
from dothi.ports.registry import Sources
from dothi.ports.state import EntityQuery, State

_READ_ROWS = 50_000
_PAGE = 5_000
_WORLD = (-180.0, -90.0, 180.0, 90.0)


class LiveDeps(Struct, frozen=True):
    """What the live view reads."""

    log: LogReader
    state: State
    sources: Sources
    receipts: Receipts
    clock: Clock
    alarms: AlarmReader | None = None


class Message(Struct, frozen=True):
    """A text for a viewer, and where the viewer stands after it."""

    text: str
    epoch: str
    n: int


class Feed:
    """Blocking; one thread at a time."""

    def __init__(self, deps: LiveDeps, settings: LiveSettings) -> None:
        self._deps = deps
        self._settings = settings
        self._board: Board | None = None
        self._seq = 0
        self._revision = 0
        self._sources_due_s = 0.0
        self._only_placed = False
        self._texts: dict[int | None, Message] = {}
        """Messages of the present number, by the number they follow (None: snapshot)."""

    def release(self) -> None:
        """Forget everything; the next snapshot starts an epoch."""
        self._board = None
        self._texts = {}

    def advance(self) -> tuple[str, int]:
        """Take in what is new; gives epoch and number ("" and 0 before the first snapshot)."""
        board = self._board
        if board is None:
            return "", 0
        board.begin()
        self._follow_log(board)
        self._follow_alarms(board)
        is_due = monotonic() >= self._sources_due_s
        if is_due and not self._follow_sources(board):
            self.release()  # labels of values changed: everything is shown anew
            board = self._loaded()
        elif board.end():
            self._texts = {}
        return board.epoch, board.n

    def advance_alarms(self) -> tuple[str, int]:
        """The same for what is new of alarms alone."""
        board = self._board
        if board is None:
            return "", 0
        board.begin()
        self._follow_alarms(board)
        if board.end():
            self._texts = {}
        return board.epoch, board.n

    def message(self, epoch: str, after: int) -> Message:
        """The delta after a number, or a snapshot where that number means nothing here."""
        board = self._loaded()
        can_follow = epoch == board.epoch and board.oldest <= after <= board.n
        key = after if can_follow else None
        if key not in self._texts:
            content = self._snapshot(board) if key is None else self._delta(board, key)
            text = msgspec.json.encode(content).decode()
            self._texts[key] = Message(text, board.epoch, board.n)
        return self._texts[key]

    def _snapshot(self, board: Board) -> Snapshot:
        return board.snapshot(self._now_text())

    def _delta(self, board: Board, after: int) -> Delta:
        return board.delta(after, self._now_text())

    def _loaded(self) -> Board:
        if self._board is None:
            board = Board(uuid4().hex[:12], self._source_map())
            board.begin()
            self._reload(board)
            self._load_alarms(board)
            self._follow_sources(board)
            board.end()
            self._board = board
            self._texts = {}
        return self._board

    def _load_alarms(self, board: Board) -> None:
        alarms = self._deps.alarms
        if alarms is None:
            return
        self._revision = alarms.revision()
        for alarm in alarms.page(AlarmQuery(states=OPEN, limit=self._settings.max_alarms)):
            board.put_alarm(alarm_view(alarm))

    def _follow_alarms(self, board: Board) -> None:
        alarms = self._deps.alarms
        is_more = alarms is not None
        while alarms is not None and is_more:
            changed = alarms.changed_after(self._revision, _PAGE)
            for alarm in changed:
                board.put_alarm(alarm_view(alarm))
                self._revision = alarm.revision
            is_more = len(changed) == _PAGE
        board.keep_alarms(self._settings.max_alarms)

    def _follow_log(self, board: Board) -> None:
        log = self._deps.log
        head = log.head()
        if head - self._seq > self._settings.max_lag_rows:
            self._reload(board)
        while self._seq < head:
            rows = log.read(self._seq, _READ_ROWS)
            if log.tail() > self._seq + 1:  # sealing took rows that were not read yet
                self._reload(board)
                return
            self._seq = int(rows["seq"][-1].as_py())
            self._apply(board, rows)

    def _apply(self, board: Board, rows: pa.Table) -> None:
        found = newest(rows, board)
        senders = found.values["source"].unique().to_pylist()
        if any(sender not in board.sources for sender in senders):
            board.sources = self._source_map()
        columns = found.values.append_column("modified_at", found.values["committed_at"])
        board.put_values(values_of(columns, board.sources))
        for start in range(0, len(found.reread), _PAGE):
            ids = tuple(found.reread[start : start + _PAGE])
            present = set()
            for view in self._views(board, EntityQuery(ids=ids, limit=len(ids))):
                if view.lon is not None or not self._only_placed:
                    board.put_entity(view)
                    present.add(view.id)
            for entity in set(ids) - present:
                board.remove_entity(entity)

    def _reload(self, board: Board) -> None:
        """Read the whole state; rows after `_seq` are then applied once more, which is harmless."""
        self._seq = self._deps.log.head()
        board.sources = self._source_map()
        everything = EntityQuery()
        self._only_placed = self._deps.state.count(everything) > self._settings.max_entities
        seen: list[str] = []
        after = ""
        while len(seen) < self._settings.max_entities:
            query = EntityQuery(
                bbox=_WORLD if self._only_placed else None,
                after_id=after,
                limit=min(_PAGE, self._settings.max_entities - len(seen)),
            )
            views = self._views(board, query)
            for view in views:
                board.put_entity(view)
                seen.append(view.id)
            if len(views) < query.limit:
                break
            after = views[-1].id
        board.keep_only(seen)

    def _views(self, board: Board, query: EntityQuery) -> list[EntityView]:
        entities = self._deps.state.entities(query)
        ids = entities["id"].to_pylist()
        attributes = self._deps.state.attributes(ids)
        missing = set(attributes["source"].unique().to_pylist()) - board.sources.keys() - {None}
        if missing:
            board.sources = self._source_map()
        return entity_views(entities, attributes, board.sources)

    def _follow_sources(self, board: Board) -> bool:
        """Look at the figures; False: a source's label or cadence is another than on the board."""
        begun_s = monotonic()
        found = self._source_map()
        if any(_label(found[s]) != _label(old) for s, old in board.sources.items() if s in found):
            return False
        board.sources = found
        for view in source_views(self._deps.sources, self._deps.receipts, self._deps.clock.now()):
            board.put_source(view)
        # With thousands of sources a look takes long: at most a tenth of the time goes into it.
        rest_s = max(self._settings.sources_s, 10 * (monotonic() - begun_s))
        self._sources_due_s = monotonic() + rest_s
        return True

    def _source_map(self) -> dict[str, Source]:
        return {source.id: source for source in self._deps.sources.all()}

    def _now_text(self) -> str:
        return self._deps.clock.now().isoformat().replace("+00:00", "Z")


def _label(source: Source) -> tuple[object, ...]:
    return source.origin, source.origin_note, source.origin_note_vi, source.cadence_s
