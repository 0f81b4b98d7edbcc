"""What the program is started for: normal work, the example, or a drill."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.app.stage import Stage
from dothi.model.procedure import Procedure
from dothi.ports.service import Service


class Mode(Struct, frozen=True):
    """Its name stands on every screen unless it is normal."""

    name: str
    play: Callable[[Stage], Service] | None = None
    """Makes what plays devices; called when the doors are open, started after all others."""
    endpoints: Sequence[Endpoint] = ()
    is_fenced: bool = False
    """Nothing may leave the process: dothi.app.drill.fence."""
    adapt: Callable[[Procedure], Procedure] = lambda procedure: procedure
    """What is made of each procedure before it is used: a fast drill shortens its limits."""


def _example(stage: Stage) -> Service:
    # Imported here: the MQTT client that its stations use is of no use to other starts.
    from dothi.app.example.publisher import Broker
    from dothi.app.example.service import ExampleNeeds, ExampleService

    needs = ExampleNeeds(stage.sources, stage.areas, stage.ingest, stage.rules)
    broker = Broker(stage.mqtt_host, stage.mqtt_port)
    return ExampleService(needs, broker, stage.data_folder, stage.settings.example)


NORMAL = Mode("normal")
EXAMPLE = Mode("example", _example)
