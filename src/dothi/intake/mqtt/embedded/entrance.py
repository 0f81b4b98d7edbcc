"""From an accepted CONNECT to a session and its CONNACK."""

from dothi.intake.mqtt.codec.packets import V5, Connack, Connect
from dothi.intake.mqtt.codec.properties import Properties, Property, number
from dothi.intake.mqtt.embedded.host import Host
from dothi.intake.mqtt.embedded.session import Session

NO_LIMIT = 0xFFFFFFFF


def enter(host: Host, connect: Connect, source: str | None) -> tuple[Session, Connack]:
    """Takes the session over from an older connection of the same client, if there is one.

    Raises:
        PacketError: the client id will not do, or there are too many sessions.
    """
    old = host.broker.find_session(source, connect.client_id)
    if old is not None and old.outlet is not None:
        old.outlet.evict()
    session, was_there = host.broker.open_session(connect, source)
    asked_s = NO_LIMIT
    if connect.version == V5:
        asked_s = number(connect.properties, Property.SESSION_EXPIRY, 0)
    elif connect.is_clean:
        asked_s = 0
    session.expiry_s = min(asked_s, host.settings.max_session_expiry_s)
    properties: Properties = {
        int(Property.MAXIMUM_PACKET_SIZE): host.max_packet_bytes,
        int(Property.SHARED_AVAILABLE): 0,
    }
    if session.expiry_s != asked_s:
        properties[int(Property.SESSION_EXPIRY)] = session.expiry_s
    if not connect.client_id:
        properties[int(Property.ASSIGNED_CLIENT_ID)] = session.client_id
    return session, Connack(was_there, 0, properties)
