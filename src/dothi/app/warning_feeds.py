"""What feeds of other authorities' warnings are read with and kept in."""

from dothi.app.stores import Registers
from dothi.facades.cap.documents import read_document
from dothi.intake.pull.cap_feed import CapPorts
from dothi.ports.clock import Clock


def cap_ports(stores: Registers, clock: Clock) -> CapPorts:
    """The reader of the CAP facade, the store of foreign messages."""
    return CapPorts(read_document, stores.foreign_warnings, clock)
