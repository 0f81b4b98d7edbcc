"""What the person at the terminal is told."""

from msgspec import Struct

from dothi.app.exposure import PlainDoor


class Started(Struct, frozen=True):
    """What the person at the terminal is told once everything runs."""

    url: str
    login_url: str | None
    """None: somebody is signed in already, or sign-in is off."""
    details: dict[str, str]
    """Name of a door -> where it listens."""
    plain_doors: tuple[PlainDoor, ...] = ()
    """Doors that secrets pass in clear."""
