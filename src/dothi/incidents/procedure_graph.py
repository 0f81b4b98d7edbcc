"""The steps of a procedure as a graph: no cycle, no step that is not there or never reached."""

from collections.abc import Mapping
from functools import cache

from dothi.model.procedure import Procedure, Step


def check_graph(procedure: Procedure) -> None:
    """Raises ValueError that names the step."""
    steps = procedure.steps
    if procedure.first not in steps:
        raise ValueError(f"key first: there is no step {procedure.first!r}")
    for step in steps.values():
        for target in _targets(step):
            if target not in steps:
                raise ValueError(f"step {step.id!r}, key next: there is no step {target!r}")
        _check_order(step)
    _check_cycles(steps)
    reached = {procedure.first, *reachable(steps, procedure.first)}
    for name in steps:
        if name not in reached:
            raise ValueError(f"step {name!r}: no way leads to it from {procedure.first!r}")


def reachable(steps: Mapping[str, Step], start: str) -> frozenset[str]:
    """Every step that may come after `start`, which is not among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in _targets(steps[waiting.pop()]):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return frozenset(found)


def _targets(step: Step) -> list[str]:
    return [target for branch in step.branches for target in branch.to]


def _check_order(step: Step) -> None:
    """What stands behind a branch without a test is never looked at."""
    for branch in step.branches[:-1]:
        if not branch.field:
            raise ValueError(f"step {step.id!r}, key next: the one without a test must be the last")


def _check_cycles(steps: Mapping[str, Step]) -> None:
    @cache
    def visit(name: str) -> None:
        if name in trail:
            way = " -> ".join([*trail[trail.index(name) :], name])
            raise ValueError(f"step {name!r}, key next: the steps lead back to it ({way})")
        trail.append(name)
        for target in _targets(steps[name]):
            visit(target)
        trail.pop()

    trail: list[str] = []
    for name in steps:
        visit(name)
