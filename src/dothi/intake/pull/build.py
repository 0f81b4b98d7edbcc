"""Settings to connectors."""

from dothi.intake.pull.cap_feed import CapFeedConnector, CapPorts
from dothi.intake.pull.connector import Connector
from dothi.intake.pull.open_meteo import OpenMeteoConnector
from dothi.intake.pull.openaq import OpenAqConnector
from dothi.intake.pull.service import Ports, PullService
from dothi.intake.pull.settings import (
    AnyConnector,
    CapFeed,
    OpenAq,
    OpenMeteo,
    PullSettings,
    UsgsIv,
)
from dothi.intake.pull.usgs_iv import UsgsIvConnector
from dothi.intake.pull.usgs_ogc import UsgsOgcConnector


def pull_service(settings: PullSettings, ports: Ports) -> PullService:
    """The scheduler with every configured connector."""
    connectors = {
        name: connector(name, its, ports.cap) for name, its in settings.connectors.items()
    }
    return PullService(connectors, ports, settings.use_system_proxy)


def connector(name: str, settings: AnyConnector, cap: CapPorts | None = None) -> Connector:
    """The connector that belongs to the kind of settings."""
    if isinstance(settings, CapFeed):
        if cap is None:
            raise ValueError(f"connector {name}: feeds of warnings need a reader and a store")
        return CapFeedConnector(name, settings, cap)
    if isinstance(settings, OpenMeteo):
        return OpenMeteoConnector(name, settings)
    if isinstance(settings, OpenAq):
        return OpenAqConnector(name, settings)
    if isinstance(settings, UsgsIv):
        return UsgsIvConnector(name, settings)
    return UsgsOgcConnector(name, settings)
