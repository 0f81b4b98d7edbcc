"""People who work with dothi."""

from collections.abc import Mapping

from msgspec import Struct, field


class Person(Struct, frozen=True):
    """Somebody who signs in, is on duty and is told of things."""

    id: str
    """Short and stable, e.g. `lan.nguyen`."""
    name: str
    positions: tuple[str, ...] = ()
    """What she or he may be on duty as, e.g. `operator`, `duty_officer`, `leader`."""
    language: str = "vi"
    """vi or en: of the messages sent."""
    contacts: Mapping[str, str] = field(default_factory=dict)
    """Channel (`email`, `sms`, ...) -> address."""
    is_active: bool = True
