"""Who writes to a database file next, among the threads of this process: whoever waits longest.

SQLite lets one write at a time; the others look again after 1, 2, 5, … 100 ms, whoever looks first
gets it, and under load somebody waits long for a lock that was free meanwhile. Here the next one
begins at once. Other processes are still waited for as SQLite does.
"""

import threading
from collections import deque
from pathlib import Path
from weakref import WeakValueDictionary


class WriteTurns:
    """Of one file. A turn may be given back by another thread than took it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, timeout_s: float) -> bool:
        """Wait for the turn. False: it did not come in time, and is not to be given back."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout_s):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it came while we were giving up

    def give(self) -> None:
        """To the next one."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


_known: "WeakValueDictionary[str, WriteTurns]" = WeakValueDictionary()
_lock = threading.Lock()


def turns_of(path: str | Path) -> WriteTurns:
    """The same for everybody who has the file open."""
    name = str(Path(path).resolve())
    with _lock:
        turns = _known.get(name)
        if turns is None:
            turns = _known[name] = WriteTurns()
        return turns
