"""Opens the operational database and everything that reads or writes it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine

from dothi.app.data_folder import DataFolder
from dothi.ports.clock import Clock
from dothi.storage.lake.history import LakeHistory
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.access_store import AccessStore
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.answers import RelationalAnswers
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.audit import RelationalAudit
from dothi.storage.relational.clock_marks import RelationalClockMarks
from dothi.storage.relational.context_sources import RelationalContextSources
from dothi.storage.relational.cursors import RelationalCursors
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.entity_maps import RelationalEntityMaps
from dothi.storage.relational.entity_query import SqliteEntities
from dothi.storage.relational.entity_states import SqliteEntityStates
from dothi.storage.relational.evolution_query import SqliteEvolutions
from dothi.storage.relational.files_seen import RelationalFilesSeen
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from dothi.storage.relational.handovers import RelationalHandovers
from dothi.storage.relational.hot_log import SqliteLogWriter
from dothi.storage.relational.incidents import RelationalIncidents
from dothi.storage.relational.inventory import SqliteInventory
from dothi.storage.relational.ld_contexts import RelationalLdContexts
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.log_sealing import SqliteSealSource
from dothi.storage.relational.migrate import upgrade
from dothi.storage.relational.notice_deliveries import RelationalDeliveryQueue
from dothi.storage.relational.notice_preferences import RelationalPreferences
from dothi.storage.relational.notices import RelationalNotices
from dothi.storage.relational.outbox import RelationalOutbox
from dothi.storage.relational.people import RelationalPeople
from dothi.storage.relational.procedures import RelationalProcedures
from dothi.storage.relational.pull_runs import RelationalPullRuns
from dothi.storage.relational.receipts import RelationalReceipts
from dothi.storage.relational.rules import RelationalRules, put_states
from dothi.storage.relational.shifts import RelationalShifts
from dothi.storage.relational.snapshots import RelationalSnapshots
from dothi.storage.relational.sources import RelationalSources
from dothi.storage.relational.sqlite_store import open_store
from dothi.storage.relational.state import SqliteState
from dothi.storage.relational.subscriptions import RelationalSubscriptions
from dothi.storage.relational.warnings import RelationalWarnings

_PRIVATE = 0o600


class Registers(Struct, frozen=True):
    """The small tables; any process may use them, also beside a running server."""

    sessions: AccessStore
    sources: RelationalSources
    receipts: RelationalReceipts
    cursors: RelationalCursors
    areas: RelationalAreas
    files_seen: RelationalFilesSeen
    pull_runs: RelationalPullRuns
    entities: SqliteEntities
    inventory: SqliteInventory
    entity_maps: RelationalEntityMaps
    ld_contexts: RelationalLdContexts
    snapshots: RelationalSnapshots
    evolutions: SqliteEvolutions
    entity_states: SqliteEntityStates
    subscriptions: RelationalSubscriptions
    outbox: RelationalOutbox
    context_sources: RelationalContextSources
    people: RelationalPeople
    shifts: RelationalShifts
    handovers: RelationalHandovers
    audit: RelationalAudit
    answers: RelationalAnswers
    notices: RelationalNotices
    delivery_queue: RelationalDeliveryQueue
    notice_preferences: RelationalPreferences
    alarms: RelationalAlarmReader
    alarm_ledger: RelationalAlarmLedger
    incidents: RelationalIncidents
    procedures: RelationalProcedures
    warnings: RelationalWarnings
    foreign_warnings: RelationalForeignWarnings
    rules: RelationalRules
    clock_marks: RelationalClockMarks


class Stores(Registers, frozen=True):
    """Everything; belongs to the one process that holds the lock of the data directory."""

    writer: SqliteLogWriter
    reader: SqliteLogReader
    seal_source: SqliteSealSource
    state: SqliteState
    lake: Lake
    history: LakeHistory


@contextmanager
def open_registers(folder: DataFolder, clock: Clock) -> Iterator[Registers]:
    """The small tables alone, for commands."""
    engine = open_database(folder)
    try:
        yield Registers(**_registers(engine, clock))
    finally:
        engine.dispose()


@contextmanager
def open_stores(folder: DataFolder, clock: Clock, settings: LakeSettings) -> Iterator[Stores]:
    """All stores; what was opened last is closed first."""
    with ExitStack() as stack:
        lake = open_lake(folder.lake, settings)
        stack.callback(lake.close)
        store = open_store(folder.database, lake.keys, clock)
        stack.callback(store.close)
        folder.database.chmod(_PRIVATE)
        yield Stores(
            **_registers(store.engine, clock),
            writer=store.writer,
            reader=store.reader,
            seal_source=store.sealing,
            state=store.state,
            lake=lake,
            history=lake.history(store.reader),
        )


def open_database(folder: DataFolder) -> Engine:
    """The database with the newest schema."""
    engine = open_sqlite(folder.database)
    upgrade(engine)
    folder.database.chmod(_PRIVATE)
    return engine


def _registers(engine: Engine, clock: Clock) -> dict[str, Any]:
    return {
        "sessions": AccessStore(engine, clock),
        "sources": RelationalSources(engine),
        "receipts": RelationalReceipts(engine),
        "cursors": RelationalCursors(engine),
        "areas": RelationalAreas(engine),
        "files_seen": RelationalFilesSeen(engine),
        "pull_runs": RelationalPullRuns(engine),
        "entities": SqliteEntities(engine, clock),
        "inventory": SqliteInventory(engine, clock),
        "entity_maps": RelationalEntityMaps(engine, clock),
        "ld_contexts": RelationalLdContexts(engine),
        "snapshots": RelationalSnapshots(engine),
        "evolutions": SqliteEvolutions(engine),
        "entity_states": SqliteEntityStates(engine, clock),
        "subscriptions": RelationalSubscriptions(engine),
        "outbox": RelationalOutbox(engine),
        "context_sources": RelationalContextSources(engine),
        "people": RelationalPeople(engine, clock),
        "shifts": RelationalShifts(engine, clock),
        "handovers": RelationalHandovers(engine, clock),
        "audit": RelationalAudit(engine, clock),
        "answers": RelationalAnswers(engine),
        "notices": RelationalNotices(engine),
        "delivery_queue": RelationalDeliveryQueue(engine),
        "notice_preferences": RelationalPreferences(engine),
        "alarms": RelationalAlarmReader(engine),
        "alarm_ledger": RelationalAlarmLedger(engine, put_states),
        "incidents": RelationalIncidents(engine),
        "procedures": RelationalProcedures(engine),
        "warnings": RelationalWarnings(engine),
        "foreign_warnings": RelationalForeignWarnings(engine),
        "rules": RelationalRules(engine),
        "clock_marks": RelationalClockMarks(engine),
    }
