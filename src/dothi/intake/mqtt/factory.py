"""The MQTT door as app starts it."""

from dothi.intake.mqtt.embedded.service import EmbeddedMqtt
from dothi.intake.mqtt.external.service import ExternalMqtt
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import MqttSettings
from dothi.ports.ingest import Ingest
from dothi.ports.registry import Sources


def mqtt_service(
    settings: MqttSettings, ingest: Ingest, sources: Sources
) -> EmbeddedMqtt | ExternalMqtt | None:
    """A Service with `counters`; None when the door is off.

    Raises:
        Problem: a rule cannot be understood.
    """
    if settings.mode == "off":
        return None
    mapper = Mapper(settings)
    if settings.mode == "external":
        return ExternalMqtt(settings, mapper, ingest)
    return EmbeddedMqtt(settings, mapper, ingest, sources)
