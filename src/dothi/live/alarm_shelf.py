"""The open alarms on the board, numbered as everything on it."""

from dothi.live.alarm_view import AlarmView
from dothi.live.numbering import Numbering
from dothi.model.alarm import AlarmState


def _order(view: AlarmView) -> tuple[int, bool, float, int]:
    """As lists are sorted, see ports.alarms.SORTS."""
    is_known = view.acknowledged_at is not None
    return view.priority, is_known, -view.raised_at.timestamp(), -view.id


class AlarmShelf:
    """Part of the board; one thread at a time."""

    def __init__(self) -> None:
        self._views: dict[int, AlarmView] = {}
        self._n: Numbering[int] = Numbering()
        self.closed_n: Numbering[int] = Numbering()

    def put(self, view: AlarmView, n: int) -> bool:
        """Add, replace or (a closed one) take away; whether anything changed."""
        before = self._views.get(view.id)
        if view.state == AlarmState.NORMAL:
            if before is not None:
                self._close(view.id, n)
            return before is not None
        if before == view:
            return False
        self._views[view.id] = view
        self.closed_n.drop(view.id)
        self._n.touch(view.id, n)
        return True

    def keep(self, most: int, n: int) -> bool:
        """Take the least urgent away when there are many more than `most`; whether that was."""
        # Not at each one more: in a flood of alarms they would be sorted at each of them.
        if len(self._views) <= most + most // 10:
            return False
        urgent = sorted(self._views.values(), key=_order)
        for view in urgent[most:]:
            self._close(view.id, n)
        return True

    def all(self) -> list[AlarmView]:
        return list(self._views.values())

    def after(self, n: int) -> list[AlarmView]:
        """Those that changed after a number."""
        return [self._views[alarm] for alarm in self._n.after(n)]

    def _close(self, alarm: int, n: int) -> None:
        del self._views[alarm]
        self._n.drop(alarm)
        self.closed_n.touch(alarm, n)
