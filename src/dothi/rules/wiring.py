"""Makes the units that a plan needs."""

from dothi.rules.binding import Binding
from dothi.rules.limits import DatedLimits
from dothi.rules.plan import WINDOWS, LeafPlan, Plan
from dothi.rules.scope import ScopeIndex
from dothi.rules.units import FORECAST_KEPT_US, SignalUnit, SlotUnit


def wire(
    plan: Plan, dated: DatedLimits, scopes: ScopeIndex
) -> tuple[list[SlotUnit], list[SignalUnit]]:
    """Slots and signals in the order of the plan."""
    leaves: list[list[tuple[LeafPlan, int]]] = [[] for _ in plan.signals]
    for rule in plan.rules:
        scope = scopes.add(rule.rule.scope)
        for leaf in rule.leaves:
            leaves[leaf.signal].append((leaf, scope))
    slots = [SlotUnit(slot) for slot in plan.slots]
    units = []
    for number, signal in enumerate(plan.signals):
        own = slots[plan.slot(signal.slot)]
        both = (own,) if signal.other is None else (own, slots[plan.slot(signal.other)])
        if signal.kind in WINDOWS:
            own.keep(signal.window_us)
        if signal.kind == "forecast":
            both[-1].is_forecast = True
            both[-1].keep(max(signal.window_us, FORECAST_KEPT_US))
        if signal.kind == "fence":
            own.needs_number = False
        units.append(SignalUnit(signal, Binding(leaves[number], dated), both))
    return slots, units
