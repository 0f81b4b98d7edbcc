"""What a part gets that plays devices: the example, a drill."""

from pathlib import Path

from msgspec import Struct

from dothi.app.config.settings import Settings
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.ingest import Ingest
from dothi.ports.registry import Sources
from dothi.ports.rules import Rules


class Stage(Struct, frozen=True):
    """Ports of the program, and where its MQTT door listens."""

    settings: Settings
    data_folder: Path
    sources: Sources
    areas: Areas
    ingest: Ingest
    clock: Clock
    rules: Rules
    mqtt_host: str
    mqtt_port: int
