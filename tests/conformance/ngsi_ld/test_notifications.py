"""Notifications of subscriptions (clauses 5.3.1, 5.8.6, 6.3.8)."""

from pathlib import Path

from tests.conformance.ngsi_ld.subscriber import ROOM, subscribed


async def test_a_change_is_notified_with_the_entity(tmp_path: Path) -> None:
    """5.3.1: id, type, subscriptionId, notifiedAt, data; 5.8.6: JSON with a Link by default."""
    async with subscribed(tmp_path) as door:
        await door.room(temperature=20, name="hall")
        number = await door.subscribe()
        await door.patch(temperature=21.5)
        found = await door.receiver.next()
        assert found.headers["content-type"] == "application/json"
        assert found.headers["link"].startswith("<https://uri.etsi.org/ngsi-ld/v1/")
        assert found.body["id"].startswith("urn:ngsi-ld:Notification:")
        assert found.body["type"] == "Notification"
        assert found.body["subscriptionId"] == number
        assert found.body["notifiedAt"].endswith("Z")
        assert found.data == [
            {
                "id": ROOM,
                "type": "Room",
                "name": {"type": "Property", "value": "hall"},
                "temperature": {"type": "Property", "value": 21.5},
            }
        ]
        await door.receiver.nothing()
