"""Figures about notices: for `/metrics`, and how each channel does."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dothi.model.measure import Measure
from dothi.notify.dispatch.tally import ChannelTally
from dothi.pipeline.gates import Gates
from dothi.ports.notices import DeliveryQueue, Notices
from dothi.ports.telling import ChannelHealth


def channel_of(lane: str) -> str:
    """The channel that a lane belongs to."""
    return lane.partition(" ")[0]


def measures_of(
    tallies: Mapping[str, ChannelTally],
    queue: DeliveryQueue,
    notices: Notices,
    gates: Gates,
    now: datetime,
) -> Sequence[Measure]:
    """Per channel; asks the store what waits."""
    waiting: dict[str, int] = dict.fromkeys(tallies, 0)
    oldest_s: dict[str, float] = dict.fromkeys(tallies, 0.0)
    down: dict[str, int] = dict.fromkeys(tallies, 0)
    for lane, (count, since_at) in queue.waiting().items():
        channel = channel_of(lane)
        waiting[channel] = waiting.get(channel, 0) + count
        age_s = (now - since_at).total_seconds()
        oldest_s[channel] = max(oldest_s.get(channel, 0.0), age_s)
    for lane in gates.names_down():
        down[channel_of(lane)] = down.get(channel_of(lane), 0) + 1
    outcomes = [
        ({"channel": name, "outcome": outcome}, float(count))
        for name, tally in tallies.items()
        for outcome, count in (
            ("accepted", tally.accepted),
            ("failed", tally.failed),
            ("retried", tally.retried),
            ("reported", tally.reported),
        )
    ]
    return [
        Measure(
            "dothi_notice_deliveries_total",
            "counter",
            "Attempts to tell people, by channel and outcome",
            outcomes,
        ),
        _by_channel("dothi_notice_waiting", "Messages that wait", waiting),
        _by_channel("dothi_notice_oldest_seconds", "Age of the oldest that waits", oldest_s),
        _by_channel("dothi_notice_endpoints_down", "Endpoints that do not answer", down),
        Measure(
            "dothi_notices",
            "gauge",
            "Notices that are not over, by state",
            [({"state": state}, float(count)) for state, count in notices.counts().items()],
        ),
    ]


def health_of(
    contacts: Mapping[str, str],
    tallies: Mapping[str, ChannelTally],
    waiting: Mapping[str, tuple[int, datetime]],
    gates: Gates,
) -> list[ChannelHealth]:
    """Per channel; `contacts`: channel -> which contact of a person it takes."""
    down = {channel_of(lane) for lane in gates.names_down()}
    found = []
    for name, contact in contacts.items():
        tally = tallies[name]
        lanes = {lane: one for lane, one in waiting.items() if channel_of(lane) == name}
        found.append(
            ChannelHealth(
                name,
                contact,
                name in down,
                sum(count for count, _ in lanes.values()),
                min((since_at for _, since_at in lanes.values()), default=None),
                tally.accepted,
                tally.failed,
                tally.retried,
                tally.last_success_at,
                tally.last_failure_at,
                tally.last_error,
            )
        )
    return found


def _by_channel(name: str, help_text: str, values: Mapping[str, float]) -> Measure:
    samples = [({"channel": channel}, float(value)) for channel, value in values.items()]
    return Measure(name, "gauge", help_text, samples)
