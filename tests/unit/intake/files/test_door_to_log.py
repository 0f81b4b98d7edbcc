"""Station files through the real commit path: quality, corrections, receipts."""

from datetime import UTC, datetime
from pathlib import Path

from dothi.intake.files.door import FilesDoor, Ports
from dothi.intake.files.settings import FilesSettings
from hub import Hub, open_hub
from memory_ports import FixedClock

NOW = datetime(2025, 1, 1, 4, 0, tzinfo=UTC)
SAMPLE = (
    "pH\t7,21\t-\t20250101103000\t00\r\n"
    "COD\t35.6\tmg/L\t20250101103000\t00\r\n"
    "TSS\t18.2\tmg/L\t20250101103000\t01\r\n"
    "Flow\t\tm3/h\t20250101103000\t02\r\n"
    "Nope\t1\tm3/h\t20250101103000\t00\r\n"
)


async def run_door(folder: Path, hub: Hub) -> None:
    settings = FilesSettings(folder=str(folder), stable_s=0, poll_s=3600)
    ports = Ports(hub.intake, hub.files_seen, hub.sources, FixedClock(NOW))
    door = FilesDoor(settings, ports)
    await door.start()
    await door.stop()
    door._stopping.clear()
    await door.look()


async def test_files_become_history_and_receipts_add_up(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "BD_KCNA_NUO001_20250101103000.txt").write_bytes(SAMPLE.encode("utf-8-sig"))
    async with open_hub(tmp_path, FixedClock(NOW)) as hub:
        await run_door(inbox, hub)
    changed = SAMPLE.replace("35.6", "30.1")
    (inbox / "BD_KCNA_NUO001_20250101103100.txt").write_bytes(changed.encode())
    async with open_hub(tmp_path, FixedClock(NOW)) as hub:
        await run_door(inbox, hub)
        rows = hub.rows()
        found = [
            (row["attribute"], row["number"], row["quality"], row["revision"])
            for row in rows.to_pylist()
        ]
        assert found == [
            ("pH", 7.21, 1, 0),
            ("cod", 35.6, 1, 0),
            ("tss", 18.2, 4, 0),
            ("flow", None, 9, 0),
            ("cod", 30.1, 1, 1),
        ]
        (totals,) = hub.receipts.totals()
        assert totals.source == "BD_KCNA_NUO001"
        assert (totals.received, totals.stored, totals.rejected, totals.duplicate) == (10, 5, 2, 3)
        reject = hub.receipts.rejects("BD_KCNA_NUO001")[0]
        assert reject.reason == "symbol_unknown"
        assert "NUO001_20250101103100.txt, line 5" in reject.detail
