"""The door when the API is switched off."""

from pathlib import Path

from msgspec.structs import replace
from tests.conformance.ngsi_ld.broker import following_of, ports_of
from tests.hub import open_hub

from dothi.facades.ngsi_ld.door import NgsiLdDeps, NgsiLdDoor
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings


async def test_a_switched_off_api_holds_back_no_sealing(tmp_path: Path) -> None:
    lake = open_lake(tmp_path / "lake", LakeSettings())
    async with open_hub(tmp_path) as hub:
        following = following_of(hub)
        ports = replace(ports_of(hub, lake), following=following)
        cursors = following.cursors
        cursors.advance("ngsi-ld subscriptions", 5)
        cursors.advance("another", 9)
        door = NgsiLdDoor(NgsiLdDeps(ports), NgsiLdSettings(is_enabled=False))
        for service in door.services(ports, ""):
            await service.start()
            await service.stop()
        assert cursors.positions() == {"another": 9}
    lake.close()
