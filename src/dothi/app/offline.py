"""What commands do to the data directory beside, or without, a running server."""

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.exposure import reachable
from dothi.app.stores import open_registers
from dothi.ports.clock import SystemClock
from dothi.ports.sessions import ADMINISTRATOR


def make_login_link(settings: Settings, folder: DataFolder, person: str = ADMINISTRATOR) -> str:
    """A new one-time link. Raises Problem: dothi never ran here."""
    folder.require()
    access = settings.access
    lifetime_s = (
        access.link_lifetime_s if person == ADMINISTRATOR else access.person_link_lifetime_s
    )
    with open_registers(folder, SystemClock()) as registers:
        token = registers.sessions.make_link(lifetime_s, person)
    return login_url(base_url(settings, folder), token)


def base_url(settings: Settings, folder: DataFolder) -> str:
    """Where a browser finds the server: as configured, as it runs, or as it would run."""
    if settings.server.public_url:
        return settings.server.public_url.rstrip("/")
    server, running = settings.server, folder.running()
    url = running.url if running else f"http://{server.host}:{server.port}"
    return reachable(url, server.host)


def login_url(base: str, token: str) -> str:
    """The link that signs in."""
    return f"{base}/login?token={token}"
