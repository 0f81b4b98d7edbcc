"""The requests of bench/ngsi_ld.py: entities of 2 kB, ten attributes. Not a benchmark itself."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

ROOT = "/ngsi-ld/v1"
TYPES = ("AirQualityObserved", "WaterObserved", "WeatherObserved", "TrafficFlowObserved")
_TEXT = "Trạm quan trắc tự động, truyền số liệu năm phút một lần về trung tâm điều hành. "


def entity(number: int, round_: int = 0) -> dict[str, Any]:
    """Entity `number`; `round_` makes its values others."""
    chance = random.Random(number * 1000 + round_)
    at = f"2026-11-{1 + round_ % 20:02d}T{number % 24:02d}:{chance.randrange(60):02d}:00Z"

    def measured(unit: str, high: float) -> dict[str, Any]:
        return {
            "type": "Property",
            "value": round(chance.random() * high, 2),
            "unitCode": unit,
            "observedAt": at,
        }

    return {
        "id": f"urn:ngsi-ld:Bench:{number:07d}",
        "type": TYPES[number % len(TYPES)],
        "pm25": measured("GQ", 200),
        "temperature": measured("CEL", 40),
        "relativeHumidity": measured("P1", 100),
        "level": {
            **measured("MTR", 5),
            "accuracy": {"type": "Property", "value": 0.05, "unitCode": "MTR"},
        },
        "name": {"type": "Property", "value": f"Trạm số {number}"},
        "description": {"type": "Property", "value": _TEXT * 11},
        "ownedBy": {"type": "Relationship", "object": f"urn:ngsi-ld:Org:{number % 50}"},
        "location": {
            "type": "GeoProperty",
            "value": {
                "type": "Point",
                "coordinates": [106.5 + chance.random(), 10.5 + chance.random()],
            },
        },
        "label": {"type": "LanguageProperty", "languageMap": {"vi": "Trạm", "en": "Station"}},
        "serial": {"type": "Property", "value": number},
    }


def http(method: str, path: str, body: Any = None, media: str = "application/json") -> bytes:
    """A request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    content = msgspec.json.encode(body)
    head += f"Content-Type: {media}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def requests(name: str, options: dict[str, Any]) -> Iterator[bytes]:
    """Endless requests of one kind over a store of `entities` entities."""
    return _MAKERS[name](options)


def _upsert(options: dict[str, Any]) -> Iterator[bytes]:
    size, first, end = options["size"], options["first"], options["end"]
    round_ = options.get("round", 0)
    for start in range(first, end, size):
        batch = [entity(n, round_) for n in range(start, min(start + size, end))]
        yield http("POST", f"{ROOT}/entityOperations/upsert", batch)


def _create(options: dict[str, Any]) -> Iterator[bytes]:
    number = options["first"]
    while True:
        yield http("POST", f"{ROOT}/entities", entity(number))
        number += 1


def _patch(options: dict[str, Any]) -> Iterator[bytes]:
    chance = random.Random(7)
    while True:
        number = chance.randrange(options["entities"])
        body = {"type": "Property", "value": round(chance.random() * 99, 3)}
        path = f"{ROOT}/entities/urn:ngsi-ld:Bench:{number:07d}/attrs/pm25"
        yield http("PATCH", path, body)


def _get(options: dict[str, Any]) -> Iterator[bytes]:
    chance = random.Random(8)
    while True:
        number = chance.randrange(options["entities"])
        yield http("GET", f"{ROOT}/entities/urn:ngsi-ld:Bench:{number:07d}")


def _get_each(options: dict[str, Any]) -> Iterator[bytes]:
    """Every entity once: none of them is in memory yet."""
    for number in range(options["entities"]):
        yield http("GET", f"{ROOT}/entities/urn:ngsi-ld:Bench:{number:07d}")


def _query_type(options: dict[str, Any]) -> Iterator[bytes]:
    chance = random.Random(9)
    while True:
        yield http("GET", f"{ROOT}/entities?type={chance.choice(TYPES)}&limit=20")


def _query_q(options: dict[str, Any]) -> Iterator[bytes]:
    """Two conditions that few entities satisfy."""
    chance = random.Random(10)
    while True:
        serial = chance.randrange(options["entities"] - 10)
        q = quote(f"serial>={serial};serial<{serial + 8};temperature>10", safe="")
        yield http("GET", f"{ROOT}/entities?q={q}&limit=20")


def _page(options: dict[str, Any]) -> Iterator[bytes]:
    while True:
        query = f"local=true&limit=20&offset={options['offset']}"
        yield http("GET", f"{ROOT}/entities?{query}")


SERIES = "urn:ngsi-ld:WaterObserved:bench-series"
"""An entity with a long history of `level`, one value a minute."""
SERIES_FROM = datetime(2026, 11, 1, tzinfo=UTC)


def series_rows(count: int) -> bytes:
    """Its history as NDJSON for the door of observations."""
    times = (SERIES_FROM + timedelta(minutes=n) for n in range(count))
    return b"\n".join(
        msgspec.json.encode(
            {"entity": SERIES, "attribute": "level", "value": n % 97 / 10, "observedAt": at}
        )
        for n, at in enumerate(times)
    )


def _aggregate(_: dict[str, Any]) -> Iterator[bytes]:
    """Four figures of every hour."""
    at = quote((SERIES_FROM - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ"), safe="")
    query = f"timerel=after&timeAt={at}&attrs=level&options=aggregatedValues"
    query += "&aggrMethods=avg,min,max,totalCount&aggrPeriodDuration=PT1H"
    while True:
        yield http("GET", f"{ROOT}/temporal/entities/{SERIES}?{query}")


_MAKERS = {
    "upsert": _upsert,
    "create": _create,
    "patch": _patch,
    "get": _get,
    "get_each": _get_each,
    "query_type": _query_type,
    "query_q": _query_q,
    "page": _page,
    "aggregate": _aggregate,
}
