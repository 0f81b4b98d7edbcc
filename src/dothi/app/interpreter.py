"""How the Python interpreter is set while the program serves (docs/adr/0007)."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS_BEFORE_LOOK = 50_000
_TURN_S = 0.0005


@contextmanager
def tuned() -> Iterator[None]:
    """To be entered when all parts have started."""
    # What the start has made stays: looking through it for garbage again and again cost a tenth of
    # the time of a write.
    gc.collect()
    gc.freeze()
    looks = gc.get_threshold()
    # A batch of a hundred entities is some ten thousand objects, none of them in a circle.
    gc.set_threshold(_OBJECTS_BEFORE_LOOK)
    # A commit is some thirteen calls of SQLite; after each the writer needs the interpreter again,
    # for which it waited up to 5 ms while the event loop was busy.
    turn_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(turn_s)
        gc.set_threshold(*looks)
        gc.unfreeze()  # or bindings of libraries complain at the end of what nobody collected
