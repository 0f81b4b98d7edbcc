"""What a payload reader hands on."""

from typing import NamedTuple

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.values import Value


class Found(NamedTuple):
    """One observation of one entity."""

    entity: str
    entity_type: str
    attribute: str
    value: Value


Finding = Found | BadPayload
"""An observation, or one that is refused while its neighbours stand."""
