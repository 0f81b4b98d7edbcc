"""The whole HTTP side: every Endpoint mounted, with identity, health and the boundary around."""

from collections.abc import Callable, Sequence

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api import deeds as api
from dothi.app.config.sections import ServerSettings, is_loopback
from dothi.app.config.settings import Settings
from dothi.app.http.boundary import Boundary
from dothi.app.http.health import Health
from dothi.app.http.identity import Identity, Known
from dothi.app.http.login import Login
from dothi.app.http.mount import Mount
from dothi.app.http.recorder import Recorder
from dothi.app.http.repeats import Repeats
from dothi.app.supervisor import Supervisor
from dothi.facades.ngsi_ld import deeds as ngsi_ld
from dothi.model.measure import Measure

DEEDS = {**api.DEEDS, **ngsi_ld.DEEDS}
UNTOLD = {**api.UNTOLD, **ngsi_ld.UNTOLD}
"""Which endpoints enter the audit record, and which do not and why."""


class Site:
    """Built in wiring; `app` is what the server serves."""

    def __init__(
        self,
        settings: Settings,
        known: Known,
        supervisor: Supervisor,
        measures: Callable[[], Sequence[Measure]],
        endpoints: Sequence[Endpoint],
    ) -> None:
        identity = Identity(known, settings.access.mode, settings.server.public_url)
        health = Health(
            supervisor, lambda: [*self.app.measures(), *measures()], _metrics_for(settings.server)
        )
        login = Login(known, identity, settings.access)
        self.endpoints = [*health.endpoints(), *login.endpoints(), *endpoints]
        """Everything that is mounted."""
        health.publish(self.endpoints)
        recorder = Recorder(known.audit, DEEDS, UNTOLD)
        told = [recorder.around(endpoint) for endpoint in self.endpoints]
        mount = Mount(identity, Repeats(known.answers), settings.server.max_body_mb * 2**20)
        self.app = Boundary(mount.router(told), settings.log.requests)


def _metrics_for(server: ServerSettings) -> Permission:
    """Everybody on this machine reads the figures; others, also through a proxy, sign in."""
    is_private = is_loopback(server.host) and not server.public_url
    return Permission.PUBLIC if is_private else Permission.READ
