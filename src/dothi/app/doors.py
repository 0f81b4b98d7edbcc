"""The ways in: which are open, where they listen, and the example that uses them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.app.config.settings import Settings
from dothi.app.notifications import senders
from dothi.app.stage import Stage
from dothi.app.stores import Stores
from dothi.facades.ngsi_ld.door import NgsiLdDeps, NgsiLdDoor
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.intake.files import door as files_door
from dothi.intake.http import door as http_door
from dothi.intake.mqtt.embedded.service import EmbeddedMqtt
from dothi.intake.mqtt.factory import mqtt_service
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.hubs import HubPorts, Tenants
from dothi.ports.service import Service

_LOOPBACK = ("127.0.0.0/8", "::1/128")


class Hub(Struct, frozen=True):
    """What every door hands to, what some read, and the hubs beside it."""

    ports: HubPorts
    tenants: Tenants


class Doors:
    """Doors that are not configured are left out."""

    def __init__(
        self, settings: Settings, stores: Stores, hub: Hub, clock: Clock, data_folder: Path
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._ingest = ingest = hub.ports.ingest
        self._clock = clock
        self._data_folder = data_folder
        self._mqtt = mqtt_service(settings.mqtt, ingest, stores.sources)
        self._ngsi_ld = NgsiLdDoor(
            NgsiLdDeps(
                hub.ports,
                hub.tenants,
                clock=clock,
                contexts=stores.ld_contexts,
                public_url=settings.server.public_url,
                senders=partial(senders, settings),
            ),
            _with_egress(settings),
        )
        self.deliveries = self._ngsi_ld.deliveries(hub.ports, "")
        self.services: list[Service] = [
            self._ngsi_ld,
            *self._ngsi_ld.services(hub.ports, ""),
        ]
        if self._mqtt is not None:
            self.services.append(self._mqtt)
        if settings.files.folder:
            ports = files_door.Ports(ingest, stores.files_seen, stores.sources, clock)
            self.services.append(files_door.FilesDoor(settings.files, ports))
        if settings.pull.connectors:
            # Imported here: without connectors nobody needs the HTTP client.
            from dothi.app.warning_feeds import cap_ports
            from dothi.intake.pull import service as pull
            from dothi.intake.pull.build import pull_service

            cap = cap_ports(stores, clock)
            pulls = pull.Ports(ingest, stores.pull_runs, stores.sources, clock, cap)
            self.services.append(pull_service(settings.pull, pulls))

    def endpoints(self) -> list[Endpoint]:
        """The doors that are HTTP routes."""
        deps = http_door.HttpIntakeDeps(self._ingest, self._clock, self._settings.intake_http)
        return [*http_door.endpoints(deps), *self._ngsi_ld.endpoints()]

    def beside(self, hub: HubPorts, tenant: str) -> Sequence[Service]:
        """What runs beside the hub of a tenant."""
        return self._ngsi_ld.services(hub, tenant)

    def addresses(self) -> dict[str, str]:
        """Where the doors of running services are found."""
        found = {}
        if self._mqtt is not None:
            host, port = self._broker()
            found["MQTT"] = f"{host}:{port}"
        if self._settings.files.folder:
            found["Files"] = self._settings.files.folder
        return found

    def stage(self) -> Stage:
        """For what plays devices, once the doors are open."""
        return Stage(
            self._settings,
            self._data_folder,
            self._stores.sources,
            self._stores.areas,
            self._ingest,
            self._clock,
            self._stores.rules,
            *self._broker(),
        )

    def need_mqtt(self) -> None:
        """Raise Problem when nothing can be played: the MQTT door is closed."""
        if self._mqtt is None:
            raise Problem(
                "needs_mqtt",
                "The example and drills need the MQTT door",
                "their stations send through it, and mqtt.mode is off",
                where="mqtt.mode",
                remedy='set mqtt.mode = "embedded", or start with --empty',
            )

    def _broker(self) -> tuple[str, int]:
        """Host and port that devices connect to."""
        mqtt = self._settings.mqtt
        if isinstance(self._mqtt, EmbeddedMqtt):
            return mqtt.embedded.host, self._mqtt.port
        return mqtt.external.host, mqtt.external.port


def _with_egress(settings: Settings) -> NgsiLdSettings:
    """Without sign-in everybody is on this machine and reaches its services anyway."""
    ngsi_ld = settings.ngsi_ld
    if settings.access.mode != "open":
        return ngsi_ld
    opened = (*ngsi_ld.egress_allow, *_LOOPBACK)
    return msgspec.structs.replace(ngsi_ld, egress_allow=opened)
