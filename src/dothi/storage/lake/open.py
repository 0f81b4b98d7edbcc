"""Puts the parts of the lake together."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dothi.ports.clock import Clock
from dothi.ports.cursors import Cursors
from dothi.ports.history import HotRows
from dothi.ports.sealing import ForgottenRows, SealSource
from dothi.ports.service import Service
from dothi.storage.lake.deletions import Deletions
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.history import LakeHistory
from dothi.storage.lake.lookup import LakeKeys
from dothi.storage.lake.periodic import PeriodicService
from dothi.storage.lake.sealing import Sealer
from dothi.storage.lake.series_reader import SeriesReader
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.lake.table import LakeTable
from dothi.storage.lake.upkeep import Upkeep

_LOOK_EVERY_S = 5.0
"""At two hundred thousand rows a second the log grows by a million between two looks."""


class Sealed(SealSource, ForgottenRows, Protocol):
    """The log of one lane, and what of it is forgotten."""


class Lake(Struct, frozen=True):
    """An open lake. `keys` needs nothing else, so the store can be given it first."""

    table: LakeTable
    keys: LakeKeys
    engine: Engine
    reader: SeriesReader
    deletions: Deletions
    settings: LakeSettings

    def history(self, hot: HotRows) -> LakeHistory:
        """The query path over this lake and the hot rows."""
        return LakeHistory(self.table, hot, self.engine, self.reader)

    def sealer(self, source: SealSource, cursors: Cursors, clock: Clock) -> Sealer:
        return Sealer(self.table, source, cursors, clock, self.settings)

    def upkeep(self, clock: Clock, forgotten: ForgottenRows | None = None) -> Upkeep:
        return Upkeep(self.table, self.engine, self.deletions, clock, self.settings, forgotten)

    def services(self, source: Sealed, cursors: Cursors, clock: Clock) -> Sequence[Service]:
        """What has to run beside the doors: sealing and upkeep."""
        sealer = self.sealer(source, cursors, clock)
        upkeep = self.upkeep(clock, source)
        pause_s = min(_LOOK_EVERY_S, self.settings.seal_every_s)
        return [
            PeriodicService("sealing", sealer.look, pause_s, sealer.measures),
            PeriodicService(
                "lake-upkeep", upkeep.round, self.settings.upkeep_every_s, upkeep.measures
            ),
        ]

    def close(self) -> None:
        """Release engine and reader."""
        self.engine.close()
        self.reader.close()


def open_lake(folder: Path, settings: LakeSettings) -> Lake:
    """Open `<data>/lake`, creating nothing before the first row is sealed or asked for."""
    table = LakeTable(folder / "observations")
    engine = Engine(settings, folder / "spill")
    reader = SeriesReader(settings.query_threads or os.cpu_count() or 1)
    return Lake(
        table=table,
        keys=LakeKeys(table, engine, reader),
        engine=engine,
        reader=reader,
        deletions=Deletions(folder / "deletions", table),
        settings=settings,
    )
