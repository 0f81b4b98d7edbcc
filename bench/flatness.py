"""Whether NGSI-LD reads cost the same over 1,000, 100,000 and 1,000,000 entities.

Entities are small, of two numbers each, and are stored through the port of the log before the
server starts: the same commits as those of the doors, in batches of 20,000 rows, without HTTP. The
server keeps none of them in memory: every read goes to the store.

    uv run dothi bench flatness -- --seconds 5
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parent))

from ngsi_ld import measure
from ngsi_requests import TYPES
from served import SOURCE, served

from dothi.app.stores import Stores
from dothi.model.batch import Batch
from dothi.model.row import rows_table
from dothi.pipeline.admit import admit

_SETTINGS = '[access]\nmode = "open"\n[pipeline]\nentity_cache_mb = 0\n'
_AT_ONCE = 10_000
_FAR = 100_000


def run(arguments: list[str]) -> dict[str, object]:
    """One store after the other."""
    parser = argparse.ArgumentParser(prog="dothi bench flatness")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args(arguments)
    return {str(size): _of_size(size, options.seconds) for size in options.sizes}


def _of_size(size: int, seconds: float) -> dict[str, Any]:
    far = min(_FAR, size - 20)
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("get_by_id", "get", {"entities": size}),
        ("query_type_limit_20", "query_type", {}),
        ("query_two_conditions", "query_q", {"entities": size}),
        ("page_at_0", "page", {"offset": 0}),
        (f"page_at_{far}", "page", {"offset": far}),
    ]
    found: dict[str, Any] = {}
    with served(_SETTINGS, fill=_filler(size)) as server:
        for label, name, made in kinds:
            found[label] = measure(server, name, made, clients=8, seconds=seconds)
        found["server"] = server.figures()
    return found


def _filler(size: int) -> Callable[[Stores], None]:
    def fill(stores: Stores) -> None:
        at = datetime.now(UTC)
        chance = np.random.default_rng(11)
        for first in range(0, size, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, size))
            count = len(numbers)
            rows = rows_table(
                {
                    "source": SOURCE,
                    "entity": [f"urn:ngsi-ld:Bench:{n:07d}" for n in numbers] * 2,
                    "entity_type": [TYPES[n % len(TYPES)] for n in numbers] * 2,
                    "attribute": ["serial"] * count + ["temperature"] * count,
                    "observed_at": [at] * (2 * count),
                    "number": np.concatenate([np.array(numbers), chance.random(count) * 40]),
                }
            )
            [result] = stores.writer.commit(admit([Batch(f"fill-{first}", rows, at)], {}))
            if result.stored != 2 * count:
                raise RuntimeError(f"{result.stored} of {2 * count} rows are stored")

    return fill


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
