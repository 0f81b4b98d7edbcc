"""Linked entities in the query and the projection of subscriptions (clauses 4.9, 4.21, 4.5.23)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import problem_of
from tests.conformance.ngsi_ld.subscriber import Subscribed

HOUSE = "urn:ngsi-ld:House:1"
IN_HOUSE = {"type": "Relationship", "object": HOUSE}


async def _house(desk: Subscribed, **attributes: Any) -> None:
    made = await desk.create({"id": HOUSE, "type": "House", **attributes})
    assert made.status_code == 201, made.text


async def test_q_looks_into_linked_entities(desk: Subscribed) -> None:
    """4.9: rel{attr}."""
    await _house(desk, name="north", floors=3)
    await desk.subscribe(q='house{name}=="north"', notification={"join": "inline"})
    await desk.room("urn:ngsi-ld:Room:2", house={**IN_HOUSE, "object": "urn:ngsi-ld:House:9"})
    await desk.room(house=IN_HOUSE)
    (told,) = (await desk.receiver.next()).data
    assert told["house"]["entity"]["name"] == {"type": "Property", "value": "north"}
    await desk.receiver.nothing()


@pytest.mark.parametrize(
    ("chosen", "house"),
    [
        ({"pick": ["id", "house{name}"]}, {"name"}),
        ({"pick": ["id", "house{id,name}"]}, {"id", "name"}),
        ({"pick": ["id", "house"]}, {"id", "type", "name", "floors"}),
        ({"omit": ["house{name,type}"]}, {"id", "floors"}),
    ],
)
async def test_projection_of_linked_entities(
    desk: Subscribed, chosen: dict[str, Any], house: set[str]
) -> None:
    """4.21: braces name members of the linked entity."""
    await _house(desk, name="north", floors=3)
    await desk.subscribe(notification={"join": "inline", **chosen})
    await desk.room(house=IN_HOUSE)
    (told,) = (await desk.receiver.next()).data
    assert set(told["house"]["entity"]) == house


@pytest.mark.parametrize("member", ["a{b{c}", "a{b}c}", "a{}", "a{b,b}"])
async def test_wrong_projection(standing_desk: Subscribed, member: str) -> None:
    answer = await standing_desk.post(standing_desk.document(notification={"pick": [member]}))
    problem_of(answer, 400, "BadRequestData")
