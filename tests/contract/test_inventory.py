"""ports.inventory: exact right after every change, though scans are remembered."""

from datetime import UTC, datetime
from pathlib import Path

from dothi.model.batch import Batch
from dothi.model.row import Change, Kind, rows_table
from dothi.ports.inventory import Usage
from dothi.storage.relational.inventory import SqliteInventory
from hub import Hub, open_hub

NOW = datetime.now(UTC)


async def _submit(hub: Hub, id_: str, **columns: object) -> None:
    await hub.intake.submit(Batch(id_, rows_table({"source": "s", **columns}), NOW))


async def test_inventory_follows_the_store(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        inventory = SqliteInventory(hub.engine)
        assert inventory.types() == []
        assert inventory.usage() == []
        await _submit(
            hub,
            "1",
            entity=["urn:a", "urn:b", "urn:c"],
            entity_type=["T", "T", "U"],
            attribute="n",
            number=1.0,
        )
        assert inventory.types() == ["T", "U"]
        assert inventory.count("T") == 2
        expected = [Usage("T", "n", (Kind.PROPERTY,), 2), Usage("U", "n", (Kind.PROPERTY,), 1)]
        assert inventory.usage() == expected
        assert inventory.usage("T") == expected[:1]
        assert inventory.usage(attribute="n") == expected
        assert inventory.instances("n") == 3
        await _submit(
            hub, "2", entity=["urn:a"], attribute="r", text="urn:a", kind=int(Kind.RELATIONSHIP)
        )
        assert inventory.usage("T")[1] == Usage("T", "r", (Kind.RELATIONSHIP,), 1)
        await _submit(hub, "3", entity=["urn:c"], attribute="", change=int(Change.DELETE_ENTITY))
        assert inventory.types() == ["T"]
        assert inventory.usage(attribute="n") == expected[:1]
        await _submit(
            hub, "4", entity=["urn:a"], attribute="r", change=int(Change.DELETE_ATTRIBUTE)
        )
        assert inventory.usage("T") == expected[:1]
        assert inventory.count("U") == inventory.instances("r") == 0
