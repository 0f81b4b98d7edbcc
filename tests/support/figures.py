"""Writes the tables of NGSI-LD in docs/reference/figures.md from the stored results."""

import json
from typing import Any, NamedTuple

from support.reference import REFERENCE

_RESULTS = REFERENCE.parents[1] / "bench" / "results"
_START, _END = "<!-- written from bench/results -->", "<!-- end -->"


class Row(NamedTuple):
    """One line: what was measured, what was wanted, what was found, and whether that is enough."""

    what: str
    target: str
    measured: str
    is_met: bool | None
    """None: nothing was wanted."""


def with_tables(page: str) -> str:
    """The page with its table written anew, whatever stood between the marks."""
    before, _, rest = page.partition(_START)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"figures.md lacks the marks {_START} and {_END}")
    lines = ["| what | target | measured |", "|---|---|---|"]
    for row in (*_requests(), *_subscriptions(), *_flatness(), *_parts()):
        verdict = " (**missed**)" if row.is_met is False else ""
        lines.append(f"| {row.what} | {row.target} | {row.measured}{verdict} |")
    return "\n".join([before + _START, *lines, _END]) + after


def _result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_RESULTS / f"{name}.json").read_text())["result"]
    return found


def _requests() -> list[Row]:
    found = _result("ngsi_ld")
    page = found["page_at_99980"]["per_s"], found["page_at_0"]["per_s"]
    hours = found["aggregate_10000_instances"]["latency"]["p50_ms"]
    batches = found["fill"]["per_s"], found["upsert_100"]["per_s"]
    return [
        _rate("retrieve by id, from memory", 5000, found["get_by_id"]),
        _rate("retrieve each of the 100,000 once, none in memory", None, found["get_each_once"]),
        _rate("query by type, limit 20", 2500, found["query_type_limit_20"]),
        _rate("query with two conditions, never asked before", 1000, found["query_two_conditions"]),
        Row(
            "page at offset 99,980 against the first page",
            "as fast",
            f"{page[0]:,}/s against {page[1]:,}/s",
            page[0] >= 0.95 * page[1],
        ),
        _rate("create", 2000, found["create"]),
        _rate("patch one attribute", 3000, found["patch_attribute"]),
        Row(
            "batch upsert of 100",
            "≥ 15,000 entities/s",
            f"{batches[0]:,}/s new, {batches[1]:,}/s present",
            min(batches) >= 15_000,
        ),
        Row(
            "four figures of every hour of 10,000 instances",
            "≤ 20 ms",
            f"p50 {hours} ms",
            hours <= 20,
        ),
    ]


def _rate(what: str, target: int | None, found: dict[str, Any]) -> Row:
    rate = found["per_s"]
    cost = f"{rate:,}/s, p99 {found['latency']['p99_ms']} ms, "
    cost += f"{found['server_cpu_us_per_request']:,} µs of processor time each"
    if target is None:
        return Row(what, "–", cost, None)
    return Row(what, f"≥ {target:,}/s", cost, rate >= target)


def _subscriptions() -> list[Row]:
    found = _result("subscriptions")
    p99 = found["delay_from_request"]["p99_ms"]
    # They are sent at 500/s: the last is answered a moment after the last is due.
    is_met = found["delivered_percent"] == 100 and p99 <= 1000 and found["updates_per_s"] > 499
    return [
        Row(
            f"{found['subscriptions']:,} subscriptions, 500 matching updates/s",
            "100 % delivered, p99 ≤ 1 s",
            f"{found['delivered_percent']:g} % delivered, {found['doubles']} twice, p99 {p99} ms "
            f"at {found['updates_per_s']} updates/s – "
            "`uv run dothi bench subscriptions -- --seconds 30`",
            is_met,
        )
    ]


def _flatness() -> list[Row]:
    found = _result("flatness")
    kinds = {
        "get_by_id": "by id",
        "query_type_limit_20": "by type",
        "query_two_conditions": "two conditions",
        "page_at_0": "first page",
    }
    costs = [
        f"{words} {_costs([of[kind] for of in found.values()])}" for kind, words in kinds.items()
    ]
    far = [
        next(of[k] for k in of if k.startswith("page_at_") and k != "page_at_0")
        for of in found.values()
    ]
    sizes = " / ".join(f"{int(size):,}" for size in found)
    return [
        Row(
            f"over {sizes} small entities, none in memory: ms of processor time each",
            "flat",
            "; ".join([*costs, f"far page {_costs(far)}"]) + " – `uv run dothi bench flatness`",
            None,
        )
    ]


def _costs(kinds: list[dict[str, Any]]) -> str:
    return " / ".join(f"{one['server_cpu_us_per_request'] / 1000:.2f}" for one in kinds)


def _parts() -> list[Row]:
    found = _result("write_parts")
    as_it_is, bare = found["as_it_is"], found["without_indexes_of_values"]
    creates = found["creates"]
    return [
        Row(
            f"an entity of {found['entities_at_once']} in a commit, without HTTP: processor time",
            "67 µs for 15,000/s of one core",
            f"{as_it_is['whole']} µs, of which SQLite {as_it_is['sqlite']} µs; without the indexes "
            f"of values {bare['sqlite']} µs – `uv run dothi bench write_parts`",
            None,
        ),
        Row(
            f"what SQLite and the disk alone allow, all else for nothing: "
            f"{found['entities_at_once']} in a commit, and {found['creates_at_once']} as creates "
            "come",
            "15,000 and 2,000/s",
            f"{as_it_is['sqlite_alone_per_s']:,}/s ({bare['sqlite_alone_per_s']:,}/s without the "
            f"indexes of values) and {creates['sqlite_alone_per_s']:,}/s – the same",
            None,
        ),
    ]
